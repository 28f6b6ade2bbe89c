#include "federation/node_host.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include <spdlog/spdlog.h>

#include "base/one_line.h"
#include "federation/node_services.h"
#include "skein/base/status.h"
#include "transport/grpc/address.h"

namespace skein {
namespace {

// Between attempts to reach a control plane; doubles from the first to the last.
constexpr Duration kFirstRetry = std::chrono::milliseconds(200);
constexpr Duration kLastRetry = std::chrono::seconds(5);
// What takes a connection and does not answer is no control plane, or one in trouble.
constexpr Duration kAnswerWithin = std::chrono::seconds(60);

// Ids of runs become names of directories here, and come from elsewhere.
bool IsRunId(const std::string& run) {
  return run != "." && run != ".." && !run.empty() && run.find('/') == std::string::npos &&
         run.find('\0') == std::string::npos;
}

}  // namespace

class NodeHost::Control : public ControlHandler {
 public:
  Control(std::weak_ptr<NodeHost> host, uint64_t attempt)
      : host_(std::move(host)), attempt_(attempt) {}
  void OnControl(ControlMessage message) override {
    const auto host = host_.lock();
    if (host && host->attempt_ == attempt_) host->OnControl(message);
  }
  void OnControlClosed(absl::Status status) override {
    const auto host = host_.lock();
    if (host && host->attempt_ == attempt_) host->OnClosed(status);
  }

 private:
  const std::weak_ptr<NodeHost> host_;
  const uint64_t attempt_;
};

NodeHost::NodeHost(Options options, std::shared_ptr<Executor> executor,
                   std::shared_ptr<ControlDialer> dialer, std::function<NodeServices()> services)
    : options_(std::move(options)),
      executor_(std::move(executor)),
      dialer_(std::move(dialer)),
      services_(std::move(services)),
      retry_after_(kFirstRetry) {}

void NodeHost::Start(std::function<void(absl::Status)> on_end) {
  executor_->Post([self = shared_from_this(), on_end = std::move(on_end)]() mutable {
    self->on_end_ = std::move(on_end);
    self->Connect();
  });
}

void NodeHost::Stop() {
  executor_->Post([self = shared_from_this()] {
    if (std::exchange(self->stopping_, true)) return;
    for (const auto& [key, node] : self->nodes_) node->Kill();
    self->EndIfDone();
  });
}

void NodeHost::Connect() {
  if (on_end_ == nullptr || stopping_) return;
  const uint64_t attempt = ++attempt_;
  answered_ = false;
  control_ = dialer_->Connect(executor_, std::make_shared<Control>(weak_from_this(), attempt));
  control_->Send(EnlistMsg{options_.ids, options_.role});
  executor_->PostAt(executor_->Now() + kAnswerWithin, [weak = weak_from_this(), attempt] {
    const auto self = weak.lock();
    if (self == nullptr || self->attempt_ != attempt || self->answered_) return;
    if (self->control_ == nullptr) return;  // it ended, and is dialed again
    ++self->attempt_;
    self->OnClosed(
        absl::UnavailableError("the control plane takes connections and does not "
                               "answer; is it one?"));
  });
}

void NodeHost::OnControl(const ControlMessage& message) {
  if (on_end_ == nullptr || stopping_) return;
  if (const auto* enlisted = std::get_if<EnlistedMsg>(&message)) {
    answered_ = true;
    const bool first = !std::exchange(was_known_, true);
    retry_after_ = kFirstRetry;
    if (std::exchange(said_that_it_waits_, false)) spdlog::warn("the control plane is there");
    if (!IsRunId(enlisted->run)) {  // it has many
      const size_t others = options_.ids.size() - 1;
      if (first) {
        spdlog::warn("node {}{} waits for runs", options_.ids.front(),
                     others > 0 ? " with " + std::to_string(others) + " more" : "");
      }
      return;
    }
    only_run_ = enlisted->run;
    for (const NodeId& id : options_.ids) StartNode("", {id, options_.role});
  } else if (const auto* start = std::get_if<StartNodesMsg>(&message)) {
    for (const StartNodesMsg::Start& node : start->nodes) {
      const bool ours = std::ranges::find(options_.ids, node.node) != options_.ids.end();
      if (ours && IsRunId(start->run)) StartNode(start->run, node);
    }
  } else if (const auto* notice = std::get_if<NoticeMsg>(&message)) {
    spdlog::warn("{}", OneLine(notice->text));
  }
}

void NodeHost::OnClosed(const absl::Status& status) {
  control_.reset();
  if (on_end_ == nullptr || stopping_) return;
  if (only_run_) return EndIfDone();  // the nodes know by themselves
  const absl::Status why =
      status.ok() ? absl::UnavailableError("the control plane closed the connection") : status;
  const bool later = absl::IsUnavailable(why) || absl::IsCancelled(why) || was_known_;
  if (!options_.waits || !later) return End(Annotate(why, "node " + options_.ids.front()));
  if (!std::exchange(said_that_it_waits_, true)) {
    spdlog::warn("{}; waiting for it", Message(why));
  }
  executor_->PostAt(executor_->Now() + retry_after_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Connect();
  });
  retry_after_ = std::min(2 * retry_after_, kLastRetry);
}

