// What a learner can do wrong, under every policy of the registry: where the policy can close
// without it the run goes on, and the record has the node, the round and the reason with the
// tensor; where it cannot, the run ends as failed with one line that says all of that.
#include <ATen/ATen.h>

#include <condition_variable>
#include <functional>
#include <limits>
#include <mutex>
#include <set>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "skein/federation/federation.h"

namespace skein {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr uint64_t kMaxSamples = 100;

// Trains nothing, or what a test makes of that.
using Behavior =
    std::function<absl::StatusOr<TrainResult>(const StateDict& model, TrainContext& context)>;

absl::StatusOr<TrainResult> Unchanged(const StateDict& model, TrainContext&) {
  return TrainResult{model, 10, {{"loss", 1.0}}};
}

using Evaluation = std::function<absl::StatusOr<EvalResult>()>;

class Faulty : public Learner {
 public:
  Faulty(Behavior behavior, Evaluation evaluation)
      : behavior_(std::move(behavior)), evaluation_(std::move(evaluation)) {}
  absl::StatusOr<StateDict> Initialize(InitContext&) override {
    StateDict model;
    SKEIN_RETURN_IF_ERROR(model.Add("layer.weight", at::zeros({2, 3})));
    SKEIN_RETURN_IF_ERROR(model.Add("norm.mean", at::zeros({4}), TensorRole::kBuffer));
    SKEIN_RETURN_IF_ERROR(model.Add("steps", at::zeros({}, at::kLong), TensorRole::kBuffer));
    return model;
  }
  absl::StatusOr<TrainResult> Train(const StateDict& global, TrainContext& context) override {
    return behavior_(global, context);
  }
  absl::StatusOr<EvalResult> Evaluate(const StateDict&, EvalContext&) override {
    return evaluation_ ? evaluation_() : EvalResult{1, {{"loss", 1.0}}};
  }

