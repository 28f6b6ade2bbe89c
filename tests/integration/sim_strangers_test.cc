// A child that speaks another protocol or belongs to another run: its parent takes nothing from it,
// and the run ends, or goes on without it, with a reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "support/sim_federation.h"
#include "testing/forwarding_link.h"

namespace skein {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;

using Change = std::function<void(HelloFrame&)>;

// The hellos of one node are not what it would say.
class ChangedLink final : public testing::ForwardingLink {
 public:
  ChangedLink(std::shared_ptr<Link> inner, Change change)
      : ForwardingLink(std::move(inner)), change_(std::move(change)) {}
  void Send(Frame frame) override {
    if (auto* hello = std::get_if<HelloFrame>(&frame)) change_(*hello);
    ForwardingLink::Send(std::move(frame));
  }

 private:
  const Change change_;
};

// And it takes the welcome of its parent for one of the parent's protocol.
class ChangedHandler final : public LinkHandler {
 public:
  ChangedHandler(std::shared_ptr<LinkHandler> inner, std::shared_ptr<uint32_t> protocol)
      : inner_(std::move(inner)), protocol_(std::move(protocol)) {}
  void OnFrame(Frame frame) override {
    // A child of protocol 2 that hears 1 is one of protocol 1 that hears 2.
    auto* welcome = std::get_if<WelcomeFrame>(&frame);
    if (welcome != nullptr && *protocol_ != kProtocolVersion) welcome->protocol = *protocol_;
    inner_->OnFrame(std::move(frame));
  }
  void OnWritable() override { inner_->OnWritable(); }
  void OnClosed(absl::Status status) override { inner_->OnClosed(std::move(status)); }

 private:
  const std::shared_ptr<LinkHandler> inner_;
  const std::shared_ptr<uint32_t> protocol_;
};

class ChangedTransport final : public Transport {
 public:
  ChangedTransport(std::shared_ptr<Transport> inner, NodeId node, Change change)
      : inner_(std::move(inner)), node_(std::move(node)), change_(std::move(change)) {}
  absl::StatusOr<std::unique_ptr<Listener>> Listen(const std::string& address,
                                                   std::shared_ptr<Executor> executor,
                                                   std::shared_ptr<Acceptor> acceptor) override {
    return inner_->Listen(address, std::move(executor), std::move(acceptor));
  }
  std::shared_ptr<Link> Dial(const std::string& address, std::shared_ptr<Executor> executor,
                             std::shared_ptr<LinkHandler> handler) override {
    auto protocol = std::make_shared<uint32_t>(kProtocolVersion);
    auto link = inner_->Dial(address, std::move(executor),
                             std::make_shared<ChangedHandler>(std::move(handler), protocol));
    return std::make_shared<ChangedLink>(std::move(link), [this, protocol](HelloFrame& hello) {
      if (hello.node != node_) return;
      change_(hello);
      *protocol = hello.protocol;
    });
  }

 private:
  const std::shared_ptr<Transport> inner_;
  const NodeId node_;
  const Change change_;
};

// Two sites of three workers, of which `node` says something else in its hello.
SimFederation::Options WithStranger(const NodeId& node, Change change) {
  SimFederation::Options options{.topology = Tree("tree:2x3"), .config = SimFederation::Config(3)};
  options.config.limits.start_timeout = minutes(2);
  options.config.strategy.policy = {"quorum", {{"count", 1}, {"deadline_s", 5.0}}};
  options.watch = [=](std::shared_ptr<Transport> inner) {
    return std::make_shared<ChangedTransport>(std::move(inner), node, change);
  };
  return options;
}

TEST(SimStrangers, AChildOfAnotherProtocolEndsTheRunAtOnceWithTheReason) {
  for (const char* node : {"w4", "a1"}) {
    SimFederation federation(
        WithStranger(node, [](HelloFrame& hello) { hello.protocol = kProtocolVersion + 1; }));
    ASSERT_TRUE(federation.Run(minutes(1)));
    EXPECT_EQ(federation.outcome().status, "failed");
    EXPECT_THAT(federation.outcome().reason,
                AllOf(HasSubstr("node '" + std::string(node) + "' cannot start: its parent '"),
                      HasSubstr("speaks protocol"), HasSubstr("use the same release on both")));
  }
}

TEST(SimStrangers, AChildOfAnotherRunIsNotTakenInAndTheRunDoesNotStart) {
  SimFederation federation(
      WithStranger("w4", [](HelloFrame& hello) { hello.run = "another-run"; }));
  ASSERT_TRUE(federation.Run(minutes(5)));
  EXPECT_EQ(federation.outcome().status, "failed");
  EXPECT_THAT(federation.outcome().reason, AllOf(HasSubstr("did not start within 120 s"),
                                                 HasSubstr("w4 (not attached to its parent)")));
}

// It was one of us when the run started.
TEST(SimStrangers, AChildThatComesBackAsOneOfAnotherRunIsGoneOnWithout) {
  auto strange = std::make_shared<bool>(false);
  SimFederation::Options options = WithStranger("w4", [strange](HelloFrame& hello) {
    if (*strange) hello.run = "another-run";
  });
  options.config.rounds = 20;
  options.work = [](const NodeId&) {
    return testing::Simulation::TaskModel{.duration = [](uint64_t) { return seconds(1); }};
  };
  SimFederation federation(std::move(options));
  federation.simulation().RunUntil([&] { return federation.CommittedRounds().size() >= 2; },
                                   minutes(5));
  *strange = true;
  federation.Kill("w4");
  federation.StartNode("w4");
  ASSERT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  EXPECT_EQ(federation.CommittedRounds().back().contributors.ToString(), "0-3,5");
  federation.ExpectReproducible();
}

}  // namespace
}  // namespace skein
