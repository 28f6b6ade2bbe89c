#ifndef SKEIN_SRC_STRATEGY_HELD_HELD_UPDATES_H_
#define SKEIN_SRC_STRATEGY_HELD_HELD_UPDATES_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/strategy/fold.h"
#include "skein/strategy/params.h"
#include "strategy/held/spill_file.h"

namespace skein {

// What users may set of every fold that holds updates.
struct HoldLimits {
  uint64_t memory_bytes = uint64_t{256} << 20;  // what updates take in memory at most
  std::string spill_dir;                        // of the file for the others; see SpillFile
};

// The parameters that such folds share, behind their own.
ParamSchema HoldingSchema(std::vector<ParamSpec> own = {});
HoldLimits HoldLimitsOf(const Params& params);
// Whether a directory that was named takes files; Unavailable if not.
absl::Status CheckSpillDirectory(const HoldLimits& limits);

// Who sent an update.
struct HeldFrom {
  LeafIndex leaf = 0;  // of a subtree's contribution: its first
  Seq seq = 0;
  uint64_t samples = 0;
};

// The updates of one aggregation, for folds that need all of them at once. Those that fit into the
// budget stay in the blocks in which they arrived; the others are written to a file while they
// arrive, and their blocks go back to the pool. Used by one thread at a time, apart from intakes.
class HeldUpdates {
 public:
  HeldUpdates(Manifest update, HoldLimits limits);
  ~HeldUpdates();

  // Begins to take in an update; the intake refuses NaN and Inf, and what the disk has no room for
  // (ResourceExhausted). This object must outlive it.
  absl::StatusOr<std::unique_ptr<Intake>> Begin(const PackedTensors& staged, HeldFrom from = {});

  // Lets go of all that have been taken in; what is still arriving stays.
  void Clear();
  // Lets go of the one that is first in their order. There is one.
  void DropFirst();

  const Manifest& layout() const { return update_; }
  size_t size() const { return held_.size(); }
  std::vector<HeldFrom> From() const;  // of all, in their order
  uint64_t memory_bytes() const;       // taken, also by what is still arriving
  uint64_t spilled_bytes() const;      // of the file

  // Updates, to be read front to back. They come in the order of their leaves, whatever that of
  // their arrival was: what is made of them cannot depend on it, and ties go to the lowest leaf.
  // Nothing is added while it lives. For another pass another view is opened.
  class View {
   public:
    std::span<const std::byte> bytes(size_t update) const { return updates_[update]; }
    const HeldFrom& from(size_t update) const { return from_[update]; }
    size_t size() const { return updates_.size(); }
    // Bytes of all updates before `offset` will not be read again.
    void Passed(uint64_t offset);

   private:
    friend class HeldUpdates;
    std::vector<std::span<const std::byte>> updates_;
    std::vector<HeldFrom> from_;
    std::vector<uint64_t> spilled_at_;  // where in the file
    std::unique_ptr<SpillFile::Mapping> mapping_;
    uint64_t window_ = 0;
    uint64_t passed_ = 0;
  };
  absl::StatusOr<View> Open() const;
  // Only some of the updates that Open() gives, by their numbers there.
  absl::StatusOr<View> Open(std::span<const size_t> which) const;
  // Only the one that is first in their order. There is one.
  absl::StatusOr<View> OpenFirst() const;

 private:
  class HoldingIntake;
  // Where an update is: in a block, or in the file.
  struct Place {
    bool in_memory = true;
    uint64_t offset = 0;
  };
  struct Held {
    Place place;
    PackedTensors tensors;  // in memory
    HeldFrom from;
  };
  std::vector<const Held*> InOrder() const;
  absl::StatusOr<View> ViewOf(std::span<const Held* const> some) const;
  absl::StatusOr<Place> TakePlace();
  void GiveBack(const Place& place);

  const Manifest update_;
  const HoldLimits limits_;
  std::vector<Held> held_;

  mutable std::mutex mutex_;  // of what follows: intakes may end on other threads
  uint64_t memory_bytes_ = 0;
  std::unique_ptr<SpillFile> file_;    // null while there was no need
  uint64_t file_bytes_ = 0;            // that are or were taken
  std::vector<uint64_t> free_places_;  // in the file
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_HELD_HELD_UPDATES_H_