 private:
  const Behavior behavior_;
  const Evaluation evaluation_;  // null: well
};

// The model with one tensor in the place of another.
absl::StatusOr<TrainResult> With(const StateDict& model, const std::string& name,
                                 const at::Tensor& tensor, const std::string& renamed = "") {
  TrainResult result{{}, 10, {}};
  for (const StateDict::Entry& entry : model.entries()) {
    const bool chosen = entry.name == name;
    SKEIN_RETURN_IF_ERROR(result.model.Add(chosen && !renamed.empty() ? renamed : entry.name,
                                           chosen ? tensor : entry.tensor, entry.role));
  }
  return result;
}

struct Fault {
  const char* name;
  Behavior behavior;
  const char* event;
  std::vector<std::string> words;  // of the reason
};

Fault Returns(const char* name, const char* tensor, at::Tensor instead,
              std::vector<std::string> words) {
  return {name, [=](const StateDict& model, TrainContext&) { return With(model, tensor, instead); },
          event::kUpdateRejected, std::move(words)};
}

Fault ReturnsSamples(const char* name, uint64_t samples, std::vector<std::string> words) {
  return {name,
          [=](const StateDict& model, TrainContext&) -> absl::StatusOr<TrainResult> {
            return TrainResult{model, samples, {}};
          },
          event::kUpdateRejected, std::move(words)};
}

at::Tensor Weight(int64_t index, float value) {
  at::Tensor weight = at::zeros({2, 3});
  weight.flatten()[index] = value;
  return weight;
}

std::vector<Fault> Faults() {
  const std::string who = "worker 'w3', learner 'learner', round ";
  return {
      {"another name",
       [](const StateDict& model, TrainContext&) {
         return With(model, "layer.weight", at::zeros({2, 3}), "layer.wieght");
       },
       event::kUpdateRejected,
       {who, "returned tensor 'layer.wieght', which the model does not have"}},
      {"a tensor less",
       [](const StateDict& model, TrainContext&) -> absl::StatusOr<TrainResult> {
         TrainResult result{{}, 10, {}};
         SKEIN_RETURN_IF_ERROR(result.model.Add("layer.weight", *model.Get("layer.weight")));
         SKEIN_RETURN_IF_ERROR(result.model.Add("steps", *model.Get("steps")));
         return result;
       },
       event::kUpdateRejected,
       {who, "did not return tensor 'norm.mean' of the model"}},
      Returns("another shape", "layer.weight", at::zeros({3, 2}),
              {who, "tensor \"layer.weight\": expected F32[2,3], got F32[3,2]"}),
      Returns("another type", "steps", at::zeros({}, at::kInt),
              {who, "tensor \"steps\": expected I64[], got I32[]"}),
      Returns("NaN", "layer.weight", Weight(4, kNan), {"tensor 'layer.weight' has NaN at index 4"}),
      Returns("Inf", "layer.weight", Weight(5, kInf), {"tensor 'layer.weight' has Inf at index 5"}),
      Returns("-Inf in a buffer", "norm.mean", at::full({4}, -kInf),
              {"tensor 'norm.mean' has Inf at index 0"}),
      Returns("beyond the bound", "layer.weight", Weight(3, 1e6F),
              {"tensor 'layer.weight' has 1e+06, beyond its bound 2^0, at index 3"}),
      ReturnsSamples("too many samples", kMaxSamples + 1, {who, "num_samples 101", "1 to 100"}),
      ReturnsSamples("no samples", 0, {who, "num_samples 0", "1 to 100"}),
      {"an exception of several lines",
       [](const StateDict&, TrainContext&) -> absl::StatusOr<TrainResult> {
         throw std::runtime_error("the camera\n  is gone\n");
       },
       event::kWorkerLeftOut,
       {who, "exception: the camera is gone"}},
      {"an exception of libtorch",
       [](const StateDict& model, TrainContext&) -> absl::StatusOr<TrainResult> {
         at::mm(*model.Get("layer.weight"), *model.Get("layer.weight"));
         return absl::UnknownError("not reached");
       },
       event::kWorkerLeftOut,
       {who, "libtorch: mat1 and mat2 shapes cannot be multiplied"}},
      {"an exception that is none",
       [](const StateDict&, TrainContext&) -> absl::StatusOr<TrainResult> { throw 42; },
       event::kWorkerLeftOut,
       {who, "exception that is no std::exception"}},
      {"a data file that is gone",
       [](const StateDict&, TrainContext&) -> absl::StatusOr<TrainResult> {
         return absl::NotFoundError("data/images-3.bin: no such file");
       },
       event::kWorkerLeftOut,
       {who, "data/images-3.bin: no such file"}},
  };
}

// Four workers under the root, or two by two under sites that have the policy.
struct Case {
  PartSpec policy;
  uint64_t rounds = 3;
  bool sites = false;
  bool needs_every_worker = false;  // so that no round closes without one
  std::string name() const { return policy.name + (sites ? "AtSites" : ""); }
};

// They close when all have answered, so that what has failed is told in each round.
std::vector<Case> Cases() {
  return {
      {{"all", {}}, 3, false, true},
      {{"quorum", {{"count", 2}, {"deadline_s", 60.0}}}},
      {{"over_select", {{"factor", 1.0}, {"min_fraction", 0.5}}}},
      {{"buffered", {{"size", 2}}}, 8},
      {{"every_update", {}}, 16},
      {{"interval", {{"period_s", 0.005}}}, 6},
      {{"tiered", {{"groups", 2}, {"regroup_every", 2}}}, 6},
      {{"fedcompass", {}}, 6},  // at the root only
      {{"all", {}}, 3, true, true},
      {{"quorum", {{"count", 1}, {"deadline_s", 60.0}}}, 3, true},
      {{"over_select", {{"factor", 1.0}, {"min_fraction", 0.5}}}, 3, true},
      {{"buffered", {{"size", 1}}}, 16, true},
      {{"every_update", {}}, 16, true},
      {{"interval", {{"period_s", 0.005}}}, 16, true},
      {{"tiered", {{"groups", 1}, {"weights", "none"}}}, 16, true},
  };
}

// They do not wait for one that does not answer, and lose patience soon if nobody does.
std::vector<Case> Patient(double patience_s) {
  const auto with = [=](const char* name, ValueMap params) {
    params["timeout_s"] = patience_s;
    return PartSpec{name, std::move(params)};
  };
  return {{with("all", {}), 3, false, true},
          {with("quorum", {{"count", 3}})},
          {{"over_select", {{"factor", 1.3}, {"deadline_s", patience_s}}}},
          {with("buffered", {{"size", 2}}), 8},
          {with("every_update", {}), 16},
          {with("interval", {{"period_s", 0.005}}), 6},
          {with("tiered", {{"groups", 2}, {"regroup_every", 2}}), 6},
          {with("fedcompass", {}), 6}};
}

class Events : public EventSink {
 public:
  void OnEvent(const Event& event) override {
    std::lock_guard lock(mutex_);
    events_.push_back(event);
    if (event.node == "w3") heard_of_w3_ = heard_of_w3_ || IsFault(event);
    heard_.notify_all();
  }
  void WaitForAFaultOfW3() {
    std::unique_lock lock(mutex_);
    heard_.wait(lock, [this] { return heard_of_w3_; });
  }
  std::vector<Event> Of(const std::string& type) const {
    std::lock_guard lock(mutex_);
    std::vector<Event> found;
    for (const Event& event : events_) {
      if (event.type == type) found.push_back(event);
    }
    return found;
  }
  // Those of one node: what it sits under, and others that wait with it, may be left out in turn.
  std::vector<Event> OfNode(const NodeId& node, const std::string& type) const {
    std::vector<Event> found = Of(type);
    std::erase_if(found, [&](const Event& event) { return event.node != node; });
    return found;
  }

