#ifndef SKEIN_TESTS_INTEGRATION_SCHEDULES_UPDATE_LEDGER_H_
#define SKEIN_TESTS_INTEGRATION_SCHEDULES_UPDATE_LEDGER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "skein/runtime/trainer.h"

namespace skein {

// What the workers of a federation have trained, written down by the workers themselves. Each
// update bears its name as a metric, and metrics are merged as the updates are: what the
// coordinator says of a version's metrics tells which updates are in it, whatever else it says.
class UpdateLedger {
 public:
  struct Entry {
    LeafIndex leaf = 0;
    Seq seq = 0;
    uint64_t nonce = 0;      // no two trainings have the same
    uint64_t base_hash = 0;  // of the model that it was made from
    uint64_t samples = 0;
    bool good = true;  // one that is not must be refused
  };
  static constexpr uint64_t kMaxSamples = 1000;

  // Of three tensors: parameters, running values, a counter.
  static PackedTensors InitialModel();
  // What the entry's worker made of the model, the same each time.
  static PackedTensors UpdateOf(const Entry& entry, const PackedTensors& base);

  // A worker's trainer. `bad`: share of its updates that nobody should take.
  std::unique_ptr<Trainer> NewTrainer(LeafIndex leaf, double bad, uint64_t seed);

  const std::map<std::string, Entry>& entries() const { return entries_; }
  // Updates of one worker that somebody held on to at the same time, at most.
  size_t most_held() const { return most_held_; }

 private:
  class LedgerTrainer;
  std::map<std::string, Entry> entries_;
  std::map<LeafIndex, std::vector<std::weak_ptr<const void>>> held_;
  uint64_t nonces_ = 0;
  size_t most_held_ = 0;
};

}  // namespace skein

#endif  // SKEIN_TESTS_INTEGRATION_SCHEDULES_UPDATE_LEDGER_H_
