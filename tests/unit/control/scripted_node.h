#ifndef SKEIN_TESTS_UNIT_CONTROL_SCRIPTED_NODE_H_
#define SKEIN_TESTS_UNIT_CONTROL_SCRIPTED_NODE_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "skein/control/control_plane.h"
#include "skein/runtime/control_link.h"

namespace skein {

// A node without a data plane: it answers the control plane as a good node would. Knobs make it a
// bad one.
class ScriptedNode : public ControlHandler, public std::enable_shared_from_this<ScriptedNode> {
 public:
  ScriptedNode(NodeId id, bool inner, std::shared_ptr<Executor> executor,
               std::shared_ptr<ControlDialer> dialer, Incarnation incarnation = 1)
      : id_(std::move(id)),
        inner_(inner),
        incarnation_(incarnation),
        executor_(std::move(executor)),
        dialer_(std::move(dialer)) {}

  void Start() {
    executor_->Post([self = shared_from_this()] {
      // The link owns this handler, which must not own the dialer.
      const auto dialer = std::exchange(self->dialer_, nullptr);
      self->link_ = dialer->Connect(self->executor_, self);
      self->link_->Send(
          RegisterMsg{self->id_, self->incarnation_, self->inner_ ? "at-" + self->id_ : "", 42});
    });
  }
  // Sends on the node's executor.
  void Send(NodeMessage message) {
    executor_->Post([self = shared_from_this(), message = std::move(message)] {
      if (self->link_) self->link_->Send(message);
    });
  }

  void OnControl(ControlMessage message) override {
    std::visit([this](const auto& m) { On(m); }, message);
  }
  void OnControlClosed(absl::Status status) override {
    std::lock_guard lock(mutex_);
    closed_ = std::move(status);
    link_.reset();
  }

  std::optional<absl::Status> closed() const {
    std::lock_guard lock(mutex_);
    return closed_;
  }
  const std::vector<PlanMsg>& plans() const { return plans_; }
  const NodeView& view() const { return view_; }

  // Knobs, set before Start.
  bool answers_plans = true;
  bool says_goodbye = true;
  Duration heartbeat_every{0};  // 0: never
  std::vector<Event> reports;   // with every round result

 private:
  void On(const AssignMsg& m) {
    view_ = m.view;
    if (heartbeat_every > Duration(0)) Beat();
    if (view_.role == NodeRole::kCoordinator) link_->Send(ModelReadyMsg{VersionRef{}, "d0"});
  }
  void Beat() {
    if (link_ == nullptr) return;
    link_->Send(HeartbeatMsg{});
    executor_->PostAt(executor_->Now() + heartbeat_every,
                      [self = shared_from_this()] { self->Beat(); });
  }
  void On(const AttachMsg& m) { link_->Send(AttachedMsg{m.epoch}); }
  void On(const ExpectChildMsg&) {}
  void On(const EnlistedMsg&) {}
  void On(const StartNodesMsg&) {}
  void On(const NoticeMsg&) {}
  void On(const ChildLostMsg&) {}
  void On(const PlanMsg& m) {
    plans_.push_back(m);
    if (!answers_plans) return;
    bytes_ += 1000;
    link_->Send(ReportMsg{reports, bytes_, 2 * bytes_, 64.0 + static_cast<double>(m.round)});
    RoundResultMsg result{m.round, m.attempt};
    result.version = {m.round, m.attempt, 0};
    result.digest = "d" + std::to_string(m.round);
    result.roster = m.participants;
    result.num_samples = 10 * m.participants.Count();
    result.metrics = {{"loss", 1.0 / static_cast<double>(m.round)}};
    link_->Send(std::move(result));
  }
  void On(const CommitMsg& m) {
    for (const char* where : {"coordinator", "workers"}) {
      const bool here = std::string(where) == "coordinator";
      if (!(here ? m.evaluate_at_coordinator : m.evaluate_at_workers)) continue;
      EvaluatedMsg result{m.round, m.version, where};
      result.num_samples = 100;
      result.metrics = {{"accuracy", 0.5}, {"loss", 2.0}};
      link_->Send(std::move(result));
    }
  }
  void On(const SteerMsg&) {}
  void On(const FinishMsg&) {}
  void On(const StopMsg& m) {
    if (!says_goodbye) return;
    link_->Send(GoodbyeMsg{m.code, m.reason});
    link_->Close();
    std::lock_guard lock(mutex_);
    link_.reset();
  }

  const NodeId id_;
  const bool inner_;
  const Incarnation incarnation_;
  const std::shared_ptr<Executor> executor_;
  std::shared_ptr<ControlDialer> dialer_;  // until Start
  std::shared_ptr<ControlLink> link_;
  NodeView view_;
  std::vector<PlanMsg> plans_;
  uint64_t bytes_ = 0;
  mutable std::mutex mutex_;
  std::optional<absl::Status> closed_;
};

// Keeps events; any thread may look.
class RecordingSink : public EventSink {
 public:
  void OnEvent(const Event& event) override {
    std::lock_guard lock(mutex_);
    events_.push_back(event);
  }
  std::vector<Event> Of(const std::string& type) const {
    std::lock_guard lock(mutex_);
    std::vector<Event> found;
    for (const Event& event : events_) {
      if (event.type == type) found.push_back(event);
    }
    return found;
  }
  std::vector<std::string> Types() const {
    std::lock_guard lock(mutex_);
    std::vector<std::string> types;
    for (const Event& event : events_) types.push_back(event.type);
    return types;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Event> events_;
};

}  // namespace skein

#endif  // SKEIN_TESTS_UNIT_CONTROL_SCRIPTED_NODE_H_