 private:
  static bool IsFault(const Event& event) {
    return event.type == event::kUpdateRejected || event.type == event::kWorkerLeftOut;
  }

  mutable std::mutex mutex_;
  std::condition_variable heard_;
  std::vector<Event> events_;
  bool heard_of_w3_ = false;
};

std::string ReasonOf(const Event& event) {
  const auto it = event.fields.find("reason");
  return it == event.fields.end() ? "" : *it->second.AsString();
}

void ExpectOneLineWith(const std::string& text, const std::vector<std::string>& words) {
  EXPECT_THAT(text, Not(HasSubstr("\n")));
  for (const std::string& word : words) EXPECT_THAT(text, HasSubstr(word));
}

class LearnerFaults : public ::testing::TestWithParam<Case> {
 protected:
  // What is not as it should be, at the workers of `leaves`.
  struct Faultiness {
    std::set<LeafIndex> leaves;
    Behavior train = Unchanged;
    std::function<absl::Status()> make;                                    // a learner
    std::function<absl::StatusOr<EvalResult>(bool coordinator)> evaluate;  // at all nodes
    bool others_wait = false;  // until it is known that worker 3 has failed
  };
  RunResult Run(const Faultiness& faultiness, EvaluateSpec evaluate = {}) {
    events_ = std::make_shared<Events>();
    FederationOptions options;
    options.rounds = GetParam().rounds;
    options.threads = 4;
    options.events = events_;
    options.learner_options.max_samples = kMaxSamples;
    options.evaluate = evaluate;
    options.limits.cancel_grace = options.limits.heartbeat_interval =
        std::chrono::milliseconds(100);
    auto federation = Federation::Create(
        GetParam().sites ? "tree:2x2" : "flat:4", Strategy(),
        [faultiness, events = events_](
            const WorkerContext& context) -> absl::StatusOr<std::unique_ptr<Learner>> {
          const bool bad = !context.is_coordinator && faultiness.leaves.contains(context.leaf);
          if (bad && faultiness.make) SKEIN_RETURN_IF_ERROR(faultiness.make());
          Evaluation evaluation;
          if (faultiness.evaluate && (bad || context.is_coordinator)) {
            evaluation = [faultiness, coordinator = context.is_coordinator] {
              return faultiness.evaluate(coordinator);
            };
          }
          Behavior good = Unchanged;
          if (faultiness.others_wait) {
            good = [events](const StateDict& model, TrainContext& task) {
              events->WaitForAFaultOfW3();
              return Unchanged(model, task);
            };
          }
          return std::make_unique<Faulty>(bad ? faultiness.train : good, evaluation);
        },
        options);
    EXPECT_TRUE(federation.ok()) << federation.status();
    auto result = (*federation)->Run();
    EXPECT_TRUE(result.ok()) << result.status();
    return *std::move(result);
  }
  bool HasBarrier() const {
    Registries registries;
    RegisterBuiltins(registries);
    return (*registries.strategies.policies.Create(GetParam().policy))->has_barrier();
  }
  // No committed round or version has worker 3 in it.
  void ExpectNothingOfW3() const {
    for (const char* type : {event::kRoundCommitted, event::kVersionCommitted}) {
      for (const Event& event : events_->Of(type)) {
        EXPECT_THAT(*event.fields.at("roster").AsString(), Not(HasSubstr("3")));
      }
    }
  }
  void ExpectCompleted(const RunResult& result) const {
    EXPECT_EQ(result.status, "completed") << result.reason;
    EXPECT_EQ(result.rounds, GetParam().rounds);
  }

