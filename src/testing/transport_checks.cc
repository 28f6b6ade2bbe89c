#include "skein/testing/transport_checks.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "skein/base/status.h"
#include "testing/transport_peer.h"

namespace skein::testing {
namespace {

constexpr size_t kMiB = size_t{1} << 20;
// More than any transport may hold of one direction of a link whose receiver is busy: queue of the
// sender, buffers of the system, one frame on its way.
constexpr size_t kMostInFlight = 24 * kMiB;

// A chunk whose bytes depend on its number.
ChunkFrame MakeChunk(uint64_t number, size_t size) {
  auto payload = std::make_shared<std::vector<std::byte>>(size);
  uint64_t state = number * 0x9E3779B97F4A7C15 + 1;
  for (std::byte& b : *payload) {
    state = state * 6364136223846793005 + 1442695040888963407;
    b = static_cast<std::byte>(state >> 56);
  }
  ChunkFrame chunk;
  chunk.transfer = 7;
  chunk.offset = number * size;
  chunk.checksum = number + 1;
  chunk.bytes = std::span<const std::byte>(*payload);
  chunk.owner = std::move(payload);
  return chunk;
}

bool SameChunk(const Frame& frame, uint64_t number, size_t size) {
  const auto* got = std::get_if<ChunkFrame>(&frame);
  const ChunkFrame want = MakeChunk(number, size);
  return got != nullptr && got->transfer == want.transfer && got->offset == want.offset &&
         got->checksum == want.checksum && std::ranges::equal(got->bytes, want.bytes);
}

// Sends `count` chunks whenever the link takes them. Used on one executor.
class BulkSender {
 public:
  BulkSender(uint64_t count, size_t size) : count_(count), size_(size) {}
  void Go(Peer& peer) {
    const std::shared_ptr<Link> link = peer.link();
    while (next_ < count_ && link->Writable()) link->Send(MakeChunk(next_++, size_));
  }
  uint64_t sent() const { return next_; }

 private:
  const uint64_t count_;
  const size_t size_;
  std::atomic<uint64_t> next_{0};
};

GrantFrame Number(uint64_t n) { return {n, n}; }

std::vector<Frame> OneOfEach() {
  Manifest manifest = *Manifest::Create({{"w", DType::kFloat32, {3, 4}, TensorRole::kParameter},
                                         {"steps", DType::kInt64, {}, TensorRole::kBuffer}});
  NumericPlan numeric{600, 60000, {{30, 10}, {0, 0}}};
  MetricSums metrics;
  metrics.mutable_sums()["loss"] = {Fixed128::FromInt(3), Fixed128::FromInt(2)};
  PartialHeader partial{4,
                        1,
                        {3, 1, 0, 4},
                        Fixed128::FromInt(9),
                        {{"tau", Fixed128::FromInt(-1)}},
                        8,
                        Roster::Range(2, 6),
                        metrics,
                        11,
                        1,
                        3,
                        5};
  return {HelloFrame{1, "run", "w3", 2, 5},
          WelcomeFrame{1, 9},
          Task{TaskKind::kEvaluate, 4, 1, 2, {3, 1, 2, 7}, 11, 2, Roster::Of({1, 2, 5})},
          OfferFrame{5, manifest, ModelHeader{{3, 0, 0, 2}, NumericPlan{}}},
          OfferFrame{1, manifest, ModelHeader{{3, 0, 0}, numeric},
                     Encoding{"delta|fp16", 99, VersionRef{2, 1, 0}}},
          OfferFrame{2, manifest, UpdateHeader{3, 11, 4, 1, {3, 1, 0}, 600, {{"loss", 0.25}}}},
          OfferFrame{3, manifest, partial},
          GrantFrame{1, 1000},
          MakeChunk(2, 1000),
          TrailerFrame{1, std::string(32, 'a')},
          AckFrame{1, 3, "no"},
          TaskFailedFrame{TaskKind::kTrain, 4, 1, "out of memory", true},
          EvalReportFrame{4, {4, 0, 0}, 100, Roster::Range(0, 4), metrics},
          CommittedFrame{4, {4, 0, 0}},
          CancelFrame{4, 1, "too late"},
          ByeFrame{"done"}};
}

}  // namespace

// What every test starts from: a parent that listens, and children that dial it.
struct TransportChecks::World {
  explicit World(std::unique_ptr<TransportBed> the_bed)
      : bed(std::move(the_bed)),
        acceptor(std::make_shared<PeerAcceptor>(*bed)),
        parent_executor(std::make_shared<PausableExecutor>(bed->NewExecutor())) {}

