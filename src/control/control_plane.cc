#include "skein/control/control_plane.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <utility>

#include <spdlog/spdlog.h>

#include "control/node_events.h"
#include "control/scheduler_setup.h"
#include "control/traffic.h"
#include "skein/base/status.h"
#include "skein/control/scheduler_core.h"

namespace skein {
namespace {

// Everything below runs on the executor; the public methods only post there.
class ControlPlaneShell : public ControlPlane,
                          public std::enable_shared_from_this<ControlPlaneShell> {
 public:
  ControlPlaneShell(std::shared_ptr<const Topology> topology, std::shared_ptr<Executor> executor,
                    std::shared_ptr<RunStore> store, std::shared_ptr<EventSink> sink,
                    std::string run_id, SchedulerCore core)
      : topology_(std::move(topology)),
        executor_(std::move(executor)),
        store_(std::move(store)),
        sink_(std::move(sink)),
        run_id_(std::move(run_id)),
        traffic_(topology_),
        core_(std::move(core)) {}

  void Start(std::function<void(RunOutcome)> on_done) override {
    executor_->Post([self = shared_from_this(), on_done = std::move(on_done)]() mutable {
      self->on_done_ = std::move(on_done);
      self->started_ = true;
      self->start_time_ = self->executor_->Now();
      self->Tell(scheduler::RunStarted{});
      for (auto& task : std::exchange(self->before_start_, {})) task();
    });
  }

  void RequestStop(std::string reason) override {
    Run([this, reason = std::move(reason)] { Tell(scheduler::StopRequested{reason}); });
  }

  void OnMessage(std::shared_ptr<ControlSession> session, NodeMessage message) override {
    Run([this, session = std::move(session), message = std::move(message)] {
      Receive(session, message);
    });
  }

  void OnSessionClosed(std::shared_ptr<ControlSession> session, absl::Status status) override {
    Run([this, session = std::move(session), status = std::move(status)] {
      const auto it = sessions_.find(session.get());
      if (it == sessions_.end()) return;
      const std::string node = it->second.node;
      Forget(it);
      if (node.empty()) return;
      Tell(scheduler::NodeLost{node, status.ok() ? "its connection closed"
                                                 : "its connection broke: " + Message(status)});
    });
  }

 private:
  struct SessionInfo {
    uint64_t number = 0;
    std::shared_ptr<ControlSession> session;
    NodeId node;  // once admitted
  };
  using Sessions = std::map<ControlSession*, SessionInfo>;

  // Posts; what comes before Start waits for it.
  void Run(std::function<void()> task) {
    executor_->Post([self = shared_from_this(), task = std::move(task)]() mutable {
      if (self->started_) return task();
      self->before_start_.push_back(std::move(task));
    });
  }

  void Receive(const std::shared_ptr<ControlSession>& session, const NodeMessage& message) {
    if (finished_) return session->Close(absl::FailedPreconditionError("the run has ended"));
    if (const auto* registration = std::get_if<RegisterMsg>(&message)) {
      SessionInfo& info = sessions_[session.get()];
      if (info.session != nullptr) {
        return session->Close(absl::FailedPreconditionError("the session has registered already"));
      }
      info.session = session;
      info.number = ++last_session_;
      by_number_[info.number] = session.get();
      return Tell(scheduler::NodeRegistered{info.number, *registration});
    }
    const auto it = sessions_.find(session.get());
    if (it == sessions_.end() || it->second.node.empty()) {
      return session->Close(absl::FailedPreconditionError("the node is not registered"));
    }
    const NodeId node = it->second.node;
    Tell(scheduler::NodeHeard{node});
    std::visit([&](const auto& m) { From(node, m); }, message);
  }

  void From(const NodeId&, const RegisterMsg&) {}
  void From(const NodeId&, const HeartbeatMsg&) {}
  void From(const NodeId&, const EnlistMsg&) {}
  void From(const NodeId&, const NodeEndedMsg&) {}
  void From(const NodeId& node, const AttachedMsg& m) {
    Tell(scheduler::NodeAttached{node, m.epoch});
  }
  void From(const NodeId& node, const RoundResultMsg& m) {
    Tell(scheduler::RoundResult{node, m, traffic_.Tiers()});
  }
  void From(const NodeId& node, const EvaluatedMsg& m) {
    Tell(scheduler::Evaluated{node, m, traffic_.Tiers()});
  }
  void From(const NodeId& node, const FinishedMsg& m) { Tell(scheduler::Finished{node, m}); }
  void From(const NodeId& node, const ModelReadyMsg& m) { Tell(scheduler::ModelReady{node, m}); }
  void From(const NodeId& node, const GoodbyeMsg& m) {
    // From now on the end of its connection is no loss.
    if (const auto session = Release(node)) session->Close(absl::OkStatus());
    Tell(scheduler::NodeGoodbye{node, m});
  }
  void From(const NodeId& node, const ReportMsg& report) {
    const size_t index = *topology_->Find(node);
    traffic_.Add(index, report);
    for (const Event& event : report.events) {
      const absl::Status status = CheckNodeEvent(event, index, *topology_);
      if (status.ok()) {
        Emit(event);
      } else {
        spdlog::warn("control plane: dropped an event of node '{}': {}", node, Message(status));
      }
    }
  }

  void Tell(const scheduler::Event& event) {
    if (finished_) return;
    scheduler::Actions actions = core_.Handle(event, executor_->Now());
    if (std::holds_alternative<scheduler::NodeRegistered>(event)) return Gather(actions);
    if (actions.empty()) return;
    // What follows registrations finds them done.
    if (const absl::Status status = DoGathered(); !status.ok()) return Fail(status, actions);
    DoAll(actions);
  }

  void DoAll(std::span<scheduler::Action> actions) {
    for (size_t i = 0; i < actions.size(); ++i) {
      const absl::Status status = std::visit([this](auto& a) { return Do(a); }, actions[i]);
      if (!status.ok()) return Fail(status, actions.subspan(i));
    }
  }

  // A write has failed, and `undone` with it.
  void Fail(const absl::Status& status, std::span<const scheduler::Action> undone) {
    const bool lost_commit = std::ranges::any_of(undone, [](const scheduler::Action& action) {
      const auto* round = std::get_if<scheduler::PersistRound>(&action);
      return round != nullptr && round->record.state == "committed";
    });
    Tell(scheduler::StoreFailed{status, lost_commit});
  }

  // Registrations of one moment are persisted together: a write to the disk takes longer than many
  // of them to arrive. Until then nobody hears of them.
  void Gather(scheduler::Actions& actions) {
    for (scheduler::Action& action : actions) {
      const bool inward = std::holds_alternative<scheduler::Admit>(action) ||
                          std::holds_alternative<scheduler::Refuse>(action);
      const bool waits =
          !gathered_.empty() || std::holds_alternative<scheduler::PersistAttachment>(action);
      if (inward || !waits) {
        std::visit([this](auto& a) { return Do(a); }, action).IgnoreError();  // writes nothing
        continue;
      }
      if (gathered_.empty()) {
        executor_->Post([self = shared_from_this()] {
          if (self->finished_) return;
          if (const absl::Status status = self->DoGathered(); !status.ok()) self->Fail(status, {});
        });
      }
      gathered_.push_back(std::move(action));
    }
  }

  absl::Status DoGathered() {
    scheduler::Actions gathered = std::exchange(gathered_, {});
    std::vector<AttachmentRecord> attachments;
    for (const scheduler::Action& action : gathered) {
      const auto* attachment = std::get_if<scheduler::PersistAttachment>(&action);
      if (attachment != nullptr) attachments.push_back(attachment->record);
    }
    if (!attachments.empty()) {
      SKEIN_RETURN_IF_ERROR(store_->PutAttachments(run_id_, attachments));
    }
    for (scheduler::Action& action : gathered) {
      if (std::holds_alternative<scheduler::PersistAttachment>(action)) continue;
      SKEIN_RETURN_IF_ERROR(std::visit([this](auto& a) { return Do(a); }, action));
    }
    return absl::OkStatus();
  }

  absl::Status Do(scheduler::Admit& action) {
    const auto session = by_number_.find(action.session);
    if (session == by_number_.end()) return absl::OkStatus();
    sessions_[session->second].node = action.node;
    by_node_[action.node] = session->second;
    traffic_.Reset(*topology_->Find(action.node));
    return absl::OkStatus();
  }
  absl::Status Do(scheduler::Refuse& action) {
    const auto session = by_number_.find(action.session);
    if (session == by_number_.end()) return absl::OkStatus();
    const auto it = sessions_.find(session->second);
    const auto refused = it->second.session;
    Forget(it);
    refused->Close(action.status);
    return absl::OkStatus();
  }
  absl::Status Do(scheduler::Disconnect& action) {
    if (const auto session = Release(action.node)) {
      session->Close(absl::AbortedError("given up by the control plane: " + action.reason));
    }
    return absl::OkStatus();
  }
  absl::Status Do(scheduler::PersistRun& action) { return store_->PutRun(action.record); }
  absl::Status Do(scheduler::PersistAttachment& action) {
    return store_->PutAttachment(run_id_, action.record);
  }
  absl::Status Do(scheduler::PersistRound& action) {
    return store_->PutRound(run_id_, action.record);
  }
  absl::Status Do(scheduler::SendTo& action) {
    const auto session = by_node_.find(action.node);
    if (session != by_node_.end()) {
      sessions_[session->second].session->Send(std::move(action.message));
    }
    return absl::OkStatus();
  }
  absl::Status Do(scheduler::EmitEvent& action) {
    ValueMap& fields = action.event.fields;
    if (action.event.type == event::kRoundCommitted ||
        action.event.type == event::kVersionCommitted) {
      fields["bytes"] = traffic_.TakeRound();
    }
    if (action.event.type == event::kRunEnded) {
      fields["bytes"] = traffic_.Totals();
      fields["peak_rss_mib"] = traffic_.peak_rss_mib();
    }
    Emit(action.event);
    return absl::OkStatus();
  }
  absl::Status Do(scheduler::WakeAt& action) {
    executor_->PostAt(action.when, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->Tell(scheduler::Tick{});
    });
    return absl::OkStatus();
  }
  absl::Status Do(scheduler::Finish& action) {
    finished_ = true;
    gathered_.clear();
    by_node_.clear();
    by_number_.clear();
    for (auto& [key, info] : std::exchange(sessions_, {})) info.session->Close(absl::OkStatus());
    if (auto on_done = std::exchange(on_done_, nullptr)) {
      on_done({action.status, action.reason, action.rounds});
    }
    return absl::OkStatus();
  }