  std::shared_ptr<Events> events_;

 private:
  StrategySpec Strategy() const {
    StrategySpec strategy;
    strategy.policy = GetParam().policy;
    // The root takes what comes, in rounds where the sites have such.
    const PartSpec root = HasBarrier() ? PartSpec{"all", {}} : PartSpec{"every_update", {}};
    if (GetParam().sites) strategy.tiers.push_back({.tier = 0, .policy = root});
    return strategy;
  }
};

TEST_P(LearnerFaults, OfOneWorkerDoNotEndARunThatCanCloseWithoutIt) {
  for (const Fault& fault : Faults()) {
    SCOPED_TRACE(fault.name);
    const RunResult result = Run({.leaves = {3}, .train = fault.behavior, .others_wait = true});
    const std::vector<Event> told = events_->OfNode("w3", fault.event);
    ASSERT_FALSE(told.empty());
    for (const Event& event : told) {
      EXPECT_EQ(*event.fields.at("parent").AsString(), GetParam().sites ? "a1" : "root");
      EXPECT_GE(event.round, 1u);
      const std::string reason = ReasonOf(event);
      ExpectOneLineWith(reason, fault.words);
      if (reason.find(", round ") != reason.npos) {
        EXPECT_THAT(reason, HasSubstr(", round " + std::to_string(event.round) + ": "));
      }
    }
    const bool rejected = fault.event == std::string(event::kUpdateRejected);
    EXPECT_EQ(result.rejected, rejected ? told.size() : 0);
    ExpectNothingOfW3();
    if (!GetParam().needs_every_worker) {
      ExpectCompleted(result);
      EXPECT_EQ(events_->Of(event::kUpdateRejected).size(), result.rejected);
      continue;
    }
    EXPECT_EQ(result.status, "failed");
    EXPECT_EQ(result.rounds, 0u);
    ExpectOneLineWith(result.reason, {"round 1: ", "'root'", "'w3' failed ("});
    ExpectOneLineWith(result.reason, fault.words);
  }
}

TEST_P(LearnerFaults, OfEveryWorkerEndTheRunWithOneLine) {
  for (const Fault& fault : Faults()) {
    SCOPED_TRACE(fault.name);
    const RunResult result = Run({.leaves = {0, 1, 2, 3}, .train = fault.behavior});
    EXPECT_EQ(result.status, "failed");
    EXPECT_EQ(result.rounds, 0u);
    std::vector<std::string> words = fault.words;
    if (words.size() > 1) words.erase(words.begin());  // who it was
    ExpectOneLineWith(result.reason, {"round 1: ", "'root'", "'w", "' failed ("});
    ExpectOneLineWith(result.reason, words);
  }
}

// Before there is a round, there is nothing to go on with.
TEST_P(LearnerFaults, ThatKeepALearnerFromBeingMadeEndTheRun) {
  const RunResult result = Run(
      {.leaves = {3}, .make = [] { return absl::NotFoundError("images-3.bin:\n no such file"); }});
  EXPECT_EQ(result.status, "failed");
  EXPECT_EQ(result.reason,
            "node 'w3' cannot start: worker 'w3', learner 'learner': images-3.bin: no such file");
}

TEST_P(LearnerFaults, InEvaluationAtTheCoordinatorEndTheRunWithOneLine) {
  const RunResult result = Run({.evaluate = [](bool) -> absl::StatusOr<EvalResult> {
                                 throw std::runtime_error("held-out.bin:\nno such file");
                               }},
                               {.coordinator = true, .every = 1});
  EXPECT_EQ(result.status, "failed");
  ExpectOneLineWith(result.reason, {"round 1: evaluation (coordinator): ", "'root'",
                                    "round 1, evaluation: exception: held-out.bin: no such file"});
}

TEST_P(LearnerFaults, InEvaluationAtAWorkerAreAsThoseInTraining) {
  if (!HasBarrier()) return;  // workers do not evaluate
  const RunResult result = Run({.leaves = {3},
                                .evaluate = [](bool) -> absl::StatusOr<EvalResult> {
                                  return absl::NotFoundError("images-3.bin: no such file");
                                }},
                               {.coordinator = false, .workers = true, .every = 1});
  const std::vector<Event> told = events_->OfNode("w3", event::kWorkerLeftOut);
  ASSERT_FALSE(told.empty());
  for (const Event& event : told) {
    EXPECT_EQ(*event.fields.at("task").AsString(), "evaluate");
    ExpectOneLineWith(ReasonOf(event),
                      {"worker 'w3', learner 'learner', round " + std::to_string(event.round) +
                       ", evaluation: images-3.bin: no such file"});
  }
  if (!GetParam().needs_every_worker) return ExpectCompleted(result);
  EXPECT_EQ(result.status, "failed");
  ExpectOneLineWith(result.reason, {"round 1: evaluation (workers): ", "'w3' failed ("});
}

// What is measured says nothing of the model, and may be anything.
TEST_P(LearnerFaults, MetricsThatAreNoNumbersHarmNobody) {
  const RunResult result =
      Run({.leaves = {3},
           .train = [](const StateDict& model, TrainContext&) -> absl::StatusOr<TrainResult> {
             return TrainResult{model, 10, {{"loss", kNan}, {"", kInf}, {"huge", 1e300}}};
           },
           .evaluate =
               [](bool) {
                 return EvalResult{1, {{"loss", kNan}, {"accuracy", -kInf}}};
               }},
          {.coordinator = true, .workers = HasBarrier(), .every = 1});
  ExpectCompleted(result);
}

INSTANTIATE_TEST_SUITE_P(Policies, LearnerFaults, ::testing::ValuesIn(Cases()),
                         [](const auto& tested) { return tested.param.name(); });

// Lets go of the threads when the test is over: they cannot be ended.
class Gate {
 public:
  void Wait() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return open_; });
  }
  void Open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

