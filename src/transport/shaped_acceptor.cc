#include "transport/shaped_acceptor.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>
#include <variant>

#include "transport/delayed_frames.h"

namespace skein {
namespace {

// A sender may be ahead of its link by so much; enough to keep it busy between two turns.
constexpr Duration kAhead = std::chrono::milliseconds(20);

constexpr double kSegmentBytes = 1460;
constexpr double kLeastTimeout = 0.2;

Duration Transmission(double bytes, double rate) {
  return rate == 0 ? Duration(0) : FromSeconds(bytes / rate);
}

}  // namespace

LinkShape::LinkShape(const LinkConditions& conditions)
    : conditions_(conditions), link_rate_(conditions.mb_per_s * 1e6) {
  if (conditions.loss == 0 || conditions.latency_s == 0) return;
  const double tcp = 1.22 * kSegmentBytes / (2 * conditions.latency_s * std::sqrt(conditions.loss));
  link_rate_ = link_rate_ == 0 ? tcp : std::min(link_rate_, tcp);
}

Time LinkShape::Pass(Lane& lane, bool up, uint64_t bytes, Time now, uint64_t frames) {
  const auto size = static_cast<double>(bytes);
  // Both work on it at the same time; the slower one decides.
  Time& node_free = node_free_[up];
  node_free = std::max(now, node_free) + Transmission(size, conditions_.node_mb_per_s * 1e6) +
              FromSeconds(conditions_.frame_s * static_cast<double>(frames));
  lane.free = std::max(std::max(now, lane.free) + Transmission(size, link_rate_), node_free);
  Time due = lane.free + FromSeconds(conditions_.latency_s);
  if (conditions_.loss > 0 && lane.random.Uniform() < conditions_.loss) {
    due += FromSeconds(std::max(kLeastTimeout, 4 * conditions_.latency_s));
  }
  lane.last_due = std::max(due, lane.last_due);  // in order
  return lane.last_due;
}

// Of all links of the parent.
struct ShapedAcceptor::State {
  explicit State(std::shared_ptr<Executor> parents) : executor(std::move(parents)) {}

  // What the frame counts as on the link, beyond what it is. Learns the size of a model from its
  // offer; what is encoded counts as the share of it that it is.
  int64_t Surplus(const Frame& frame) {
    if (model_bytes == 0) return 0;
    if (const auto* offer = std::get_if<OfferFrame>(&frame)) {
      const uint64_t model = offer->manifest.total_bytes();
      if (std::holds_alternative<ModelHeader>(offer->header) && model > 0) {
        scale = static_cast<double>(model_bytes) / static_cast<double>(model);
      }
    }
    const auto* chunk = std::get_if<ChunkFrame>(&frame);
    if (chunk == nullptr) return 0;
    return std::llround(static_cast<double>(chunk->bytes.size()) * (scale - 1));
  }

  const std::shared_ptr<Executor> executor;
  std::optional<LinkShape> shape;
  uint64_t model_bytes = 0;
  double scale = 1;
  uint64_t seed = 0;
  uint64_t links = 0;
};

// The parent's end of one link: what comes up passes through here before the handler sees it, what
// goes down before the link does.
class ShapedAcceptor::End : public LinkHandler, public std::enable_shared_from_this<End> {
 public:
  End(std::shared_ptr<State> state, std::shared_ptr<Link> link)
      : state_(std::move(state)), link_(std::move(link)) {
    const uint64_t number = state_->links++;
    for (const bool up : {false, true}) {
      lanes_[up].random = Rng(DeriveSeed(state_->seed, {number, up}));
    }
  }

  void SetHandler(std::shared_ptr<LinkHandler> handler) { handler_ = std::move(handler); }
  Link& link() { return *link_; }
  bool shaped() const { return state_->shape.has_value(); }
  LinkStats stats() const {
    LinkStats stats = link_->stats();
    stats.bytes_received += static_cast<uint64_t>(surplus_[true].load());
    stats.bytes_sent += static_cast<uint64_t>(surplus_[false].load());
    return stats;
  }
  bool Writable() const {
    return link_->Writable() && lanes_[false].free <= state_->executor->Now() + kAhead;
  }

  void Send(Frame frame) {
    if (!shaped()) return link_->Send(std::move(frame));
    if (down_ == nullptr) {
      down_ = std::make_shared<DelayedFrames>(
          state_->executor, [link = link_](Frame late) { link->Send(std::move(late)); });
    }
    const Time due = Pass(false, frame);
    down_->Add(due, std::move(frame));
    AwaitWritable();
  }

