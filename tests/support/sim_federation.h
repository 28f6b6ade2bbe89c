#ifndef SKEIN_TESTS_SUPPORT_SIM_FEDERATION_H_
#define SKEIN_TESTS_SUPPORT_SIM_FEDERATION_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "skein/builtins/codecs.h"
#include "skein/builtins/strategies.h"
#include "skein/control/control_plane.h"
#include "skein/runtime/node.h"
#include "skein/tensor/digest.h"
#include "skein/testing/direct_control.h"
#include "skein/testing/faulty_transport.h"
#include "skein/testing/sim_executor.h"
#include "skein/testing/wire_transport.h"
#include "support/formula_trainer.h"

namespace skein {

inline Topology Tree(const std::string& shape) { return Topology::FromShape(shape).value(); }

// A whole federation in virtual time and one thread: the nodes, cores, transfers and control plane
// of production, under an executor, a network and learners that the test owns. What happens is a
// function of the options.
class SimFederation : public EventSink {
 public:
  struct Options {
    Topology topology;
    RunConfig config;
    testing::FaultPlan faults;  // none: a perfect network
    // Around the network, if it is to be watched.
    std::function<std::shared_ptr<Transport>(std::shared_ptr<Transport>)> watch;
    Duration control_latency = std::chrono::milliseconds(1);
    // How long the n-th work of a node takes (its first is to make its learner), and whether it
    // ever returns. Null: no time, always.
    std::function<testing::Simulation::TaskModel(const NodeId&)> work;
    // Another trainer for some nodes; null result: the formula's.
    std::function<std::unique_ptr<Trainer>(const NodeView&)> trainer;
    StopRules stop;
    std::shared_ptr<Steering> steering;
    std::function<void(StrategyRegistries&)> parts;  // further ones
  };

  static RunConfig Config(uint64_t rounds, uint64_t seed = 1) {
    RunConfig config;
    config.run_id = "sim";
    config.name = "sim";
    config.learner.name = "formula";
    config.rounds = rounds;
    config.seed = seed;
    config.evaluate = {.coordinator = true, .workers = true, .every = 2};
    return config;
  }

  explicit SimFederation(Options options)
      : options_(std::move(options)), store_(OpenSqliteStore(":memory:").value()) {
    RegisterBuiltinStrategies(strategies_);
    RegisterBuiltinCodecs(strategies_.codecs);
    if (options_.parts) options_.parts(strategies_);
    transport_ = testing::MakeWireTransport(MakeInprocTransport());
    if (options_.faults) transport_ = testing::MakeFaultyTransport(transport_, options_.faults);
    if (options_.watch) transport_ = options_.watch(transport_);
    std::shared_ptr<EventSink> sink(std::shared_ptr<void>(), this);  // outlives the plane's use
    plane_ = ControlPlane::Create(
                 {options_.config, options_.topology, "", "", options_.stop, options_.steering},
                 sim_.NewExecutor(), store_, sink, &strategies_)
                 .value();
    control_ = std::make_shared<testing::DirectControl>(plane_, options_.control_latency);
    plane_->Start([this](RunOutcome outcome) { outcome_ = std::move(outcome); });
    for (const TopologyNode& node : options_.topology.nodes()) StartNode(node.id);
  }

  ~SimFederation() override {
    plane_->RequestStop("the test is over");
    for (auto& [id, node] : nodes_) node->Kill();
    sim_.RunFor(std::chrono::minutes(10));  // whatever is left lets go of its owners
  }