  void Emit(Event event) {
    event.time_s = ToSeconds(executor_->Now() - start_time_);
    sink_->OnEvent(event);
  }

  void Forget(Sessions::iterator it) {
    by_number_.erase(it->second.number);
    if (!it->second.node.empty()) by_node_.erase(it->second.node);
    sessions_.erase(it);
  }

  // Parts the node from its session, which is returned.
  std::shared_ptr<ControlSession> Release(const NodeId& node) {
    const auto it = by_node_.find(node);
    if (it == by_node_.end()) return nullptr;
    const auto info = sessions_.find(it->second);
    auto session = info->second.session;
    Forget(info);
    return session;
  }

  const std::shared_ptr<const Topology> topology_;
  const std::shared_ptr<Executor> executor_;
  const std::shared_ptr<RunStore> store_;
  const std::shared_ptr<EventSink> sink_;
  const std::string run_id_;
  Traffic traffic_;
  SchedulerCore core_;

  Sessions sessions_;
  std::map<uint64_t, ControlSession*> by_number_;
  std::map<NodeId, ControlSession*> by_node_;
  uint64_t last_session_ = 0;
  scheduler::Actions gathered_;  // of registrations, not done yet
  std::vector<std::function<void()>> before_start_;
  std::function<void(RunOutcome)> on_done_;
  Time start_time_{0};
  bool started_ = false;
  bool finished_ = false;
};

}  // namespace

