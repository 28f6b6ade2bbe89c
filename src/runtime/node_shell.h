#ifndef SKEIN_SRC_RUNTIME_NODE_SHELL_H_
#define SKEIN_SRC_RUNTIME_NODE_SHELL_H_

#include <memory>
#include <string>

#include "skein/runtime/node.h"

namespace skein {

// What all nodes have in common: registration, heartbeats and the end. Lives on the node's executor
// once started. Subclasses get assignments and the messages that concern them; an error that they
// return ends the node.
class NodeShell : public Node, public std::enable_shared_from_this<NodeShell> {
 public:
  NodeShell(NodeServices services, NodeOptions options)
      : services_(std::move(services)), options_(std::move(options)) {}

  void Start(std::function<void(absl::Status)> on_done) override;
  void Kill() override;

 protected:
  // The node's assignment; called once, before any other message.
  virtual absl::Status OnAssigned() = 0;
  // Any other message but StopMsg.
  virtual absl::Status OnMessage(ControlMessage message) = 0;
  // Lets go of links and learners; nothing is called afterwards.
  virtual void OnEnd(const absl::Status& why) = 0;
  // Where children dial; called before registration. Empty for workers.
  virtual absl::StatusOr<std::string> Listen() { return std::string(); }
  // Traffic so far, for reports.
  virtual void AddTraffic(ReportMsg&) const {}

  void SendControl(NodeMessage message);
  // An event for the control plane. It hears of it before any later message of this node; those of
  // a busy moment go together.
  void Report(Event event);
  // For what is made of the events elsewhere than at the control plane.
  void SendEvents();
  // The same also without events: what the links have carried so far.
  void SendReport();
  // Ends the node: tells the control plane, then calls on_done.
  void Fail(const absl::Status& why) { End(why); }
  // Runs `task` on the executor at `when`, if the node still lives.
  void LaterAt(Time when, std::function<void()> task);
  // For work on other threads: gives it a way back. The function that is passed to the result runs
  // on the executor, if the node still lives.
  std::function<void(std::function<void()>)> WayBack();
  // Of the run; the nodes of the process share them.
  absl::StatusOr<std::shared_ptr<const ConditionsModel>> ConditionsOfRun() const;
  Time Now() const { return services_.executor->Now(); }
  bool ended() const { return ended_; }
  const NodeId& id() const { return options_.id; }

  NodeServices services_;
  NodeOptions options_;
  RunConfig config_;  // once assigned
  NodeView view_;

 private:
  class Control;
  void Begin();
  void OnControl(ControlMessage message);
  void Heartbeat();
  void End(const absl::Status& why);

  std::function<void(absl::Status)> on_done_;
  std::shared_ptr<ControlLink> control_;
  std::vector<Event> events_;  // not yet sent
  bool assigned_ = false;
  bool ended_ = false;
};

// Peak resident memory of this process, MiB.
double PeakRssMib();

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_NODE_SHELL_H_
