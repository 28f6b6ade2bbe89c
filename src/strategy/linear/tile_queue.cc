#include "strategy/linear/tile_queue.h"

#include <utility>

namespace skein {

using Sign = RingSums::Sign;

void TileQueue::Submit(size_t index, Job job) {
  std::unique_lock<std::mutex> lock(mutex_);
  ++job.who->unsettled;
  Tile& tile = tiles_[index];
  tile.waiting.push_back(job);
  if (tile.busy) return;  // who is at work there takes it
  tile.busy = true;
  while (!tile.waiting.empty()) {
    const Batch batch = TakeBatch(tile);
    lock.unlock();
    RingSums::Offenses offenses = Run(index, batch);
    lock.lock();
    Record(index, batch, std::move(offenses));
  }
  tile.busy = false;
}

// The first that waits, and others that can be added in the same pass.
TileQueue::Batch TileQueue::TakeBatch(Tile& tile) {
  Batch batch;
  std::erase_if(tile.waiting, [&](const Job& job) {
    const Job& first = batch.jobs[0];
    const bool fits =
        batch.size == 0 || (batch.size < kMaxRuns && first.sign == Sign::kAdd &&
                            job.sign == Sign::kAdd && job.who->input.form == first.who->input.form);
    if (fits) batch.jobs[batch.size++] = job;
    return fits;
  });
  return batch;
}

RingSums::Offenses TileQueue::Run(size_t tile, const Batch& batch) {
  if (batch.jobs[0].sign == Sign::kSubtract) {
    sums_.SubtractTile(tile, batch.jobs[0].who->input);
    return {};
  }
  std::array<const LinearInput*, kMaxRuns> inputs;
  for (size_t k = 0; k < batch.size; ++k) inputs[k] = &batch.jobs[k].who->input;
  return sums_.AddTile(tile, std::span(inputs).first(batch.size));
}

// Once the last tile of a contribution is settled, its owner may let go of it.
void TileQueue::Record(size_t tile, const Batch& batch, RingSums::Offenses offenses) {
  bool any_settled = false;
  for (size_t k = 0; k < batch.size; ++k) {
    FoldingInput& who = *batch.jobs[k].who;
    if (offenses[k]) {
      who.refused.push_back(tile);
      const bool first = !who.offense || offenses[k]->element < who.offense->element;
      if (first) who.offense = std::move(offenses[k]);
    }
    any_settled |= --who.unsettled == 0;
  }
  if (any_settled) settled_.notify_all();
}

void TileQueue::Settle(FoldingInput& who) {
  std::unique_lock<std::mutex> lock(mutex_);
  settled_.wait(lock, [&] { return who.unsettled == 0; });
}

std::optional<Offense> TileQueue::OffenseOf(const FoldingInput& who) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return who.offense;
}

void TileQueue::Open() {
  std::lock_guard<std::mutex> lock(mutex_);
  ++open_;
}

void TileQueue::Close() {
  std::lock_guard<std::mutex> lock(mutex_);
  --open_;
}

size_t TileQueue::open() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return open_;
}

}  // namespace skein