  ~World() {
    for (const auto& child : children) child->Drop();
    for (size_t i = 0; i < acceptor->size(); ++i) acceptor->peer(i)->Drop();
    listener.reset();
  }

  bool Listen() {
    auto made = bed->transport().Listen(bed->free_address(), parent_executor, acceptor);
    EXPECT_TRUE(made.ok()) << made.status();
    if (!made.ok()) return false;
    listener = *std::move(made);
    address = listener->address();
    return true;
  }

  std::shared_ptr<Peer> Dial(const std::function<void(Peer&)>& prepare = nullptr) {
    auto child = std::make_shared<Peer>(*bed);
    if (prepare) prepare(*child);
    child->SetLink(bed->transport().Dial(address, bed->NewExecutor(), child));
    children.push_back(child);
    return child;
  }

  // A link with both ends in hand.
  std::pair<std::shared_ptr<Peer>, std::shared_ptr<Peer>> Connect(
      const std::function<void(Peer&)>& prepare = nullptr) {
    const size_t before = acceptor->size();
    std::shared_ptr<Peer> child = Dial(prepare);
    EXPECT_TRUE(WaitFor([&] { return acceptor->size() > before; }));
    return {child, acceptor->size() > before ? acceptor->peer(before) : nullptr};
  }

  bool WaitFor(const std::function<bool()>& done) { return bed->WaitFor(done); }
  bool WaitForFrames(const std::shared_ptr<Peer>& peer, size_t count) {
    return WaitFor([&] { return peer->frames() >= count; });
  }
  absl::Status WaitForEnd(const std::shared_ptr<Peer>& peer) {
    if (!WaitFor([&] { return peer->closed().has_value(); })) {
      return absl::DeadlineExceededError("OnClosed did not come");
    }
    return *peer->closed();
  }

