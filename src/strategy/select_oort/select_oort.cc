#include "strategy/select_oort/select_oort.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "skein/topology/attributes.h"
#include "strategy/losses.h"
#include "strategy/sampling.h"
#include "strategy/select_oort/utility.h"

namespace skein {
namespace {

struct OortParams {
  size_t count = 1;
  double exploration = 0.9, exploration_decay = 0.98, exploration_min = 0.2;
  double penalty = 2;
  double cutoff = 0.95;
  double clip = 0.95;
  uint64_t pacer_rounds = 20;
  std::optional<double> pacer_step_s;
  double percentile = 30, percentile_step = 5;
  uint64_t blacklist = 10;  // 0: nobody is ever
  std::string speed;
};

// Algorithm 1 of Lai et al. 2021. What the paper keeps between rounds, the pacer's preferred
// duration, the exploration's share and the blacklist, is worked out anew from the history each
// time: the same history gives the same choice, in whatever life of the control plane.
class SelectOort : public Selector {
 public:
  explicit SelectOort(OortParams params) : p_(std::move(params)) {}

  absl::StatusOr<Roster> Select(const SelectionInput& input) override {
    const std::vector<LeafIndex> leaves = input.available->Leaves();
    if (leaves.size() < p_.count) return TooFew(p_.count, leaves.size());
    SKEIN_RETURN_IF_ERROR(CheckLosses(input));
    std::vector<LeafIndex> known, unknown;
    for (const LeafIndex leaf : Allowed(input, leaves)) {
      (input.RecordOf(leaf).last_round != 0 ? known : unknown).push_back(leaf);
    }
    const double explore =
        Exploration(input.round, p_.exploration, p_.exploration_decay, p_.exploration_min);
    // The small addend keeps (1 - 0.9) * 10 at 1 in binary floating point.
    auto exploit = static_cast<size_t>((1 - explore) * static_cast<double>(p_.count) + 1e-9);
    exploit = std::min(exploit, known.size());
    // What one side lacks the other gives.
    const size_t explored = std::min(p_.count - exploit, unknown.size());
    exploit = p_.count - explored;
    std::vector<LeafIndex> chosen = Exploit(input, known, exploit);
    Rng rng = SelectionRng(input, 1);
    const auto speed = [&](LeafIndex leaf) { return SpeedOf(input, leaf); };
    for (const LeafIndex leaf : DrawByWeight(unknown, speed, explored, rng)) chosen.push_back(leaf);
    return Roster::Of(std::move(chosen));
  }

  size_t MinWorkers() const override { return p_.count; }
  size_t MaxWorkers(size_t) const override { return p_.count; }
  SelectionNeeds Needs() const override { return SelectionNeeds::kReports; }

 private:
  // Without those that were taken too often; of them the least often, if too few are left.
  std::vector<LeafIndex> Allowed(const SelectionInput& input,
                                 const std::vector<LeafIndex>& leaves) const {
    if (p_.blacklist == 0) return leaves;
    std::vector<LeafIndex> allowed;
    std::vector<std::pair<uint64_t, LeafIndex>> listed;
    for (const LeafIndex leaf : leaves) {
      const uint64_t times = input.RecordOf(leaf).times_taken;
      if (times < p_.blacklist) {
        allowed.push_back(leaf);
      } else {
        listed.emplace_back(times, leaf);
      }
    }
    if (allowed.size() >= p_.count) return allowed;
    std::sort(listed.begin(), listed.end());
    for (size_t i = 0; allowed.size() < p_.count; ++i) allowed.push_back(listed[i].second);
    std::sort(allowed.begin(), allowed.end());
    return allowed;
  }

  // In proportion to utility among those that come near the last one of the best.
  std::vector<LeafIndex> Exploit(const SelectionInput& input, const std::vector<LeafIndex>& known,
                                 size_t count) const {
    if (count == 0) return {};
    std::vector<double> statistical;
    for (const LeafIndex leaf : known) {
      statistical.push_back(StatisticalUtility(input.RecordOf(leaf)));
    }
    const double most = Quantile(statistical, p_.clip);
    const double preferred = PreferredSeconds(input);
    std::map<LeafIndex, double> utility;
    std::vector<double> sorted;
    for (size_t i = 0; i < known.size(); ++i) {
      const WorkerRecord& record = input.RecordOf(known[i]);
      const double value =
          (std::min(statistical[i], most) + TemporalUncertainty(input.round, record.last_round)) *
          SystemUtility(preferred, record.seconds, p_.penalty);
      utility[known[i]] = value;
      sorted.push_back(value);
    }
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    const double cutoff = p_.cutoff * sorted[count - 1];
    std::vector<LeafIndex> near;
    for (const LeafIndex leaf : known) {
      if (utility[leaf] >= cutoff) near.push_back(leaf);
    }
    Rng rng = SelectionRng(input, 0);
    return DrawByWeight(
        near, [&](LeafIndex leaf) { return utility[leaf]; }, count, rng);
  }

