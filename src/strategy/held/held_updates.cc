#include "strategy/held/held_updates.h"

#include <algorithm>
#include <utility>

#include "skein/base/status.h"
#include "strategy/finite_check.h"

namespace skein {
namespace {

constexpr uint64_t kPage = 4096;
// What the pages of spilled updates that are being read take at most, or one page of each.
constexpr uint64_t kReadAhead = uint64_t{16} << 20;
constexpr double kMaxMemoryMb = 1 << 30;

uint64_t WholePages(uint64_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

}  // namespace

ParamSchema HoldingSchema(std::vector<ParamSpec> own) {
  own.push_back({.name = "memory_mb",
                 .type = ParamSpec::Type::kInt,
                 .default_value = 256,
                 .min = 0,
                 .max = kMaxMemoryMb,
                 .doc = "MiB of updates that are held in memory; the others go to a file"});
  own.push_back({.name = "spill_dir",
                 .type = ParamSpec::Type::kString,
                 .default_value = "",
                 .doc = "directory of that file; empty: $TMPDIR, or /var/tmp"});
  return ParamSchema(std::move(own));
}

HoldLimits HoldLimitsOf(const Params& params) {
  return {.memory_bytes = static_cast<uint64_t>(params.Int("memory_mb")) << 20,
          .spill_dir = params.String("spill_dir")};
}

absl::Status CheckSpillDirectory(const HoldLimits& limits) {
  if (limits.spill_dir.empty()) return absl::OkStatus();
  return SpillFile::Create(limits.spill_dir).status();
}

// Checks an update while it arrives and, if there is no room for it in memory, writes it out.
class HeldUpdates::HoldingIntake : public Intake {
 public:
  HoldingIntake(HeldUpdates& updates, const Place& place, const PackedTensors& staged,
                const HeldFrom& from)
      : updates_(updates), place_(place), staged_(staged), from_(from), check_(staged) {}
  ~HoldingIntake() override {
    if (!completed_) updates_.GiveBack(place_);
  }

  absl::Status Advance(uint64_t received) override {
    if (completed_ || !status_.ok()) return status_;
    status_ = check_.Advance(received);
    if (status_.ok() && !place_.in_memory && received > written_) {
      const uint64_t from = std::exchange(written_, received);
      status_ = updates_.file_->Write(place_.offset + from,
                                      staged_.bytes().subspan(from, received - from));
    }
    return status_;
  }

  absl::Status Complete() override {
    if (completed_) return absl::FailedPreconditionError("the contribution is already counted");
    SKEIN_RETURN_IF_ERROR(Advance(staged_.bytes().size()));
    updates_.held_.push_back({place_, place_.in_memory ? staged_ : PackedTensors(), from_});
    completed_ = true;
    return absl::OkStatus();
  }

 private:
  HeldUpdates& updates_;
  const Place place_;
  const PackedTensors& staged_;  // a copy would share the block, which is still being written
  const HeldFrom from_;
  FiniteCheck check_;
  uint64_t written_ = 0;
  absl::Status status_;
  bool completed_ = false;
};

HeldUpdates::HeldUpdates(Manifest update, HoldLimits limits)
    : update_(std::move(update)), limits_(std::move(limits)) {}

HeldUpdates::~HeldUpdates() = default;

absl::StatusOr<std::unique_ptr<Intake>> HeldUpdates::Begin(const PackedTensors& staged,
                                                           HeldFrom from) {
  SKEIN_RETURN_IF_ERROR(update_.ExpectSame(staged.manifest()));
  SKEIN_ASSIGN_OR_RETURN(const Place place, TakePlace());
  return std::make_unique<HoldingIntake>(*this, place, staged, from);
}

absl::StatusOr<HeldUpdates::Place> HeldUpdates::TakePlace() {
  const uint64_t bytes = update_.total_bytes();
  std::lock_guard lock(mutex_);
  if (memory_bytes_ + bytes <= limits_.memory_bytes) {
    memory_bytes_ += bytes;
    return Place{};
  }
  if (!free_places_.empty()) {
    const uint64_t offset = free_places_.back();
    free_places_.pop_back();
    return Place{false, offset};
  }
  if (file_ == nullptr) {
    SKEIN_ASSIGN_OR_RETURN(file_, SpillFile::Create(limits_.spill_dir));
  }
  const Place place{false, file_bytes_};
  SKEIN_RETURN_IF_ERROR(file_->Reserve(place.offset, bytes));
  file_bytes_ += WholePages(bytes);
  return place;
}

void HeldUpdates::GiveBack(const Place& place) {
  std::lock_guard lock(mutex_);
  if (place.in_memory) {
    memory_bytes_ -= update_.total_bytes();
  } else {
    free_places_.push_back(place.offset);
  }
}

void HeldUpdates::Clear() {
  for (const Held& held : held_) GiveBack(held.place);
  held_.clear();
}

void HeldUpdates::DropFirst() {
  const auto first = held_.begin() + (InOrder().front() - held_.data());
  GiveBack(first->place);
  held_.erase(first);
}

uint64_t HeldUpdates::memory_bytes() const {
  std::lock_guard lock(mutex_);
  return memory_bytes_;
}

uint64_t HeldUpdates::spilled_bytes() const {
  std::lock_guard lock(mutex_);
  return file_bytes_;
}

std::vector<const HeldUpdates::Held*> HeldUpdates::InOrder() const {
  std::vector<const Held*> all;
  for (const Held& held : held_) all.push_back(&held);
  std::ranges::stable_sort(
      all, {}, [](const Held* held) { return std::pair(held->from.leaf, held->from.seq); });
  return all;
}

std::vector<HeldFrom> HeldUpdates::From() const {
  std::vector<HeldFrom> all;
  for (const Held* held : InOrder()) all.push_back(held->from);
  return all;
}

absl::StatusOr<HeldUpdates::View> HeldUpdates::Open() const { return ViewOf(InOrder()); }

absl::StatusOr<HeldUpdates::View> HeldUpdates::Open(std::span<const size_t> which) const {
  const std::vector<const Held*> all = InOrder();
  std::vector<const Held*> some;
  for (const size_t number : which) some.push_back(all.at(number));
  return ViewOf(some);
}

absl::StatusOr<HeldUpdates::View> HeldUpdates::OpenFirst() const {
  const Held* const first = InOrder().front();
  return ViewOf({&first, 1});
}

absl::StatusOr<HeldUpdates::View> HeldUpdates::ViewOf(std::span<const Held* const> some) const {
  View view;
  uint64_t mapped = 0;
  for (const Held* held : some) {
    if (held->place.in_memory) continue;
    view.spilled_at_.push_back(held->place.offset);
    mapped = std::max(mapped, held->place.offset + update_.total_bytes());
  }
  if (mapped > 0) {
    SKEIN_ASSIGN_OR_RETURN(view.mapping_, file_->Map(mapped));
    view.window_ = std::max(kPage, kReadAhead / view.spilled_at_.size() / kPage * kPage);
  }
  for (const Held* held : some) {
    view.from_.push_back(held->from);
    view.updates_.push_back(held->place.in_memory ? held->tensors.bytes()
                                                  : view.mapping_->bytes().subspan(
                                                        held->place.offset, update_.total_bytes()));
  }
  return view;
}

void HeldUpdates::View::Passed(uint64_t offset) {
  if (mapping_ == nullptr || offset < passed_ + window_) return;
  const uint64_t end = offset / kPage * kPage;  // the page in which reading goes on stays
  for (const uint64_t at : spilled_at_) mapping_->Release(at + passed_, end - passed_);
  passed_ = end;
}

}  // namespace skein