absl::StatusOr<std::shared_ptr<ControlPlane>> ControlPlane::Create(
    ControlPlaneOptions options, std::shared_ptr<Executor> executor,
    std::shared_ptr<RunStore> store, std::shared_ptr<EventSink> sink,
    const StrategyRegistries* strategies) {
  const std::string run_id = options.config.run_id;
  SKEIN_ASSIGN_OR_RETURN(std::shared_ptr<Selector> selector,
                         strategies->selectors.Create(options.config.strategy.selector));
  auto topology = std::make_shared<const Topology>(std::move(options.topology));
  SKEIN_ASSIGN_OR_RETURN(SchedulerSetup setup,
                         MakeSchedulerSetup({std::move(options.config), topology,
                                             std::move(options.stop), std::move(options.steering)},
                                            strategies));
  SKEIN_ASSIGN_OR_RETURN(const auto previous, store->GetRun(run_id));
  if (previous.has_value() && previous->status == "completed") {
    return absl::FailedPreconditionError("run '" + run_id +
                                         "' has completed; give the new run another id");
  }
  SKEIN_ASSIGN_OR_RETURN(setup.history.attachments, store->Attachments(run_id));
  SKEIN_ASSIGN_OR_RETURN(setup.history.rounds, store->Rounds(run_id));
  setup.record.spec = std::move(options.spec_text);
  setup.record.topology = std::move(options.topology_text);
  return std::make_shared<ControlPlaneShell>(std::move(topology), std::move(executor),
                                             std::move(store), std::move(sink), run_id,
                                             SchedulerCore(std::move(setup), std::move(selector)));
}

}  // namespace skein
