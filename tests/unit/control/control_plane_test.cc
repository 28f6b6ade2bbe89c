#include "skein/control/control_plane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/testing/direct_control.h"
#include "skein/testing/sim_executor.h"
#include "unit/control/scheduler_driver.h"
#include "unit/control/scripted_node.h"

namespace skein {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// A store whose k-th write fails (0: none).
class FailingStore : public RunStore {
 public:
  explicit FailingStore(int fail_at = 0)
      : inner_(OpenSqliteStore(":memory:").value()), fail_at_(fail_at) {}

  absl::Status PutRun(const RunRecord& run) override {
    return Fails() ? Full() : inner_->PutRun(run);
  }
  absl::StatusOr<std::optional<RunRecord>> GetRun(const std::string& run_id) override {
    return inner_->GetRun(run_id);
  }
  absl::Status PutAttachments(const std::string& run_id,
                              std::span<const AttachmentRecord> records) override {
    ++attachment_writes_;
    return Fails() ? Full() : inner_->PutAttachments(run_id, records);
  }
  absl::StatusOr<std::vector<AttachmentRecord>> Attachments(const std::string& run_id) override {
    return inner_->Attachments(run_id);
  }
  absl::Status PutRound(const std::string& run_id, const RoundRecord& record) override {
    return Fails() ? Full() : inner_->PutRound(run_id, record);
  }
  absl::StatusOr<std::vector<RoundRecord>> Rounds(const std::string& run_id) override {
    return inner_->Rounds(run_id);
  }
  absl::Status PutSubmission(const SubmissionRecord& record) override {
    return Fails() ? Full() : inner_->PutSubmission(record);
  }
  absl::StatusOr<std::vector<SubmissionRecord>> Submissions() override {
    return inner_->Submissions();
  }
  int writes() const { return writes_; }
  int attachment_writes() const { return attachment_writes_; }

 private:
  bool Fails() { return ++writes_ >= fail_at_ && fail_at_ != 0; }
  static absl::Status Full() { return absl::ResourceExhaustedError("the disk is full"); }

  std::unique_ptr<RunStore> inner_;
  const int fail_at_;
  int writes_ = 0;
  int attachment_writes_ = 0;
};

class ControlPlaneTest : public ::testing::Test {
 protected:
  ControlPlaneTest() {
    EXPECT_TRUE(strategies_.selectors
                    .Register({"all", "", "", ParamSchema()},
                              [](const Params&) -> absl::StatusOr<std::shared_ptr<Selector>> {
                                return std::make_shared<FakeSelector>(SelectAll());
                              })
                    .ok());
    config_ = SchedulerDriver::DefaultConfig();
  }

  // Nodes own their links, which hold the nodes until they are closed.
  ~ControlPlaneTest() override {
    if (plane_ != nullptr) plane_->RequestStop("end of test");
    sim_.RunFor(std::chrono::minutes(1));
  }

  absl::Status Create(const std::string& shape) {
    auto plane = ControlPlane::Create({config_, Topology::FromShape(shape).value(), "spec", shape},
                                      sim_.NewExecutor(), store_, sink_, &strategies_);
    if (!plane.ok()) return plane.status();
    plane_ = *std::move(plane);
    control_ = std::make_shared<testing::DirectControl>(plane_, latency_);
    const Topology topology = Topology::FromShape(shape).value();
    for (const TopologyNode& node : topology.nodes()) {
      nodes_[node.id] = NewNode(node.id, node.role != NodeRole::kWorker);
    }
    return absl::OkStatus();
  }
  std::shared_ptr<ScriptedNode> NewNode(const NodeId& id, bool inner, Incarnation life = 1) {
    return std::make_shared<ScriptedNode>(id, inner, sim_.NewExecutor(), control_, life);
  }
  void StartAll() {
    plane_->Start([this](RunOutcome outcome) { outcome_ = std::move(outcome); });
    for (auto& [id, node] : nodes_) node->Start();
  }
  bool RunToTheEnd() {
    return sim_.RunUntil([this] { return outcome_.has_value(); });
  }
  bool RunUntilEvents(const std::string& type, size_t count) {
    return sim_.RunUntil([&] { return sink_->Of(type).size() >= count; });
  }