  // Starts a node, or another life of one.
  void StartNode(const NodeId& id) {
    const TopologyNode& node = options_.topology.node(*options_.topology.Find(id));
    NodeServices services{.executor = sim_.NewExecutor(),
                          .transport = transport_,
                          .control = control_,
                          .trainers = sim_.NewTaskRunner(
                              options_.work ? options_.work(id) : testing::Simulation::TaskModel{}),
                          .strategies = &strategies_,
                          .trainer_factory = [this](const RunConfig& config, const NodeView& view)
                              -> absl::StatusOr<std::unique_ptr<Trainer>> {
                            if (options_.trainer) {
                              if (auto made = options_.trainer(view)) return made;
                            }
                            return std::make_unique<FormulaTrainer>(config.seed, view.leaf_begin);
                          },
                          .max_samples = [](const std::string&) { return kFormulaMaxSamples; }};
    NodeOptions options{.id = id, .role = node.role, .incarnation = ++lives_};
    nodes_[id] = MakeNode(std::move(services), std::move(options));
    nodes_[id]->Start([](absl::Status) {});
  }
  // The node's process dies: no good-byes.
  void Kill(const NodeId& id) { nodes_.at(id)->Kill(); }

  // Runs to the end of the federation; false if it has none within `limit` and `steps`.
  bool Run(Duration limit = std::chrono::hours(24), uint64_t steps = UINT64_MAX) {
    sim_.RunUntil([&] { return outcome_.has_value() || sim_.steps() > steps; }, limit);
    return outcome_.has_value();
  }

  testing::Simulation& simulation() { return sim_; }
  const RunOutcome& outcome() const { return *outcome_; }
  const std::vector<Event>& events() const { return events_; }
  std::vector<Event> EventsOf(const std::string& type) const {
    std::vector<Event> found;
    for (const Event& event : events_) {
      if (event.type == type) found.push_back(event);
    }
    return found;
  }
  std::vector<RoundRecord> CommittedRounds() const {
    std::vector<RoundRecord> committed;
    auto rounds = store_->Rounds(options_.config.run_id).value();
    for (RoundRecord& round : rounds) {
      if (round.state == "committed") committed.push_back(std::move(round));
    }
    return committed;
  }
  // Of the last committed model.
  std::string Digest() const {
    const auto rounds = CommittedRounds();
    return rounds.empty() ? "" : rounds.back().digest;
  }

  // Makes every committed model anew from the rosters alone, in one flat fold, and compares
  // digests. For strategies with one local round.
  void ExpectReproducible() const {
    const RunConfig& config = options_.config;
    const auto fold = strategies_.folds.Create(config.strategy.fold).value();
    const auto optimizer = strategies_.optimizers.Create(config.strategy.optimizer).value();
    PackedTensors model = FormulaModel();
    const NumericPlan plan = MakeNumericPlan(model, fold->MaxUpdateWeight(kFormulaMaxSamples),
                                             options_.topology.num_workers(), fold->MinBound())
                                 .value();
    for (const RoundRecord& round : CommittedRounds()) {
      SCOPED_TRACE("round " + std::to_string(round.round));
      EXPECT_TRUE(round.contributors.IsSubsetOf(round.participants));
      const auto sums = fold->NewAccumulator(model.manifest(), plan);
      for (const LeafIndex leaf : round.contributors.Leaves()) {
        const UpdateHeader header{.leaf = leaf,
                                  .seq = round.seq_first,
                                  .round = round.round,
                                  .base = round.base,
                                  .num_samples = FormulaSamples(config.seed, leaf)};
        const absl::Status added =
            sums->Add(header, FormulaUpdate(config.seed, leaf, round.seq_first, model));
        ASSERT_TRUE(added.ok()) << added;
      }
      model = sums->Finish(model, *optimizer).value();
      ASSERT_EQ(ModelDigest(model), round.digest);
    }
  }

  void OnEvent(const Event& event) override { events_.push_back(event); }

 private:
  const Options options_;
  testing::Simulation sim_;
  StrategyRegistries strategies_;
  std::shared_ptr<RunStore> store_;
  std::shared_ptr<Transport> transport_;
  std::vector<Event> events_;
  std::optional<RunOutcome> outcome_;
  std::shared_ptr<ControlPlane> plane_;
  std::shared_ptr<testing::DirectControl> control_;
  std::map<NodeId, std::shared_ptr<Node>> nodes_;
  Incarnation lives_ = 0;
};

}  // namespace skein

#endif  // SKEIN_TESTS_SUPPORT_SIM_FEDERATION_H_