void NodeHost::StartNode(const std::string& run, const StartNodesMsg::Start& start) {
  const Key key(run, start.node);
  // What is left of an earlier life in the run makes room.
  if (const auto old = nodes_.find(key); old != nodes_.end()) {
    old->second->Kill();
    nodes_.erase(old);
  }
  NodeOptions options;
  options.id = start.node;
  options.role = start.role;
  options.run = run;
  options.incarnation = RandomIncarnation();
  options.pid = getpid();
  options.state_dir = options_.state_dir;
  if (start.role != NodeRole::kWorker) {
    options.listen_address = options_.listen_address;
    // Ids differ in the letters and digits at their ends.
    if (!run.empty()) options.listen_address += '/' + RouteFor(run);
  }
  if (start.role == NodeRole::kCoordinator && !options_.output_dir.empty()) {
    options.output_dir = options_.output_dir + '/' + (run.empty() ? *only_run_ : run);
    std::error_code error;
    std::filesystem::create_directories(options.output_dir, error);
    if (error) {  // the node will say so, where the run hears of it
      spdlog::warn("cannot create {}: {}", options.output_dir, error.message());
    }
  }
  spdlog::info("node {} (pid {}) starts{}{}", start.node, getpid(), run.empty() ? "" : " in run ",
               run);
  const std::shared_ptr<Node> node = MakeNode(services_(), std::move(options));
  nodes_[key] = node;
  node->Start([weak = weak_from_this(), executor = executor_, key,
               node = node.get()](const absl::Status& status) {
    executor->Post([weak, key, node, status] {
      if (const auto self = weak.lock()) self->OnNodeEnded(key, node, status);
    });
  });
}

void NodeHost::OnNodeEnded(const Key& key, const Node* node, const absl::Status& status) {
  const auto found = nodes_.find(key);
  if (found == nodes_.end() || found->second.get() != node) return;  // of an earlier life
  nodes_.erase(found);
  const std::string in_run = key.first.empty() ? "" : " in run " + key.first;
  if (status.ok()) {
    spdlog::info("node {} has ended{}", key.second, in_run);
  } else {
    spdlog::info("node {} has ended{}: {}", key.second, in_run, Message(status));
    first_failure_.Update(Annotate(status, "node " + key.second));
  }
  if (!only_run_ && control_ != nullptr) {
    control_->Send(
        NodeEndedMsg{key.first, key.second, static_cast<int>(status.code()), Message(status)});
  }
  EndIfDone();
}

void NodeHost::EndIfDone() {
  if (!nodes_.empty()) return;
  if (only_run_) {
    End(first_failure_);
  } else if (stopping_) {
    End(absl::OkStatus());
  }
}

void NodeHost::End(const absl::Status& status) {
  if (on_end_ == nullptr) return;
  if (control_ != nullptr) control_->Close();
  control_.reset();
  std::exchange(on_end_, nullptr)(status);
}

}  // namespace skein