  std::unique_ptr<TransportBed> bed;
  std::shared_ptr<PeerAcceptor> acceptor;
  std::shared_ptr<PausableExecutor> parent_executor;
  std::unique_ptr<Listener> listener;
  std::string address;
  std::vector<std::shared_ptr<Peer>> children;
};

TransportChecks::TransportChecks() = default;
TransportChecks::~TransportChecks() = default;

void TransportChecks::SetUp() {
  world_ = std::make_unique<World>(GetParam().make_bed());
  ASSERT_TRUE(world_->Listen());
}

void TransportChecks::TearDown() {
  for (const auto& child : world_->children) EXPECT_EQ(child->forbidden_calls(), 0);
  for (size_t i = 0; i < world_->acceptor->size(); ++i) {
    EXPECT_EQ(world_->acceptor->peer(i)->forbidden_calls(), 0);
  }
  world_.reset();
}

void TransportChecks::ExchangesHelloAndWelcome() {
  world_->acceptor->prepare = [](Peer& parent) {
    parent.on_frame = [](Peer& self, const Frame&) { self.link()->Send(WelcomeFrame{1, 42}); };
  };
  const auto child = world_->Dial();
  child->link()->Send(HelloFrame{1, "run-1", "w3", 7, 5});
  ASSERT_TRUE(world_->WaitForFrames(child, 1));
  ASSERT_EQ(world_->acceptor->size(), 1u);
  const Frame hello = world_->acceptor->peer(0)->frame(0);
  ASSERT_TRUE(std::holds_alternative<HelloFrame>(hello));
  EXPECT_EQ(std::get<HelloFrame>(hello).run, "run-1");
  EXPECT_EQ(std::get<HelloFrame>(hello).node, "w3");
  EXPECT_EQ(std::get<HelloFrame>(hello).incarnation, 7u);
  EXPECT_EQ(std::get<HelloFrame>(hello).epoch, 5u);
  const Frame welcome = child->frame(0);
  ASSERT_TRUE(std::holds_alternative<WelcomeFrame>(welcome));
  EXPECT_EQ(std::get<WelcomeFrame>(welcome).incarnation, 42u);
}

void TransportChecks::CarriesEveryKindOfFrame() {
  const std::vector<Frame> frames = OneOfEach();
  const auto [child, parent] = world_->Connect();
  for (const Frame& frame : frames) {
    child->link()->Send(frame);
    parent->link()->Send(frame);
  }
  for (const auto& peer : {child, parent}) {
    ASSERT_TRUE(world_->WaitForFrames(peer, frames.size()));
    for (size_t i = 0; i < frames.size(); ++i) {
      EXPECT_STREQ(NameOf(peer->frame(i)), NameOf(frames[i]));
      EXPECT_EQ(EncodedSize(peer->frame(i)), EncodedSize(frames[i])) << NameOf(frames[i]);
    }
  }
}

void TransportChecks::DeliversInOrderOneAtATime() {
  constexpr uint64_t kFrames = 3000;
  const auto [child, parent] = world_->Connect();
  for (uint64_t i = 0; i < kFrames; ++i) {
    child->link()->Send(Number(i));
    parent->link()->Send(Number(i));
  }
  for (const auto& peer : {child, parent}) {
    ASSERT_TRUE(world_->WaitForFrames(peer, kFrames));
    for (uint64_t i = 0; i < kFrames; ++i) {
      ASSERT_EQ(std::get<GrantFrame>(peer->frame(i)).transfer, i);
    }
  }
}

void TransportChecks::CarriesLargeTransfersBothWaysIntact() {
  constexpr uint64_t kChunks = 64;
  auto up = std::make_shared<BulkSender>(kChunks, kMiB);
  auto down = std::make_shared<BulkSender>(kChunks, kMiB);
  world_->acceptor->prepare = [down](Peer& parent) {
    // The child's first frame says that it wants everything.
    parent.on_frame = [down](Peer& self, const Frame& frame) {
      if (std::holds_alternative<HelloFrame>(frame)) down->Go(self);
    };
    parent.on_writable = [down](Peer& self) { down->Go(self); };
  };
  const auto child = world_->Dial([up](Peer& self) {
    self.on_frame = [up, started = false](Peer& me, const Frame&) mutable {
      if (!std::exchange(started, true)) up->Go(me);
    };
    self.on_writable = [up](Peer& me) { up->Go(me); };
  });
  child->link()->Send(HelloFrame{1, "run", "w0", 1, 1});
  ASSERT_TRUE(world_->WaitForFrames(child, kChunks));
  const auto parent = world_->acceptor->peer(0);
  ASSERT_TRUE(world_->WaitForFrames(parent, kChunks + 1));
  for (uint64_t i = 0; i < kChunks; ++i) {
    ASSERT_TRUE(SameChunk(child->frame(i), i, kMiB)) << i;
    ASSERT_TRUE(SameChunk(parent->frame(i + 1), i, kMiB)) << i;
  }
}

void TransportChecks::ServesManyLinks() {
  constexpr size_t kLinks = 64;
  world_->acceptor->prepare = [](Peer& parent) {
    parent.on_frame = [](Peer& self, const Frame& frame) { self.link()->Send(frame); };
  };
  std::vector<std::shared_ptr<Peer>> children;
  for (size_t i = 0; i < kLinks; ++i) {
    children.push_back(world_->Dial());
    children.back()->link()->Send(Number(i));
    children.back()->link()->Send(MakeChunk(i, 10'000));
  }
  for (size_t i = 0; i < kLinks; ++i) {
    ASSERT_TRUE(world_->WaitForFrames(children[i], 2)) << i;
    EXPECT_EQ(std::get<GrantFrame>(children[i]->frame(0)).transfer, i);
    EXPECT_TRUE(SameChunk(children[i]->frame(1), i, 10'000));
  }
  EXPECT_EQ(world_->acceptor->size(), kLinks);
}

void TransportChecks::HoldsBackASenderWhoseReceiverIsBusy() {
  constexpr uint64_t kChunks = 64;
  auto sender = std::make_shared<BulkSender>(kChunks, kMiB);
  const auto [child, parent] = world_->Connect([sender](Peer& self) {
    self.on_frame = [sender](Peer& me, const Frame&) { sender->Go(me); };
    self.on_writable = [sender](Peer& me) { sender->Go(me); };
  });
  world_->parent_executor->Pause();
  parent->link()->Send(WelcomeFrame{1, 1});
  // The link fills up and stays full: Writable turns false well before everything is sent.
  ASSERT_TRUE(world_->WaitForFrames(child, 1));
  ASSERT_TRUE(world_->WaitFor([&] { return !child->link()->Writable(); }));
  EXPECT_EQ(parent->frames(), 0u);
  EXPECT_LE(sender->sent() * kMiB, kMostInFlight);

  world_->parent_executor->Resume();
  ASSERT_TRUE(world_->WaitForFrames(parent, kChunks));
  EXPECT_GT(child->writable_calls(), 0);
  EXPECT_TRUE(world_->WaitFor([&] { return child->link()->Writable(); }));
  for (uint64_t i = 0; i < kChunks; ++i) ASSERT_TRUE(SameChunk(parent->frame(i), i, kMiB)) << i;
}

void TransportChecks::ClosesFromTheChild() {
  const auto [child, parent] = world_->Connect();
  for (uint64_t i = 0; i < 100; ++i) child->link()->Send(Number(i));
  child->link()->Close(absl::OkStatus());
  EXPECT_TRUE(world_->WaitForEnd(parent).ok()) << *parent->closed();
  EXPECT_TRUE(world_->WaitForEnd(child).ok()) << *child->closed();
  EXPECT_EQ(parent->frames(), 100u);  // what was queued came first
}

void TransportChecks::ClosesFromTheParent() {
  const auto [child, parent] = world_->Connect();
  for (uint64_t i = 0; i < 100; ++i) parent->link()->Send(Number(i));
  parent->link()->Close(absl::OkStatus());
  EXPECT_TRUE(world_->WaitForEnd(child).ok()) << *child->closed();
  EXPECT_TRUE(world_->WaitForEnd(parent).ok()) << *parent->closed();
  EXPECT_EQ(child->frames(), 100u);
}

void TransportChecks::TellsThePeerWhy() {
  for (const bool from_child : {true, false}) {
    const auto [child, parent] = world_->Connect();
    const auto& closer = from_child ? child : parent;
    const auto& other = from_child ? parent : child;
    closer->link()->Send(Number(1));
    closer->link()->Close(absl::FailedPreconditionError("epoch 3 is over"));
    closer->link()->Close(absl::InternalError("the second close has no effect"));
    for (const auto& peer : {other, closer}) {
      const absl::Status status = world_->WaitForEnd(peer);
      EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
      EXPECT_EQ(Message(status), "epoch 3 is over");
    }
    EXPECT_EQ(other->frames(), 1u);
  }
}

void TransportChecks::DropsWhatIsSentAfterTheEnd() {
  const auto [child, parent] = world_->Connect();
  child->link()->Close(absl::OkStatus());
  EXPECT_FALSE(child->link()->Writable());
  child->link()->Send(Number(1));
  ASSERT_TRUE(world_->WaitForEnd(parent).ok());
  ASSERT_TRUE(world_->WaitForEnd(child).ok());
  EXPECT_FALSE(parent->link()->Writable());
  parent->link()->Send(Number(2));
  child->link()->Send(Number(3));
  EXPECT_EQ(parent->frames(), 0u);
  EXPECT_EQ(child->frames(), 0u);
}

void TransportChecks::ClosesWhenALinkIsDestroyed() {
  for (const bool from_child : {true, false}) {
    const auto [child, parent] = world_->Connect();
    const auto& dropper = from_child ? child : parent;
    const auto& other = from_child ? parent : child;
    dropper->link()->Send(Number(1));
    dropper->Drop();
    EXPECT_TRUE(world_->WaitForEnd(other).ok()) << *other->closed();
    EXPECT_TRUE(world_->WaitForEnd(dropper).ok()) << *dropper->closed();
    EXPECT_EQ(other->frames(), 1u);
  }
}

void TransportChecks::ClosesLinksWhenTheListenerIsDestroyed() {
  const auto [first, first_parent] = world_->Connect();
  const auto [second, second_parent] = world_->Connect();
  first_parent->link()->Send(Number(1));
  world_->listener.reset();
  for (const auto& peer : {first, second, first_parent, second_parent}) {
    EXPECT_TRUE(world_->WaitForEnd(peer).ok()) << *peer->closed();
  }
  EXPECT_EQ(first->frames(), 1u);
  const auto late = world_->Dial();
  EXPECT_EQ(world_->WaitForEnd(late).code(), absl::StatusCode::kUnavailable);
}

void TransportChecks::ReportsThatNothingListens() {
  world_->listener.reset();  // its address is well-formed and nobody's
  const auto child = world_->Dial();
  child->link()->Send(HelloFrame{1, "run", "w0", 1, 1});
  const absl::Status status = world_->WaitForEnd(child);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_NE(Message(status).find(world_->address), std::string::npos) << status;
}

void TransportChecks::RefusesALink() {
  world_->acceptor->refuse = true;
  const auto child = world_->Dial();
  child->link()->Send(HelloFrame{1, "run", "w0", 1, 1});
  const absl::Status status = world_->WaitForEnd(child);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_EQ(child->frames(), 0u);
}

void TransportChecks::RefusesAnAddressInUse() {
  auto again =
      world_->bed->transport().Listen(world_->address, world_->parent_executor, world_->acceptor);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.status().code(), absl::StatusCode::kUnavailable) << again.status();
  EXPECT_NE(Message(again.status()).find(world_->address), std::string::npos) << again.status();
  // The first listener still works.
  EXPECT_NE(world_->Connect().second, nullptr);
}

void TransportChecks::RefusesAMalformedAddress() {
  world_->address = world_->bed->malformed_address();
  auto listener =
      world_->bed->transport().Listen(world_->address, world_->parent_executor, world_->acceptor);
  EXPECT_EQ(listener.status().code(), absl::StatusCode::kInvalidArgument) << listener.status();
  const auto child = world_->Dial();
  EXPECT_EQ(world_->WaitForEnd(child).code(), absl::StatusCode::kInvalidArgument);
}

void TransportChecks::CountsEncodedBytesOnBothEnds() {
  const auto [child, parent] = world_->Connect();
  size_t up = 0;
  size_t down = 0;
  const std::vector<Frame> frames = OneOfEach();
  for (const Frame& frame : frames) {
    child->link()->Send(frame);
    up += EncodedSize(frame);
  }
  for (size_t i = 0; i < frames.size(); i += 2) {
    parent->link()->Send(frames[i]);
    down += EncodedSize(frames[i]);
  }
  ASSERT_TRUE(world_->WaitForFrames(parent, frames.size()));
  ASSERT_TRUE(world_->WaitForFrames(child, (frames.size() + 1) / 2));
  EXPECT_EQ(parent->encoded_bytes(), up);
  EXPECT_EQ(child->encoded_bytes(), down);
  child->link()->Close(absl::OkStatus());
  ASSERT_TRUE(world_->WaitForEnd(parent).ok());
  EXPECT_EQ(child->link()->stats().bytes_sent, up);
  EXPECT_EQ(parent->link()->stats().bytes_received, up);
  EXPECT_EQ(parent->link()->stats().bytes_sent, down);
  EXPECT_EQ(child->link()->stats().bytes_received, down);
}

void TransportChecks::RefusesToSendWhatIsTooLarge() {
  const auto [child, parent] = world_->Connect();
  child->link()->Send(MakeChunk(0, 4 * kMiB));  // as large as may be
  child->link()->Send(MakeChunk(1, 4 * kMiB + 1));
  for (const auto& peer : {child, parent}) {
    EXPECT_EQ(world_->WaitForEnd(peer).code(), absl::StatusCode::kResourceExhausted);
  }
  ASSERT_EQ(parent->frames(), 1u);
  EXPECT_TRUE(SameChunk(parent->frame(0), 0, 4 * kMiB));
}

void TransportChecks::MayBeDestroyedInsideAHandler() {
  const auto [first, first_parent] = world_->Connect(
      [](Peer& self) { self.on_frame = [](Peer& me, const Frame&) { me.Drop(); }; });
  first_parent->link()->Send(Number(1));
  first_parent->link()->Send(Number(2));  // after the drop, so not delivered
  EXPECT_TRUE(world_->WaitForEnd(first_parent).ok());
  EXPECT_TRUE(world_->WaitForEnd(first).ok());
  EXPECT_EQ(first->frames(), 1u);

  const auto [second, second_parent] =
      world_->Connect([](Peer& self) { self.on_closed = [](Peer& me) { me.Drop(); }; });
  second_parent->on_frame = [this](Peer&, const Frame&) { world_->listener.reset(); };
  second->link()->Send(Number(1));
  EXPECT_TRUE(world_->WaitForEnd(second).ok());
  EXPECT_TRUE(world_->WaitForEnd(second_parent).ok());
}

void TransportChecks::KeepsQuietAfterAClose() {
  for (int i = 0; i < 20; ++i) {
    // Both ends send as they are closed from both sides at once.
    const auto [child, parent] = world_->Connect();
    for (uint64_t n = 0; n < 200; ++n) {
      child->link()->Send(Number(n));
      parent->link()->Send(Number(n));
      if (n == 100) child->link()->Close(absl::OkStatus());
      if (n == 101) parent->link()->Close(absl::AbortedError("both"));
    }
    ASSERT_TRUE(world_->WaitFor(
        [&, c = child, p = parent] { return c->closed().has_value() && p->closed().has_value(); }));
  }
  // TearDown checks that no end heard anything after its OnClosed.
}

}  // namespace skein::testing