  testing::Simulation sim_;
  Duration latency_{0};
  StrategyRegistries strategies_;
  RunConfig config_;
  std::shared_ptr<RunStore> store_ = std::make_shared<FailingStore>();
  std::shared_ptr<RecordingSink> sink_ = std::make_shared<RecordingSink>();
  std::shared_ptr<ControlPlane> plane_;
  std::shared_ptr<testing::DirectControl> control_;
  std::map<NodeId, std::shared_ptr<ScriptedNode>> nodes_;
  std::optional<RunOutcome> outcome_;
};

TEST_F(ControlPlaneTest, CompletesARunAndKeepsItInTheStore) {
  latency_ = std::chrono::milliseconds(10);
  ASSERT_TRUE(Create("tree:2x2").ok());
  StartAll();
  ASSERT_TRUE(RunToTheEnd());
  EXPECT_EQ(outcome_->status, "completed");
  EXPECT_EQ(outcome_->rounds, 3u);
  EXPECT_EQ(store_->GetRun("r1").value()->status, "completed");
  EXPECT_EQ(store_->GetRun("r1").value()->spec, "spec");
  const auto rounds = store_->Rounds("r1").value();
  ASSERT_THAT(rounds, SizeIs(3));
  for (const RoundRecord& round : rounds) EXPECT_EQ(round.state, "committed");
  EXPECT_THAT(store_->Attachments("r1").value(), SizeIs(7));
  EXPECT_EQ(nodes_["a1"]->view().leaf_begin, 2u);

  const auto started = sink_->Of(event::kRunStarted);
  ASSERT_THAT(started, SizeIs(1));
  EXPECT_EQ(ToJson(started[0].fields),
            R"({"name":"test","nodes":7,"rounds":3,"run":"r1","seed":7,"workers":4})");
  EXPECT_THAT(sink_->Of(event::kNodeStarted), SizeIs(7));
  EXPECT_EQ(sink_->Of(event::kNodeStarted)[0].fields.at("pid"), Value(42));
  for (const Event& node : sink_->Of(event::kNodeStarted)) {
    const bool has_parent = node.fields.contains("parent");
    EXPECT_EQ(has_parent, node.node != "root");
    EXPECT_TRUE(node.node != "w3" || node.fields.at("parent") == Value("a1"));
  }
  EXPECT_THAT(sink_->Of(event::kEvaluated), SizeIs(3));
  // Register, assign, attach, attached, plan: five messages and the first to arrive.
  EXPECT_DOUBLE_EQ(sink_->Of(event::kRoundOpened)[0].time_s, 0.03);
  EXPECT_EQ(sink_->Types().back(), event::kRunEnded);
}

TEST_F(ControlPlaneTest, AccountsBytesByTierAndRound) {
  ASSERT_TRUE(Create("tree:2x2").ok());
  StartAll();
  ASSERT_TRUE(RunUntilEvents(event::kRoundOpened, 1));
  nodes_["a0"]->Send(ReportMsg{{}, 50, 7, 300.0});
  nodes_["a1"]->Send(ReportMsg{{}, 20, 1, 10.0});
  nodes_["a1"]->Send(ReportMsg{{}, 30, 3, 20.0});  // cumulative
  nodes_["w0"]->Send(ReportMsg{{}, 0, 0, 5.0});
  ASSERT_TRUE(RunToTheEnd());
  const auto committed = sink_->Of(event::kRoundCommitted);
  ASSERT_THAT(committed, SizeIs(3));
  EXPECT_EQ(ToJson(committed[1].fields.at("bytes"))  //
                .substr(0, 34),
            R"([{"down":2000,"tier":0,"up":1000},)");
  const auto ended = sink_->Of(event::kRunEnded);
  ASSERT_THAT(ended, SizeIs(1));
  EXPECT_EQ(ToJson(ended[0].fields.at("bytes")),
            R"([{"down":6000,"tier":0,"up":3000},{"down":10,"tier":1,"up":80}])");
  EXPECT_EQ(ended[0].fields.at("peak_rss_mib"), Value(300.0));
}

TEST_F(ControlPlaneTest, ANewLifeOfANodeCountsItsBytesFromZero) {
  ASSERT_TRUE(Create("flat:2").ok());
  nodes_["root"]->answers_plans = false;
  StartAll();
  ASSERT_TRUE(RunUntilEvents(event::kRoundOpened, 1));
  nodes_["root"]->Send(ReportMsg{{}, 100, 100, 1.0});
  sim_.RunFor(std::chrono::seconds(1));
  control_->Cut("root");
  ASSERT_TRUE(RunToTheEnd());
  EXPECT_EQ(outcome_->status, "failed");
  const auto first = sink_->Of(event::kRunEnded)[0].fields.at("bytes");
  EXPECT_EQ(ToJson(first), R"([{"down":100,"tier":0,"up":100}])");

  // An inner node that comes back within the run.
  outcome_.reset();
  sink_ = std::make_shared<RecordingSink>();
  config_.run_id = "r2";
  ASSERT_TRUE(Create("tree:2x1").ok());
  nodes_["root"]->answers_plans = false;
  StartAll();
  ASSERT_TRUE(RunUntilEvents(event::kRoundOpened, 1));
  nodes_["a0"]->Send(ReportMsg{{}, 50, 50, 1.0});
  sim_.RunFor(std::chrono::seconds(1));
  control_->Cut("a0");
  nodes_["a0"] = NewNode("a0", true, 2);
  nodes_["a0"]->Start();
  ASSERT_TRUE(RunUntilEvents(event::kNodeStarted, 6));
  nodes_["a0"]->Send(ReportMsg{{}, 5, 4, 1.0});
  sim_.RunFor(std::chrono::seconds(1));
  plane_->RequestStop("enough");
  ASSERT_TRUE(RunToTheEnd());
  EXPECT_EQ(ToJson(sink_->Of(event::kRunEnded)[0].fields.at("bytes")),
            R"([{"down":0,"tier":0,"up":0},{"down":54,"tier":1,"up":55}])");
}

TEST_F(ControlPlaneTest, StampsTheEventsOfNodesAndDropsForeignOnes) {
  ASSERT_TRUE(Create("tree:2x2").ok());
  nodes_["root"]->answers_plans = false;
  StartAll();
  ASSERT_TRUE(RunUntilEvents(event::kRoundOpened, 1));
  sim_.RunFor(std::chrono::seconds(2));
  ReportMsg report;
  report.events = {
      {77, event::kUpdateAccepted, 1, "w0", {{"parent", "a0"}, {"samples", 5}}},
      {0, event::kUpdateAccepted, 1, "w3", {}},      // of another subtree
      {0, event::kRunEnded, 1, "w0", {}},            // not a node's to say
      {0, event::kUpdateRejected, 1, "nobody", {}},  // unknown
      {0, event::kUpdateRejected, 1, "w1", {{"reason", std::string(17 << 20, 'x')}}},
  };
  nodes_["a0"]->Send(report);
  sim_.RunFor(std::chrono::seconds(1));
  const auto accepted = sink_->Of(event::kUpdateAccepted);
  ASSERT_THAT(accepted, SizeIs(1));
  EXPECT_EQ(accepted[0].node, "w0");
  EXPECT_DOUBLE_EQ(accepted[0].time_s, 2.0);
  EXPECT_EQ(accepted[0].fields.at("samples"), Value(5));
  EXPECT_THAT(sink_->Of(event::kUpdateRejected), SizeIs(0));
  EXPECT_THAT(sink_->Of(event::kRunEnded), SizeIs(0));
}

TEST_F(ControlPlaneTest, ACutNodeIsLostAndMayComeBack) {
  ASSERT_TRUE(Create("flat:3").ok());
  nodes_["root"]->answers_plans = false;
  StartAll();
  ASSERT_TRUE(RunUntilEvents(event::kRoundOpened, 1));
  control_->Cut("w1");
  ASSERT_TRUE(RunUntilEvents(event::kNodeLost, 1));
  EXPECT_EQ(sink_->Of(event::kNodeLost)[0].fields.at("reason"),
            Value("its connection broke: the connection was cut"));
  ASSERT_TRUE(sim_.RunUntil([&] { return nodes_["w1"]->closed().has_value(); }));
  EXPECT_EQ(nodes_["w1"]->closed()->code(), absl::StatusCode::kUnavailable);
  nodes_["w1"] = NewNode("w1", false, 2);
  nodes_["w1"]->Start();
  ASSERT_TRUE(RunUntilEvents(event::kNodeStarted, 5));
  const auto attachments = store_->Attachments("r1").value();
  ASSERT_THAT(attachments, SizeIs(5));
  EXPECT_EQ(attachments[3].child, "w1");
  EXPECT_EQ(attachments[3].epoch, 2u);
  EXPECT_EQ(attachments[3].incarnation, 2u);
}

TEST_F(ControlPlaneTest, ASecondRegistrationIsRefusedAndTheFirstStays) {
  ASSERT_TRUE(Create("flat:2").ok());
  nodes_["root"]->answers_plans = false;
  StartAll();
  ASSERT_TRUE(RunUntilEvents(event::kRoundOpened, 1));
  const auto twin = NewNode("w0", false, 9);
  twin->Start();
  const auto stranger = NewNode("w00", false, 9);
  stranger->Start();
  ASSERT_TRUE(sim_.RunUntil([&] { return twin->closed() && stranger->closed(); }));
  EXPECT_EQ(twin->closed()->code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(stranger->closed()->code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(nodes_["w0"]->closed().has_value());
  EXPECT_THAT(sink_->Of(event::kNodeLost), SizeIs(0));
}

TEST_F(ControlPlaneTest, SilentNodesAreLost) {
  ASSERT_TRUE(Create("flat:2").ok());
  nodes_["root"]->answers_plans = false;
  for (const char* id : {"root", "w0"}) nodes_[id]->heartbeat_every = std::chrono::seconds(2);
  StartAll();
  ASSERT_TRUE(RunUntilEvents(event::kNodeLost, 1));
  EXPECT_EQ(sink_->Of(event::kNodeLost)[0].node, "w1");
  EXPECT_LE(sim_.Now(), std::chrono::seconds(76));
  EXPECT_GE(sim_.Now(), std::chrono::seconds(60));
}

TEST_F(ControlPlaneTest, StartTimeoutEndsTheRun) {
  ASSERT_TRUE(Create("flat:3").ok());
  for (auto& [id, node] : nodes_) node->heartbeat_every = std::chrono::seconds(2);
  nodes_.erase("w1");
  StartAll();
  ASSERT_TRUE(RunToTheEnd());
  EXPECT_EQ(outcome_->status, "failed");
  EXPECT_THAT(outcome_->reason, HasSubstr("1 of 4 nodes is missing: w1 (never registered)"));
  EXPECT_EQ(sim_.Now(), std::chrono::seconds(120));
}

TEST_F(ControlPlaneTest, StopEndsTheRunEvenIfNodesDoNotAnswer) {
  ASSERT_TRUE(Create("flat:3").ok());
  nodes_["root"]->answers_plans = false;
  nodes_["w2"]->says_goodbye = false;
  StartAll();
  ASSERT_TRUE(RunUntilEvents(event::kRoundOpened, 1));
  const Time asked = sim_.Now();
  plane_->RequestStop("the user wants it");
  ASSERT_TRUE(RunToTheEnd());
  EXPECT_EQ(outcome_->status, "stopped");
  EXPECT_EQ(outcome_->reason, "the user wants it");
  EXPECT_EQ(sim_.Now() - asked, 2 * config_.limits.cancel_grace);
  sim_.RunFor(std::chrono::seconds(1));
  EXPECT_TRUE(nodes_["w2"]->closed().has_value());  // cut off at the end
}

TEST_F(ControlPlaneTest, AStopBeforeTheStartIsNotForgotten) {
  ASSERT_TRUE(Create("flat:2").ok());
  plane_->RequestStop("changed my mind");
  StartAll();
  ASSERT_TRUE(RunToTheEnd());
  EXPECT_EQ(outcome_->status, "stopped");
}

TEST_F(ControlPlaneTest, AttachmentsOfAMomentAreOneWrite) {
  latency_ = std::chrono::milliseconds(10);  // so that all registrations arrive at one time
  ASSERT_TRUE(Create("tree:8x25").ok());
  StartAll();
  ASSERT_TRUE(RunToTheEnd());
  EXPECT_EQ(outcome_->status, "completed");
  EXPECT_THAT(store_->Attachments("r1").value(), SizeIs(1 + 8 + 200));
  EXPECT_EQ(static_cast<FailingStore&>(*store_).attachment_writes(), 1);
}

TEST_F(ControlPlaneTest, NobodyHearsOfAttachmentsThatAreNotWritten) {
  latency_ = std::chrono::milliseconds(10);
  store_ = std::make_shared<FailingStore>(2);  // the first write is the run's
  ASSERT_TRUE(Create("flat:6").ok());
  StartAll();
  ASSERT_TRUE(RunToTheEnd());
  EXPECT_EQ(outcome_->status, "failed");
  EXPECT_EQ(outcome_->reason, "the run store failed: the disk is full");
  EXPECT_THAT(sink_->Of(event::kNodeStarted), SizeIs(0));
  for (const auto& [id, node] : nodes_) {
    EXPECT_EQ(node->view().id, "") << id << " was given its part";
    EXPECT_TRUE(node->closed().has_value()) << id << " was told to stop";
  }
}

TEST_F(ControlPlaneTest, ANodeThatRegistersAndGoesAtOnceIsLost) {
  ASSERT_TRUE(Create("flat:3").ok());
  nodes_["root"]->answers_plans = false;
  StartAll();
  ASSERT_TRUE(RunUntilEvents(event::kRoundOpened, 1));
  control_->Cut("w1");
  ASSERT_TRUE(RunUntilEvents(event::kNodeLost, 1));
  // Its next life says good-bye in the moment in which it registers.
  class Session : public ControlSession {
   public:
    void Send(ControlMessage) override {}
    void Close(absl::Status) override {}
  };
  const auto session = std::make_shared<Session>();
  plane_->OnMessage(session, RegisterMsg{"w1", 2, "", 43});
  plane_->OnMessage(session, GoodbyeMsg{0, "only looking"});
  ASSERT_TRUE(RunUntilEvents(event::kNodeLost, 2));
  EXPECT_THAT(sink_->Of(event::kNodeStarted), SizeIs(5)) << "it is heard of before it is lost";
  EXPECT_EQ(sink_->Types().back(), event::kNodeLost);
  EXPECT_THAT(store_->Attachments("r1").value(), SizeIs(5));
}

TEST_F(ControlPlaneTest, EveryFailedWriteFailsTheRunInBoundedTime) {
  ASSERT_TRUE(Create("tree:1x2").ok());
  StartAll();
  ASSERT_TRUE(RunToTheEnd());
  const int writes = static_cast<FailingStore&>(*store_).writes();
  ASSERT_GE(writes, 2 + 2 * 3 + 1);  // of the run, the rounds, and the attachments together
  for (int fail_at = 1; fail_at <= writes; ++fail_at) {
    SCOPED_TRACE("write " + std::to_string(fail_at));
    outcome_.reset();
    sink_ = std::make_shared<RecordingSink>();
    store_ = std::make_shared<FailingStore>(fail_at);
    ASSERT_TRUE(Create("tree:1x2").ok());
    StartAll();
    ASSERT_TRUE(RunToTheEnd());
    EXPECT_EQ(outcome_->status, "failed");
    EXPECT_EQ(outcome_->reason, "the run store failed: the disk is full");
    const auto kept = store_->Rounds("r1").value();
    uint64_t committed = 0;
    for (const RoundRecord& round : kept) committed += round.state == "committed";
    EXPECT_EQ(outcome_->rounds, committed);
    EXPECT_EQ(sink_->Of(event::kRoundCommitted).size(), committed);
    ASSERT_THAT(sink_->Of(event::kRunEnded), SizeIs(1));
    const ValueMap ended = sink_->Of(event::kRunEnded)[0].fields;
    if (committed == 0) {
      EXPECT_FALSE(ended.contains("digest")) << "of a model that is nowhere";
    } else {
      EXPECT_EQ(*ended.at("version").AsInt(), static_cast<int64_t>(committed));
    }
  }
}

TEST_F(ControlPlaneTest, RefusesToStartWhatCannotRun) {
  config_.rounds = 0;
  EXPECT_EQ(Create("flat:2").code(), absl::StatusCode::kInvalidArgument);
  config_.rounds = 1;
  config_.strategy.selector.name = "fractoin";
  EXPECT_EQ(Create("flat:2").code(), absl::StatusCode::kInvalidArgument);
  config_.strategy.selector.name = "all";
  ASSERT_TRUE(store_->PutRun({"r1", "", "", "completed", ""}).ok());
  EXPECT_EQ(Create("flat:2").code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ControlPlaneTest, MessagesBeforeRegistrationCloseTheSession) {
  class Session : public ControlSession {
   public:
    void Send(ControlMessage) override {}
    void Close(absl::Status status) override { closed = std::move(status); }
    std::optional<absl::Status> closed;
  };
  ASSERT_TRUE(Create("flat:2").ok());
  plane_->Start([](RunOutcome) {});
  const auto session = std::make_shared<Session>();
  plane_->OnMessage(session, ModelReadyMsg{});
  sim_.RunFor(std::chrono::seconds(1));
  ASSERT_TRUE(session->closed.has_value());
  EXPECT_EQ(session->closed->code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace skein
