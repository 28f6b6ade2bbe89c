// The control plane over gRPC: loopback with a port that the system chose, and in process.

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "skein/base/status.h"
#include "skein/base/thread_pool.h"
#include "skein/control/control_plane.h"
#include "skein/v1/control.grpc.pb.h"
#include "unit/control/scheduler_driver.h"
#include "unit/control/scripted_node.h"

namespace skein {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr auto kPatience = std::chrono::seconds(60);

// A sink at which a test can wait.
class WaitingSink : public EventSink {
 public:
  void OnEvent(const Event& event) override {
    std::lock_guard lock(mutex_);
    ++counts_[event.type];
    changed_.notify_all();
  }
  bool WaitFor(const std::string& type, size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return counts_[type] >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, size_t> counts_;
};

// Waits for the end of one connection.
class ClosedHandler : public ControlHandler {
 public:
  void OnControl(ControlMessage) override {}
  void OnControlClosed(absl::Status status) override {
    std::lock_guard lock(mutex_);
    status_ = std::move(status);
    changed_.notify_all();
  }
  std::optional<absl::Status> Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return status_.has_value(); });
    return status_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<absl::Status> status_;
};

class GrpcControlTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(strategies_.selectors
                    .Register({"all", "", "", ParamSchema()},
                              [](const Params&) -> absl::StatusOr<std::shared_ptr<Selector>> {
                                return std::make_shared<FakeSelector>(SelectAll());
                              })
                    .ok());
    auto plane = ControlPlane::Create(
        {SchedulerDriver::DefaultConfig(), Topology::FromShape("tree:2x3").value(), "", ""},
        pool_.NewExecutor(), OpenSqliteStore(":memory:").value(), sink_, &strategies_);
    ASSERT_TRUE(plane.ok()) << plane.status();
    plane_ = *std::move(plane);
  }
  void TearDown() override {
    server_.reset();
    dialers_.clear();
    pool_.Shutdown();
  }

  void Listen(const std::string& address) {
    auto server = StartControlServer(plane_, address);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  // Dialers outlive their links.
  std::shared_ptr<ControlDialer> Keep(std::shared_ptr<ControlDialer> dialer) {
    return dialers_.emplace_back(std::move(dialer));
  }
  void StartRun() {
    plane_->Start([this](RunOutcome outcome) {
      std::lock_guard lock(mutex_);
      outcome_ = std::move(outcome);
      ended_.notify_all();
    });
  }
  std::optional<RunOutcome> Outcome() {
    std::unique_lock lock(mutex_);
    ended_.wait_for(lock, kPatience, [&] { return outcome_.has_value(); });
    return outcome_;
  }
  std::shared_ptr<ScriptedNode> NewNode(const NodeId& id, std::shared_ptr<ControlDialer> dialer) {
    return std::make_shared<ScriptedNode>(id, id[0] != 'w', pool_.NewExecutor(), std::move(dialer));
  }
  void StartNodes(const std::shared_ptr<ControlDialer>& dialer) {
    const Topology topology = Topology::FromShape("tree:2x3").value();
    for (const TopologyNode& node : topology.nodes()) {
      nodes_[node.id] = NewNode(node.id, dialer);
      nodes_[node.id]->Start();
    }
  }
  void ExpectACompleteRun() {
    const auto outcome = Outcome();
    ASSERT_TRUE(outcome.has_value()) << "the run did not end";
    EXPECT_EQ(outcome->status, "completed") << outcome->reason;
    EXPECT_EQ(outcome->rounds, 3u);
    EXPECT_TRUE(sink_->WaitFor(event::kEvaluated, 3));
  }

  ThreadPool pool_{3};
  StrategyRegistries strategies_;
  std::shared_ptr<WaitingSink> sink_ = std::make_shared<WaitingSink>();
  std::shared_ptr<ControlPlane> plane_;
  std::unique_ptr<ControlServer> server_;
  std::vector<std::shared_ptr<ControlDialer>> dialers_;
  std::map<NodeId, std::shared_ptr<ScriptedNode>> nodes_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::optional<RunOutcome> outcome_;
};

