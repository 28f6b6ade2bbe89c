#include "runtime/node_shell.h"

#include <sys/resource.h>

#include <utility>

#include "skein/base/status.h"

namespace skein {

// Hands the control plane's messages to the node while it lives.
class NodeShell::Control : public ControlHandler {
 public:
  explicit Control(std::weak_ptr<NodeShell> node) : node_(std::move(node)) {}
  void OnControl(ControlMessage message) override {
    if (auto node = node_.lock()) node->OnControl(std::move(message));
  }
  void OnControlClosed(absl::Status status) override {
    auto node = node_.lock();
    if (node == nullptr) return;
    node->End(status.ok() ? absl::UnavailableError("the control plane closed the connection")
                          : Annotate(status, "control plane"));
  }

 private:
  std::weak_ptr<NodeShell> node_;
};

void NodeShell::Start(std::function<void(absl::Status)> on_done) {
  on_done_ = std::move(on_done);
  services_.executor->Post([self = shared_from_this()] {
    if (!self->ended_) self->Begin();
  });
}

void NodeShell::Kill() {
  services_.executor->Post([self = shared_from_this()] {
    if (self->ended_) return;
    if (self->control_) self->control_->Close();
    self->control_.reset();
    self->End(absl::CancelledError("killed"));
  });
}

void NodeShell::Begin() {
  auto address = Listen();
  if (!address.ok()) return End(address.status());
  control_ =
      services_.control->Connect(services_.executor, std::make_shared<Control>(weak_from_this()));
  SendControl(
      RegisterMsg{id(), options_.incarnation, *address, options_.pid, options_.role, options_.run});
}

void NodeShell::OnControl(ControlMessage message) {
  if (ended_) return;
  if (auto* stop = std::get_if<StopMsg>(&message)) {
    End(stop->code == 0 ? absl::OkStatus()
                        : absl::Status(static_cast<absl::StatusCode>(stop->code), stop->reason));
    return;
  }
  absl::Status status;
  if (auto* assign = std::get_if<AssignMsg>(&message)) {
    if (assigned_) return;
    assigned_ = true;
    config_ = std::move(assign->config);
    if (!options_.output_dir.empty()) config_.output_dir = options_.output_dir;
    view_ = std::move(assign->view);
    Heartbeat();
    status = OnAssigned();
  } else if (assigned_) {
    status = OnMessage(std::move(message));
  }
  if (!status.ok()) End(status);
}

void NodeShell::Heartbeat() {
  SendControl(HeartbeatMsg{});
  // Nodes that share a process beat at the same moments: their messages go out together.
  const Duration interval = config_.limits.heartbeat_interval;
  LaterAt(Now() + interval - Now() % interval, [this] { Heartbeat(); });
}

void NodeShell::SendControl(NodeMessage message) {
  if (control_ == nullptr) return;
  SendEvents();
  control_->Send(std::move(message));
}

void NodeShell::Report(Event event) {
  events_.push_back(std::move(event));
  if (events_.size() > 1) return;  // the task is on its way
  services_.executor->Post([weak = weak_from_this()] {
    if (auto self = weak.lock(); self && !self->ended_) self->SendEvents();
  });
}

void NodeShell::SendEvents() {
  if (!events_.empty()) SendReport();
}

void NodeShell::SendReport() {
  ReportMsg report;
  report.events = std::exchange(events_, {});
  if (options_.reports_memory) report.peak_rss_mib = PeakRssMib();
  AddTraffic(report);
  if (control_) control_->Send(std::move(report));
}

void NodeShell::LaterAt(Time when, std::function<void()> task) {
  services_.executor->PostAt(when, [weak = weak_from_this(), task = std::move(task)] {
    if (auto self = weak.lock(); self && !self->ended_) task();
  });
}

std::function<void(std::function<void()>)> NodeShell::WayBack() {
  return [weak = weak_from_this(), executor = services_.executor](std::function<void()> task) {
    executor->Post([weak, task = std::move(task)] {
      if (auto self = weak.lock(); self && !self->ended_) task();
    });
  };
}

absl::StatusOr<std::shared_ptr<const ConditionsModel>> NodeShell::ConditionsOfRun() const {
  return services_.memory.conditions->Get(config_.conditions, config_.seed, view_.num_workers,
                                          view_.num_tiers);
}

void NodeShell::End(const absl::Status& why) {
  if (std::exchange(ended_, true)) return;
  if (control_) {
    SendReport();
    SendControl(GoodbyeMsg{static_cast<int>(why.code()), Message(why)});
  }
  OnEnd(why);
  if (control_) control_->Close();
  control_.reset();
  if (on_done_) std::exchange(on_done_, nullptr)(why);
}

double PeakRssMib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace skein
