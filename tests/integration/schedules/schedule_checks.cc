#include "integration/schedules/schedule_checks.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace skein {
namespace {

using Entry = UpdateLedger::Entry;

uint64_t Count(const Event& event, const std::string& field) {
  return static_cast<uint64_t>(*event.fields.at(field).AsInt());
}

// Goes through the versions in order.
class Audit {
 public:
  Audit(const Schedule& schedule, const UpdateLedger& ledger)
      : config_(schedule.config), flat_(!schedule.has_local_rounds), ledger_(ledger) {
    RegisterBuiltinStrategies(strategies_);
    fold_ = strategies_.folds.Create(config_.strategy.fold).value();
    optimizer_ = strategies_.optimizers.Create(config_.strategy.optimizer).value();
    mixing_ = strategies_.mixing.Create(config_.strategy.mixing).value();
    staleness_ = strategies_.staleness.Create(config_.strategy.staleness).value();
    models_.push_back(UpdateLedger::InitialModel());
    hashes_[Checksum(models_[0].bytes())] = 0;
    const uint64_t contributions = schedule.has_barriers ? 1 : 16;
    numeric_ = MakeNumericPlan(models_[0], fold_->MaxUpdateWeight(UpdateLedger::kMaxSamples),
                               schedule.topology.num_workers() * contributions, fold_->MinBound())
                   .value();
  }

  void Version(const Event& event) {
    const uint64_t number = models_.size();
    SCOPED_TRACE("version " + std::to_string(number));
    ASSERT_EQ(Count(event, "version"), number) << "versions come one after another";
    std::vector<LeafIndex> leaves;
    uint64_t samples = 0;
    std::map<uint64_t, std::vector<const Entry*>> by_base;
    for (const auto& [name, value] : *event.fields.at("metrics").AsMap()) {
      const auto found = ledger_.entries().find(name);
      ASSERT_NE(found, ledger_.entries().end()) << name << " was never made";
      const Entry& entry = found->second;
      EXPECT_TRUE(entry.good) << name << " should have been refused";
      EXPECT_TRUE(counted_.insert(name).second) << name << " is in two versions";
      EXPECT_TRUE(tasks_.emplace(entry.leaf, entry.seq).second)
          << "task " << entry.seq << " of leaf " << entry.leaf << " is in twice";
      leaves.push_back(entry.leaf);
      samples += entry.samples;
      if (!flat_) continue;
      const auto base = hashes_.find(entry.base_hash);
      ASSERT_NE(base, hashes_.end()) << name << " was made from no version that there is";
      by_base[base->second].push_back(&entry);
    }
    const size_t updates = leaves.size();
    if (flat_) {
      EXPECT_EQ(Count(event, "samples"), samples) << "of other updates than it is said to have";
      EXPECT_EQ(*event.fields.at("roster").AsString(), Roster::Of(std::move(leaves)).ToString());
    }
    if (event.type == event::kVersionCommitted) ExpectBases(event, updates, by_base);
    if (flat_) MakeAnew(event, by_base);
    if (!flat_) models_.push_back(models_.back());
  }

  size_t versions() const { return models_.size() - 1; }
  const std::set<std::string>& counted() const { return counted_; }

 private:
  using ByBase = std::map<uint64_t, std::vector<const Entry*>>;

  void ExpectBases(const Event& event, size_t updates, const ByBase& by_base) {
    EXPECT_EQ(Count(event, "updates"), updates);
    ByBase::const_iterator expected = by_base.begin();
    const ValueList& bases = *event.fields.at("bases").AsList();
    ASSERT_EQ(bases.size(), by_base.size());
    for (const Value& base : bases) {
      EXPECT_EQ(*base.AsMap()->at("version").AsInt(), static_cast<int64_t>(expected->first));
      EXPECT_EQ(*base.AsMap()->at("updates").AsInt(),
                static_cast<int64_t>(expected->second.size()));
      ++expected;
    }
  }