TEST_F(GrpcControlTest, ARunCompletesOverLoopback) {
  Listen("127.0.0.1:0");
  EXPECT_THAT(server_->address(), ::testing::MatchesRegex("127\\.0\\.0\\.1:[1-9][0-9]*"));
  StartRun();
  StartNodes(Keep(MakeGrpcControlDialer(server_->address())));
  ExpectACompleteRun();
}

TEST_F(GrpcControlTest, ARunCompletesInProcessWithoutAPort) {
  Listen("");
  EXPECT_EQ(server_->address(), "");
  StartRun();
  StartNodes(Keep(server_->InProcess()));
  ExpectACompleteRun();
}

TEST_F(GrpcControlTest, NodesThatConnectBeforeTheStartAreServed) {
  Listen("");
  StartNodes(Keep(server_->InProcess()));
  StartRun();
  ExpectACompleteRun();
}

TEST_F(GrpcControlTest, ABrokenConnectionIsALoss) {
  Listen("127.0.0.1:0");
  StartRun();
  const auto dialer = Keep(MakeGrpcControlDialer(server_->address()));
  const auto handler = std::make_shared<ClosedHandler>();
  const auto link = dialer->Connect(pool_.NewExecutor(), handler);
  link->Send(RegisterMsg{"w0", 1});
  ASSERT_TRUE(sink_->WaitFor(event::kNodeStarted, 1));
  link->Close();
  EXPECT_TRUE(sink_->WaitFor(event::kNodeLost, 1));
  EXPECT_TRUE(handler->Wait().has_value());
}

TEST_F(GrpcControlTest, RefusalsReachTheNode) {
  Listen("127.0.0.1:0");
  StartRun();
  const auto dialer = Keep(MakeGrpcControlDialer(server_->address()));
  const auto handler = std::make_shared<ClosedHandler>();
  const auto link = dialer->Connect(pool_.NewExecutor(), handler);
  link->Send(RegisterMsg{"w77", 1});
  const auto status = handler->Wait();
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(*status), HasSubstr("node 'w77' is not in the run's topology"));
}

TEST_F(GrpcControlTest, AnInvalidMessageEndsItsStreamAlone) {
  Listen("127.0.0.1:0");
  StartRun();
  auto stub = v1::ControlPlane::NewStub(
      grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  auto stream = stub->Connect(&context);
  v1::NodeMessage message;
  message.mutable_register_()->set_node("w0");
  message.mutable_register_()->set_protocol(99);
  stream->Write(message);
  v1::ControlMessage answer;
  EXPECT_FALSE(stream->Read(&answer));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("control protocol 99"));
  StartNodes(Keep(MakeGrpcControlDialer(server_->address())));
  ExpectACompleteRun();
}

TEST_F(GrpcControlTest, ShutdownTellsTheNodes) {
  Listen("127.0.0.1:0");
  StartRun();
  const auto handler = std::make_shared<ClosedHandler>();
  const auto link =
      Keep(MakeGrpcControlDialer(server_->address()))->Connect(pool_.NewExecutor(), handler);
  link->Send(RegisterMsg{"w0", 1});
  ASSERT_TRUE(sink_->WaitFor(event::kNodeStarted, 1));
  server_.reset();
  const auto status = handler->Wait();
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->code(), absl::StatusCode::kUnavailable);
}

TEST_F(GrpcControlTest, NobodyListeningIsTold) {
  Listen("127.0.0.1:0");
  const std::string address = server_->address();
  server_.reset();
  const auto handler = std::make_shared<ClosedHandler>();
  const auto link = Keep(MakeGrpcControlDialer(address))->Connect(pool_.NewExecutor(), handler);
  const auto status = handler->Wait();
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Message(*status), HasSubstr("the control plane at " + address));
}

TEST_F(GrpcControlTest, RefusesBadPlacesToListen) {
  Listen("127.0.0.1:0");
  const auto taken = StartControlServer(plane_, server_->address());
  EXPECT_EQ(taken.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Message(taken.status()), HasSubstr(server_->address()));
  EXPECT_EQ(StartControlServer(plane_, "0.0.0.0:0").status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(StartControlServer(plane_, "somewhere").status().code(),
            absl::StatusCode::kInvalidArgument);
  const auto handler = std::make_shared<ClosedHandler>();
  Keep(MakeGrpcControlDialer("somewhere"))->Connect(pool_.NewExecutor(), handler);
  EXPECT_EQ(handler->Wait()->code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace skein