  void Close(absl::Status status) {
    closed_here_ = true;
    if (up_) up_->Drop();
    if (down_ == nullptr || down_->empty() || !status.ok()) {
      if (down_) down_->Drop();
      return link_->Close(std::move(status));
    }
    down_->Then(lanes_[false].last_due,
                [link = link_, status = std::move(status)] { link->Close(status); });
  }

  // ---- LinkHandler ----

  void OnFrame(Frame frame) override {
    if (closed_here_ || handler_ == nullptr) return;
    if (!shaped()) return handler_->OnFrame(std::move(frame));
    if (up_ == nullptr) {
      up_ =
          std::make_shared<DelayedFrames>(state_->executor, [weak = weak_from_this()](Frame late) {
            if (auto self = weak.lock(); self && self->handler_) {
              self->handler_->OnFrame(std::move(late));
            }
          });
    }
    const Time due = Pass(true, frame);
    up_->Add(due, std::move(frame));
  }
  void OnWritable() override {
    if (handler_ && Writable()) handler_->OnWritable();
  }
  void OnClosed(absl::Status status) override {
    if (down_) down_->Drop();
    auto close = [self = shared_from_this(), status = std::move(status)] {
      if (auto handler = std::exchange(self->handler_, nullptr)) handler->OnClosed(status);
    };
    if (up_ == nullptr || up_->empty()) return close();
    up_->Then(lanes_[true].last_due, std::move(close));
  }

 private:
  Time Pass(bool up, const Frame& frame) {
    const int64_t surplus = state_->Surplus(frame);
    surplus_[up] += surplus;
    const int64_t bytes = static_cast<int64_t>(EncodedSize(frame)) + surplus;
    return state_->shape->Pass(lanes_[up], up, static_cast<uint64_t>(std::max<int64_t>(0, bytes)),
                               state_->executor->Now());
  }

  // The sender was told to stop, or will be: wakes it when the link has caught up.
  void AwaitWritable() {
    if (awaiting_ || lanes_[false].free <= state_->executor->Now() + kAhead) return;
    awaiting_ = true;
    state_->executor->PostAt(lanes_[false].free - kAhead, [weak = weak_from_this()] {
      auto self = weak.lock();
      if (self == nullptr) return;
      self->awaiting_ = false;
      if (self->Writable()) {
        if (self->handler_) self->handler_->OnWritable();
      } else {
        self->AwaitWritable();
      }
    });
  }

  const std::shared_ptr<State> state_;
  const std::shared_ptr<Link> link_;
  std::shared_ptr<LinkHandler> handler_;  // null after OnClosed
  LinkShape::Lane lanes_[2];              // by `up`
  std::atomic<int64_t> surplus_[2] = {0, 0};
  std::shared_ptr<DelayedFrames> up_;
  std::shared_ptr<DelayedFrames> down_;
  bool awaiting_ = false;
  bool closed_here_ = false;  // by its user
};

class ShapedAcceptor::ShapedLink : public Link {
 public:
  explicit ShapedLink(std::shared_ptr<End> end) : end_(std::move(end)) {}
  ~ShapedLink() override { end_->Close(absl::OkStatus()); }

  void Send(Frame frame) override { end_->Send(std::move(frame)); }
  bool Writable() const override { return end_->Writable(); }
  void Close(absl::Status status) override { end_->Close(std::move(status)); }
  LinkStats stats() const override { return end_->stats(); }
  void Receive(uint64_t transfer, std::shared_ptr<ChunkSink> sink) override {
    // What goes past the handler cannot be delayed.
    if (!end_->shaped()) end_->link().Receive(transfer, std::move(sink));
  }

 private:
  const std::shared_ptr<End> end_;
};

ShapedAcceptor::ShapedAcceptor(std::shared_ptr<Acceptor> inner, std::shared_ptr<Executor> executor)
    : inner_(std::move(inner)), state_(std::make_shared<State>(std::move(executor))) {}
ShapedAcceptor::~ShapedAcceptor() = default;

void ShapedAcceptor::Set(const LinkConditions& conditions, uint64_t model_bytes, uint64_t seed) {
  state_->model_bytes = model_bytes;
  state_->seed = seed;
  state_->shape.emplace(conditions);
}

std::shared_ptr<LinkHandler> ShapedAcceptor::OnLink(std::shared_ptr<Link> link) {
  auto end = std::make_shared<End>(state_, std::move(link));
  auto handler = inner_->OnLink(std::make_shared<ShapedLink>(end));
  if (handler == nullptr) return nullptr;
  end->SetHandler(std::move(handler));
  return end;
}

}  // namespace skein
