#include "federation/node_fleet.h"

#include <utility>

#include <spdlog/spdlog.h>

#include "skein/base/status.h"

namespace skein {

NodeFleet::NodeFleet(Options options)
    : options_(std::move(options)),
      nodes_(options_.topology.nodes().size()),
      next_life_(options_.first_life) {}

void NodeFleet::Start() {
  for (size_t node = 0; node < options_.topology.nodes().size(); ++node) StartNode(node);
}

void NodeFleet::StartNode(size_t node) {
  std::shared_ptr<Node> started;
  {
    std::lock_guard lock(mutex_);
    if (closing_) return;
    const TopologyNode& place = options_.topology.node(node);
    NodeOptions options;
    options.id = place.id;
    options.role = place.role;
    options.incarnation = next_life_++;
    options.reports_memory = options_.reports_memory;
    started = nodes_[node] = MakeNode(options_.services(), std::move(options));
    ++running_;
  }
  started->Start([self = shared_from_this(), node](const absl::Status& status) {
    if (!status.ok()) {
      spdlog::debug("node {} ended: {}", self->options_.topology.node(node).id, Message(status));
    }
    std::lock_guard lock(self->mutex_);
    if (--self->running_ == 0) self->none_.notify_all();
  });
}

void NodeFleet::OnEvent(const Event& event) {
  if (event.type != event::kRoundOpened || !options_.conditions->has_absences()) return;
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(in_rounds_, true)) return;
  }
  options_.executor->Post([self = shared_from_this()] {
    const Time begin = self->options_.executor->Now();
    for (LeafIndex leaf = 0; leaf < self->options_.topology.num_workers(); ++leaf) {
      const NodeId& worker = self->options_.topology.worker(leaf).id;
      self->Await(leaf,
                  std::make_shared<Absences>(self->options_.conditions->AbsencesOf(worker, leaf)),
                  begin);
    }
  });
}

// The worker's next absence, then the one after it.
void NodeFleet::Await(LeafIndex leaf, std::shared_ptr<Absences> absences, Time begin) {
  const std::optional<Absence> absence = absences->Next();
  if (!absence) return;
  const size_t node = *options_.topology.Find(options_.topology.worker(leaf).id);
  options_.executor->PostAt(begin + absence->from, [weak = weak_from_this(), node] {
    auto self = weak.lock();
    if (self == nullptr) return;
    std::shared_ptr<Node> leaving;
    {
      std::lock_guard lock(self->mutex_);
      if (!self->closing_) leaving = self->nodes_[node];
    }
    if (leaving) leaving->Kill();
  });
  if (absence->to == kNever) return;
  options_.executor->PostAt(begin + absence->to,
                            [weak = weak_from_this(), node, leaf, absences, begin] {
                              auto self = weak.lock();
                              if (self == nullptr) return;
                              self->StartNode(node);
                              self->Await(leaf, absences, begin);
                            });
}

bool NodeFleet::EndWithin(Duration timeout) {
  std::unique_lock lock(mutex_);
  closing_ = true;
  return none_.wait_for(lock, timeout, [this] { return running_ == 0; });
}

bool NodeFleet::ended() const {
  std::lock_guard lock(mutex_);
  return running_ == 0;
}

void NodeFleet::Kill() {
  std::vector<std::shared_ptr<Node>> nodes;
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
    nodes = nodes_;
  }
  for (const std::shared_ptr<Node>& node : nodes) {
    if (node != nullptr) node->Kill();
  }
}

void NodeFleet::Clear() {
  std::vector<std::shared_ptr<Node>> nodes;  // go without the lock
  std::lock_guard lock(mutex_);
  closing_ = true;
  nodes.swap(nodes_);
}

}  // namespace skein