class LearnersThatHang : public LearnerFaults {
 protected:
  ~LearnersThatHang() override { gate_->Open(); }
  Behavior Hanging() const {
    return [gate = gate_](const StateDict& model, TrainContext&) -> absl::StatusOr<TrainResult> {
      gate->Wait();
      return TrainResult{model, 1, {}};
    };
  }

 private:
  const std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
};

using OneLearnerThatHangs = LearnersThatHang;
using AllLearnersThatHang = LearnersThatHang;

TEST_P(OneLearnerThatHangs, IsGoneOnWithoutWhereThatCanBe) {
  const RunResult result = Run({.leaves = {3}, .train = Hanging()});
  ExpectNothingOfW3();
  if (!GetParam().needs_every_worker) return ExpectCompleted(result);
  EXPECT_EQ(result.status, "failed");
  ExpectOneLineWith(result.reason, {"round 1: ", "did not answer within", "'w3' has not answered"});
}

TEST_P(AllLearnersThatHang, EndTheRunWithOneLine) {
  const RunResult result = Run({.leaves = {0, 1, 2, 3}, .train = Hanging()});
  EXPECT_EQ(result.status, "failed");
  EXPECT_EQ(result.rounds, 0u);
  ExpectOneLineWith(result.reason, {"round 1: 'root': ", "0.3 s"});
}

INSTANTIATE_TEST_SUITE_P(Policies, OneLearnerThatHangs, ::testing::ValuesIn(Patient(2)),
                         [](const auto& tested) { return tested.param.name(); });
INSTANTIATE_TEST_SUITE_P(Policies, AllLearnersThatHang, ::testing::ValuesIn(Patient(0.3)),
                         [](const auto& tested) { return tested.param.name(); });

TEST(LearnerFaultsTable, HasEveryPolicyOfTheRegistry) {
  Registries registries;
  RegisterBuiltins(registries);
  const std::vector<std::string> names = registries.strategies.policies.Names();
  for (const std::vector<Case>& cases : {Cases(), Patient(1)}) {
    std::set<std::string> listed;
    for (const Case& tested : cases) listed.insert(tested.policy.name);
    EXPECT_EQ(listed, std::set<std::string>(names.begin(), names.end()));
  }
}

}  // namespace
}  // namespace skein