  // In one flat fold of each base, mixed as the coordinator does.
  void MakeAnew(const Event& event, const ByBase& by_base) {
    const uint64_t newest = models_.size() - 1;
    std::vector<std::unique_ptr<Accumulator>> sums;
    std::vector<MixBucket> weights;
    for (const auto& [base, entries] : by_base) {
      EXPECT_LE(newest - base, staleness_->Max()) << "too stale";
      sums.push_back(fold_->NewAccumulator(models_[0].manifest(), numeric_));
      for (const Entry* entry : entries) {
        const UpdateHeader header{.leaf = entry->leaf,
                                  .seq = entry->seq,
                                  .base = {base, 0, 0},
                                  .num_samples = entry->samples};
        const absl::Status added =
            sums.back()->Add(header, UpdateLedger::UpdateOf(*entry, models_[base]));
        ASSERT_TRUE(added.ok()) << added;
      }
      weights.push_back({staleness_->Weight(newest - base), sums.back()->total_weight()});
    }
    ASSERT_FALSE(sums.empty()) << "a version of nothing";
    const std::vector<double> coefficients = mixing_->Coefficients(weights);
    const auto weight = event.fields.find("weight");  // of a group of children
    const double step = weight == event.fields.end() ? 1 : *weight->second.AsDouble();
    std::vector<MixPart> parts;
    auto base = by_base.begin();
    for (size_t i = 0; i < sums.size(); ++i, ++base) {
      const PackedTensors* model = mixing_->MixesModels() ? &models_[base->first] : nullptr;
      parts.push_back({sums[i].get(), coefficients[i] * step, model});
    }
    models_.push_back(fold_->Mix(models_.back(), parts, *optimizer_).value());
    hashes_[Checksum(models_.back().bytes())] = models_.size() - 1;
    const std::string& digest = *event.fields.at("digest").AsString();
    if (!digest.empty()) {
      EXPECT_EQ(ModelDigest(models_.back()), digest) << "is not what its updates make";
    }
  }

  const RunConfig& config_;
  const bool flat_;  // no local rounds: a version is a function of its updates
  const UpdateLedger& ledger_;
  StrategyRegistries strategies_;
  std::shared_ptr<const Fold> fold_;
  std::shared_ptr<ServerOptimizer> optimizer_;
  std::shared_ptr<const Mixing> mixing_;
  std::shared_ptr<const Staleness> staleness_;
  NumericPlan numeric_;
  std::vector<PackedTensors> models_;
  std::map<uint64_t, uint64_t> hashes_;  // to versions
  std::set<std::string> counted_;
  std::set<std::pair<LeafIndex, Seq>> tasks_;
};

// Counted is only what some parent has taken.
void ExpectAccepted(const SimFederation& federation, const Audit& audit, const UpdateLedger& ledger,
                    const Topology& topology) {
  std::set<std::pair<NodeId, uint64_t>> accepted;
  for (const Event& event : federation.EventsOf(event::kUpdateAccepted)) {
    accepted.emplace(event.node, Count(event, "seq"));
  }
  for (const std::string& name : audit.counted()) {
    const Entry& entry = ledger.entries().at(name);
    EXPECT_TRUE(accepted.contains({topology.worker(entry.leaf).id, entry.seq}))
        << name << " is counted and was not accepted";
  }
}

}  // namespace

void ExpectSound(const Schedule& schedule, const SimFederation& federation,
                 const UpdateLedger& ledger, const StagingWatch& staging) {
  const RunOutcome& outcome = federation.outcome();
  EXPECT_TRUE(outcome.status == "completed" || outcome.status == "failed") << outcome.status;
  EXPECT_EQ(outcome.status == "failed", !outcome.reason.empty()) << outcome.reason;
  // What is refused for its age may be what a barrier above waits for.
  if (schedule.harmless() && !schedule.bounds_staleness) {
    EXPECT_EQ(outcome.status, "completed") << outcome.reason;
  }

  Audit audit(schedule, ledger);
  for (const Event& event : federation.events()) {
    if (event.type != event::kRoundCommitted && event.type != event::kVersionCommitted) continue;
    audit.Version(event);
    if (::testing::Test::HasFatalFailure()) return;
    if (schedule.synchronous) {
      EXPECT_EQ(Count(event, "contributors"), schedule.topology.num_workers());
    }
  }
  EXPECT_EQ(audit.versions(), outcome.rounds);
  if (outcome.status == "completed") {
    EXPECT_EQ(outcome.rounds, schedule.config.rounds);
  }
  ExpectAccepted(federation, audit, ledger, schedule.topology);
  if (schedule.calm()) {
    for (const Event& event : federation.EventsOf(event::kWorkerLeftOut)) {
      const std::string& reason = *event.fields.at("reason").AsString();
      EXPECT_EQ(reason.find("no progress"), std::string::npos) << event.node << ": " << reason;
    }
  }

  const uint64_t budget = schedule.config.limits.staging_bytes;
  if (budget != 0) {
    EXPECT_LE(staging.most_bytes, budget);
  }
  // Two that are kept, one on its way, and on a bad network what is still in the pipe.
  EXPECT_LE(ledger.most_held(), schedule.calm() ? 3u : 8u);
}

}  // namespace skein