  // T of the pacer. In seconds, the paper's: a step more each time it lets go. Without seconds, as
  // the authors' program has it: a percentile of what tasks have taken, and some points more.
  double PreferredSeconds(const SelectionInput& input) const {
    const auto steps =
        static_cast<double>(PacerSteps(input.history->utilities(), input.round, p_.pacer_rounds));
    if (p_.pacer_step_s) return *p_.pacer_step_s * (1 + steps);
    const double percentile = p_.percentile + p_.percentile_step * steps;
    if (percentile >= 100) return std::numeric_limits<double>::infinity();
    std::vector<double> seconds;
    for (LeafIndex leaf = 0; leaf < input.num_workers; ++leaf) {
      const WorkerRecord& record = input.RecordOf(leaf);
      if (record.last_round != 0) seconds.push_back(record.seconds);
    }
    return Quantile(std::move(seconds), percentile / 100);
  }

  double SpeedOf(const SelectionInput& input, LeafIndex leaf) const {
    if (input.topology == nullptr) return 1;
    const Value* speed = FindAttribute(*input.topology, input.topology->worker(leaf), p_.speed);
    if (speed == nullptr) return 1;
    if (const int64_t* whole = speed->AsInt()) return static_cast<double>(*whole);
    return speed->AsDouble() != nullptr ? *speed->AsDouble() : 1;
  }

  const OortParams p_;
};

ParamSpec Share(const std::string& name, double value, const std::string& doc) {
  return {.name = name,
          .type = ParamSpec::Type::kReal,
          .default_value = value,
          .min = 0,
          .max = 1,
          .choices = {},
          .doc = doc};
}

ParamSpec Whole(const std::string& name, Value value, double min, const std::string& doc) {
  return {.name = name,
          .type = ParamSpec::Type::kInt,
          .default_value = value,
          .required = value.is_null(),
          .min = min,
          .max = 1e9,
          .choices = {},
          .doc = doc};
}

ParamSpec Real(const std::string& name, Value value, double min, double max,
               const std::string& doc) {
  return {.name = name,
          .type = ParamSpec::Type::kReal,
          .default_value = std::move(value),
          .min = min,
          .max = max,
          .choices = {},
          .doc = doc};
}

ParamSchema Schema() {
  return ParamSchema(
      {Whole("count", {}, 1, "workers a round"),
       Share("exploration", 0.9, "share of the first round for workers that are not known"),
       Share("exploration_decay", 0.98, "its factor from round to round"),
       Share("exploration_min", 0.2, "it goes no lower"),
       Real("penalty", 2.0, 0, 100, "exponent for workers slower than preferred"),
       Share("cutoff", 0.95, "workers count with so much of the last best one's utility"),
       Share("clip", 0.95, "utilities are clipped at this quantile"),
       Whole("pacer_rounds", 20, 1, "after so many rounds the pacer looks back"),
       Real("pacer_step_s", {}, 1e-6, 1e9,
            "seconds that are preferred at first and are added by the pacer; else percentiles"),
       Real("percentile", 30.0, 0, 100, "of the tasks' durations, that is preferred at first"),
       Real("percentile_step", 5.0, 0, 100, "points that the pacer adds"),
       Whole("blacklist", 10, 0, "a worker taken so often is taken no more; 0: it is"),
       {.name = "speed",
        .type = ParamSpec::Type::kString,
        .default_value = "speed",
        .choices = {},
        .doc = "attribute in proportion to which unknown workers are drawn; without it, 1"}});
}

}  // namespace

absl::Status RegisterSelectOort(StrategyRegistries& registries) {
  return registries.selectors.Register(
      {.name = "oort",
       .summary = "workers that are useful, quick, or not known yet",
       .source = "Lai et al. 2021, arXiv 2010.06081",
       .schema = Schema()},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<Selector>> {
        OortParams p;
        p.count = static_cast<size_t>(params.Int("count"));
        p.exploration = params.Real("exploration");
        p.exploration_decay = params.Real("exploration_decay");
        p.exploration_min = params.Real("exploration_min");
        p.penalty = params.Real("penalty");
        p.cutoff = params.Real("cutoff");
        p.clip = params.Real("clip");
        p.pacer_rounds = static_cast<uint64_t>(params.Int("pacer_rounds"));
        if (params.Has("pacer_step_s")) p.pacer_step_s = params.Real("pacer_step_s");
        p.percentile = params.Real("percentile");
        p.percentile_step = params.Real("percentile_step");
        p.blacklist = static_cast<uint64_t>(params.Int("blacklist"));
        p.speed = params.String("speed");
        return std::make_shared<SelectOort>(std::move(p));
      });
}

}  // namespace skein
