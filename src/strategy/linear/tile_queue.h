#ifndef SKEIN_SRC_STRATEGY_LINEAR_TILE_QUEUE_H_
#define SKEIN_SRC_STRATEGY_LINEAR_TILE_QUEUE_H_

#include <array>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <vector>

#include "strategy/linear/ring_sums.h"

namespace skein {

// A contribution whose tiles are being folded. Its owner sees to it that none is queued or being
// read (TileQueue::Settle) before it or its bytes go away. Everything but `input` belongs to the
// queue.
struct FoldingInput {
  explicit FoldingInput(LinearInput in) : input(in) {}
  const LinearInput input;
  size_t unsettled = 0;            // tiles that are queued or being worked on
  std::optional<Offense> offense;  // the first in the row of those found so far
  std::vector<size_t> refused;     // tiles with an offense: nothing of them is in the sums
};

// Lets many threads fold into the same sums. A tile is worked on by one thread at a time. One that
// finds it taken does not wait: it leaves its input with the tile, and the thread at work there
// takes up to kMaxRuns of those that wait in one pass, so that contention makes the fold faster.
// Thread-safe.
class TileQueue {
 public:
  // `sums` must outlive this.
  TileQueue(RingSums& sums, size_t tiles) : sums_(sums), tiles_(tiles) {}

  // Adds a tile of `who` to the sums, or takes it out again, now or a little later.
  void Add(size_t tile, FoldingInput& who) { Submit(tile, {&who, RingSums::Sign::kAdd}); }
  void Subtract(size_t tile, FoldingInput& who) { Submit(tile, {&who, RingSums::Sign::kSubtract}); }

  // Waits until no tile of `who` is queued or being worked on.
  void Settle(FoldingInput& who);

  // The offense found so far; with those of tiles that are still to be settled, another may come.
  std::optional<Offense> OffenseOf(const FoldingInput& who) const;

  // Contributions that are half there, or may be.
  void Open();
  void Close();
  size_t open() const;

 private:
  struct Job {
    FoldingInput* who = nullptr;
    RingSums::Sign sign = RingSums::Sign::kAdd;
  };
  struct Tile {
    bool busy = false;
    std::vector<Job> waiting;
  };
  struct Batch {
    std::array<Job, kMaxRuns> jobs;
    size_t size = 0;
  };

  void Submit(size_t tile, Job job);
  static Batch TakeBatch(Tile& tile);
  RingSums::Offenses Run(size_t tile, const Batch& batch);
  void Record(size_t tile, const Batch& batch, RingSums::Offenses offenses);

  RingSums& sums_;
  // One for all: what it guards takes no time beside folding a tile.
  mutable std::mutex mutex_;
  std::condition_variable settled_;
  std::vector<Tile> tiles_;
  size_t open_ = 0;
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_LINEAR_TILE_QUEUE_H_
