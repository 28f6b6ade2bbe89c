#include "simulation/core_federation.h"

#include <utility>

#include "control/scheduler_setup.h"
#include "skein/base/status.h"

namespace skein {
namespace {

// Time-outs that tell a slow machine or a dead node: here whoever is away says so.
RunConfig Virtual(RunConfig config) {
  config.limits.heartbeat_timeout = VirtualRun::kLongest;
  config.limits.upload_stall_timeout = VirtualRun::kLongest;
  config.evaluate = {.coordinator = false, .workers = false, .every = 0};
  return config;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CoreFederation>> CoreFederation::Create(
    CoreFederationOptions options) {
  options.config = Virtual(std::move(options.config));
  std::unique_ptr<CoreFederation> federation(new CoreFederation(std::move(options)));
  SKEIN_RETURN_IF_ERROR(federation->Build());
  return federation;
}

CoreFederation::~CoreFederation() = default;

absl::Status CoreFederation::Build() {
  const RunConfig& config = options_.config;
  const Topology& topology = *options_.topology;
  if (config.conditions.model_mb <= 0) {
    return absl::InvalidArgumentError(
        "conditions.model_mb: without learners, how large a model is must be said; give it, as in "
        "--set conditions.model_mb=0.25");
  }
  world_.simulation = &simulation_;
  world_.control = this;
  world_.topology = options_.topology;
  world_.strategies = options_.strategies;
  world_.config = config;
  world_.sizes = FrameSizes(static_cast<uint64_t>(config.conditions.model_mb * 1e6));
  SKEIN_ASSIGN_OR_RETURN(world_.conditions,
                         ConditionsModel::Create(config.conditions, config.seed,
                                                 topology.num_workers(), topology.num_tiers()));
  SKEIN_ASSIGN_OR_RETURN(std::shared_ptr<Selector> selector,
                         options_.strategies->selectors.Create(config.strategy.selector));
  SKEIN_ASSIGN_OR_RETURN(
      SchedulerSetup setup,
      MakeSchedulerSetup({config, options_.topology, options_.stop, nullptr}, options_.strategies));
  scheduler_ = std::make_unique<SchedulerCore>(std::move(setup), std::move(selector));
  traffic_ = std::make_unique<Traffic>(options_.topology);

  world_.traffic.resize(static_cast<size_t>(topology.num_tiers() - 1));
  reporters_.resize(world_.traffic.size());
  places_.resize(topology.nodes().size());
  workers_.reserve(topology.num_workers());
  // Children come after their parents.
  for (size_t node = places_.size(); node-- > 0;) {
    const TopologyNode& place = topology.node(node);
    if (place.role == NodeRole::kWorker) {
      workers_.push_back(std::make_unique<CoreWorker>(&world_, node));
      places_[node].worker = workers_.back().get();
      continue;
    }
    reporters_[static_cast<size_t>(place.tier)] = node;
    std::vector<CoreChild*> children;
    for (const size_t child : place.children) children.push_back(Child(child));
    if (node == 0) {
      root_ = std::make_unique<CoreCoordinator>(&world_, std::move(children));
    } else {
      places_[node].aggregator =
          std::make_unique<CoreAggregator>(&world_, node, std::move(children));
    }
  }
  return absl::OkStatus();
}

CoreParent* CoreFederation::Parent(size_t node) {
  return node == 0 ? static_cast<CoreParent*>(root_.get()) : places_[node].aggregator.get();
}

CoreChild* CoreFederation::Child(size_t node) {
  const Place& place = places_[node];
  return place.worker != nullptr ? static_cast<CoreChild*>(place.worker) : place.aggregator.get();
}

RunOutcome CoreFederation::Run() {
  Feed(scheduler::RunStarted{});
  for (size_t node = 0; node < places_.size(); ++node) Register(node);
  run_.Run(
      simulation_, [this] { return outcome_.has_value(); },
      [this](const std::string& why) { Feed(scheduler::StopRequested{why}); },
      VirtualRun::kLongest);
  return outcome_.value_or(RunOutcome{"failed", "the run did not end", 0});
}

void CoreFederation::Register(size_t node) {
  RegisterMsg message{options_.topology->node(node).id, ++lives_, "", 0, std::nullopt};
  if (Parent(node) != nullptr) message.address = "simulated";
  if (CoreWorker* worker = places_[node].worker) worker->Begin();
  simulation_.At(simulation_.Now(), [this, node, message = std::move(message)] {
    Feed(scheduler::NodeRegistered{node + 1, message});
  });
}

// ---- what nodes say ----

void CoreFederation::Tell(size_t node, NodeMessage message) {
  // Alone, not as the variant: millions may wait.
  std::visit(
      [&](auto& said) {
        simulation_.At(simulation_.Now(),
                       [this, node, said = std::move(said)] { From(node, said); });
      },
      message);
}

void CoreFederation::From(size_t node, const AttachedMsg& m) {
  Feed(scheduler::NodeAttached{options_.topology->node(node).id, m.epoch});
}
void CoreFederation::From(size_t node, const RoundResultMsg& m) {
  CountTraffic();
  Feed(scheduler::RoundResult{options_.topology->node(node).id, m, traffic_->Tiers()});
}
void CoreFederation::From(size_t node, const FinishedMsg& m) {
  Feed(scheduler::Finished{options_.topology->node(node).id, m});
}
void CoreFederation::From(size_t node, const ModelReadyMsg& m) {
  Feed(scheduler::ModelReady{options_.topology->node(node).id, m});
}
void CoreFederation::From(size_t node, const GoodbyeMsg& m) {
  Feed(scheduler::NodeGoodbye{options_.topology->node(node).id, m});
}

void CoreFederation::Report(size_t, Event event) { Emit(std::move(event)); }

// ---- the scheduler's decisions ----

void CoreFederation::Feed(const scheduler::Event& event) {
  if (outcome_) return;
  for (scheduler::Action& action : scheduler_->Handle(event, simulation_.Now())) {
    std::visit([this](auto& a) { Do(a); }, action);
  }
}

void CoreFederation::Do(scheduler::SendTo& action) {
  const size_t node = *options_.topology->Find(action.node);
  // A worker's assignment is large, and says nothing that it does not know here.
  if (std::holds_alternative<AssignMsg>(action.message) && Parent(node) == nullptr) return;
  // Alone, not as the variant: millions may wait.
  std::visit(
      [&](auto& message) {
        simulation_.At(simulation_.Now(),
                       [this, node, message = std::move(message)] { Hear(node, message); });
      },
      action.message);
}

void CoreFederation::Do(scheduler::EmitEvent& action) {
  Event& event = action.event;
  const bool committed =
      event.type == event::kRoundCommitted || event.type == event::kVersionCommitted;
  if (committed || event.type == event::kRunEnded) {
    if (!committed) CountTraffic();
    event.fields["bytes"] = committed ? traffic_->TakeRound() : traffic_->Totals();
  }
  if (event.type == event::kRoundOpened && !std::exchange(in_rounds_, true)) BeginAbsences();
  Emit(std::move(event));
}

void CoreFederation::Do(const scheduler::WakeAt& action) {
  simulation_.At(action.when, [this] { Feed(scheduler::Tick{}); });
}

void CoreFederation::Do(const scheduler::Finish& action) {
  outcome_ = RunOutcome{action.status, action.reason, action.rounds};
}

void CoreFederation::Emit(Event event) {
  event.time_s = ToSeconds(simulation_.Now());
  options_.events->OnEvent(event);
}

// Nodes of a tier are counted together; one of them reports it.
void CoreFederation::CountTraffic() {
  for (size_t tier = 0; tier < world_.traffic.size(); ++tier) {
    ReportMsg report;
    report.bytes_up = world_.traffic[tier].up;
    report.bytes_down = world_.traffic[tier].down;
    traffic_->Add(reporters_[tier], report);
  }
}

// ---- what nodes hear ----

void CoreFederation::Hear(size_t node, const AssignMsg& message) {
  CoreParent* parent = Parent(node);
  if (parent == nullptr) return;
  if (const absl::Status status = parent->Assign(message.view); !status.ok()) {
    return Tell(node, GoodbyeMsg{static_cast<int>(status.code()), Message(status)});
  }
  if (node == 0) root_->MakeInitialModel();
}

void CoreFederation::Hear(size_t node, const AttachMsg& message) {
  Child(node)->Attach(Parent(*options_.topology->Find(message.parent)), message.epoch);
}

void CoreFederation::Hear(size_t node, const ExpectChildMsg& message) {
  Parent(node)->Feed(agg_event::ChildExpected{message.child, message.epoch});
}

void CoreFederation::Hear(size_t node, const ChildLostMsg& message) {
  Parent(node)->Feed(agg_event::ChildLost{message.child, message.epoch, message.reason});
}

void CoreFederation::Hear(size_t, const PlanMsg& message) { root_->OnPlan(message); }
void CoreFederation::Hear(size_t, const CommitMsg& message) { root_->OnCommit(message); }

void CoreFederation::Hear(size_t, const FinishMsg& message) { root_->OnFinish(message); }
void CoreFederation::Hear(size_t, const SteerMsg&) {}  // nobody steers here

void CoreFederation::Hear(size_t node, const StopMsg&) {
  ending_ = true;
  Tell(node, GoodbyeMsg{0, ""});
}

// ---- absences ----

void CoreFederation::BeginAbsences() {
  if (!world_.conditions->has_absences()) return;
  for (LeafIndex leaf = 0; leaf < options_.topology->num_workers(); ++leaf) {
    const NodeId& worker = options_.topology->worker(leaf).id;
    AwaitAbsence(leaf, std::make_shared<Absences>(world_.conditions->AbsencesOf(worker, leaf)),
                 simulation_.Now());
  }
}

// The worker's next absence, then the one after it.
void CoreFederation::AwaitAbsence(LeafIndex leaf, std::shared_ptr<Absences> absences, Time begin) {
  const std::optional<Absence> absence = absences->Next();
  if (!absence) return;
  const NodeId id = options_.topology->worker(leaf).id;
  const size_t node = *options_.topology->Find(id);
  simulation_.At(begin + absence->from, [this, node, id] {
    if (ending_) return;
    places_[node].worker->End();
    Feed(scheduler::NodeLost{id, "its connection closed"});
  });
  if (absence->to == kNever) return;
  simulation_.At(begin + absence->to, [this, node, leaf, absences, begin] {
    if (ending_) return;
    Register(node);
    AwaitAbsence(leaf, absences, begin);
  });
}

}  // namespace skein
