#include "federation/node_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "skein/testing/sim_executor.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

// Control planes that take a connection, and do what the test says.
class Dialer : public ControlDialer {
 public:
  struct Silent : ControlLink {
    void Send(NodeMessage) override {}
    void Close() override {}
  };
  std::shared_ptr<ControlLink> Connect(std::shared_ptr<Executor>,
                                       std::shared_ptr<ControlHandler> handler) override {
    handlers.push_back(std::move(handler));
    return std::make_shared<Silent>();
  }
  std::vector<std::shared_ptr<ControlHandler>> handlers;
};

class NodeHostTest : public ::testing::Test {
 protected:
  void Start(bool waits) {
    NodeHost::Options options;
    options.ids = {"w0"};
    options.waits = waits;
    host_ = std::make_shared<NodeHost>(std::move(options), simulation_.NewExecutor(), dialer_,
                                       [] { return NodeServices{}; });
    host_->Start([this](absl::Status status) { ended_ = std::move(status); });
    simulation_.RunFor(Duration(0));
  }
  void Run(int seconds) { simulation_.RunFor(std::chrono::seconds(seconds)); }

  testing::Simulation simulation_;
  const std::shared_ptr<Dialer> dialer_ = std::make_shared<Dialer>();
  std::shared_ptr<NodeHost> host_;
  std::optional<absl::Status> ended_;
};

TEST_F(NodeHostTest, EndsIfWhatItReachesDoesNotAnswer) {
  Start(/*waits=*/false);
  Run(59);
  EXPECT_FALSE(ended_.has_value());
  Run(2);
  ASSERT_TRUE(ended_.has_value());
  EXPECT_EQ(ended_->code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Message(*ended_), HasSubstr("node w0: the control plane takes connections and does "
                                          "not answer"));
}

TEST_F(NodeHostTest, TriesAgainIfItIsToWait) {
  Start(/*waits=*/true);
  Run(70);
  EXPECT_FALSE(ended_.has_value());
  EXPECT_EQ(dialer_->handlers.size(), 2u);
  // What the first connection still brings is not its business.
  dialer_->handlers[0]->OnControlClosed(absl::InternalError("late"));
  Run(30);
  EXPECT_FALSE(ended_.has_value());
  EXPECT_EQ(dialer_->handlers.size(), 2u);
}

TEST_F(NodeHostTest, WhoAnsweredMayBeSilentForLong) {
  Start(/*waits=*/false);
  dialer_->handlers[0]->OnControl(EnlistedMsg{});
  Run(1000);
  EXPECT_FALSE(ended_.has_value());
  EXPECT_EQ(dialer_->handlers.size(), 1u);
}

}  // namespace
}  // namespace skein
