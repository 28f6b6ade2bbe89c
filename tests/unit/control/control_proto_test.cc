#include "runtime/control_proto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "runtime/run_proto.h"
#include "runtime/value_proto.h"
#include "skein/base/status.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

// Through bytes and back.
template <typename Message>
absl::StatusOr<Message> RoundTrip(const Message& message) {
  auto proto = ToProto(message);
  std::string bytes;
  EXPECT_TRUE(proto.SerializeToString(&bytes));
  decltype(proto) parsed;
  EXPECT_TRUE(parsed.ParseFromString(bytes));
  return FromProto(parsed);
}

template <typename M>
M Same(const M& message) {
  using Message =
      std::conditional_t<std::is_constructible_v<NodeMessage, M>, NodeMessage, ControlMessage>;
  const auto back = RoundTrip(Message(message));
  EXPECT_TRUE(back.ok()) << back.status();
  if (!back.ok() || !std::holds_alternative<M>(*back)) {
    ADD_FAILURE() << "another kind of message came back";
    return M();
  }
  return std::get<M>(*back);
}

RunConfig FullConfig() {
  RunConfig config;
  config.run_id = "r-1";
  config.name = "quick start";
  config.learner = {"linear", {{"dim", 8}, {"lr", 0.05}}};
  config.data = {{"partition", ValueMap{{"name", "dirichlet"}, {"alpha", 0.5}}},
                 {"flags", ValueList{true, Value(), "x"}}};
  config.strategy.fold = {"fedavg", {}};
  config.strategy.policy = {"quorum", {{"fraction", 0.75}, {"deadline", 30}}};
  config.strategy.filters = {{"max_norm", {{"bound", 10.5}}}};
  config.strategy.terms = {{"fedprox", {{"mu", 0.5}}}, {"scaffold", {}}};
  config.worker_state = "/var/lib/skein";
  config.strategy.tiers = {{1, PartSpec{"all", {}}, std::nullopt, 3},
                           {2, std::nullopt, PartSpec{"mean", {}}, 1},
                           {3,
                            std::nullopt,
                            std::nullopt,
                            1,
                            true,
                            true,
                            {.updates = {}, .partials = {}, .models = std::vector<PartSpec>{}}}};
  config.strategy.links.updates = std::vector<PartSpec>{{"topk", {{"ratio", 0.1}}}, {"zstd", {}}};
  config.strategy.links.partials = std::vector<PartSpec>{{"bf16", {}}};
  config.rounds = 12;
  config.seed = std::numeric_limits<uint64_t>::max();
  config.evaluate = {true, true, 3};
  config.init = "start.safetensors";
  config.output_dir = "runs/x";
  config.limits.staging_bytes = 1 << 20;
  config.limits.cancel_grace = std::chrono::milliseconds(1500);
  config.conditions.compute = {.task_s = 2, .stragglers = 0.25, .straggler_factor = 10};
  config.conditions.links = {{.tier = 1, .mb_per_s = 12.5}};
  return config;
}

TEST(ControlProtoTest, NodeMessagesSurvive) {
  const auto registration = Same(RegisterMsg{"w0", ~0ull, "10.0.0.1:99", 77, NodeRole::kWorker});
  EXPECT_EQ(registration.node, "w0");
  EXPECT_EQ(registration.incarnation, ~0ull);
  EXPECT_EQ(registration.address, "10.0.0.1:99");
  EXPECT_EQ(registration.pid, 77);
  EXPECT_EQ(registration.role, NodeRole::kWorker);
  EXPECT_EQ(Same(RegisterMsg{"w0", 1}).role, std::nullopt);
  EXPECT_EQ(Same(RegisterMsg{.node = "w0", .run = "night-1"}).run, "night-1");
  const auto enlisted = Same(EnlistMsg{{"w0", "w1"}, NodeRole::kWorker});
  EXPECT_EQ(enlisted.nodes, (std::vector<NodeId>{"w0", "w1"}));
  EXPECT_EQ(enlisted.role, NodeRole::kWorker);
  EXPECT_EQ(Same(EnlistMsg{{"w0"}, std::nullopt}).role, std::nullopt);
  const auto ended = Same(NodeEndedMsg{"night-1", "w0", 14, "gone"});
  EXPECT_EQ(std::tuple(ended.run, ended.node, ended.code, ended.message),
            std::tuple("night-1", "w0", 14, "gone"));
  Same(HeartbeatMsg{});
  EXPECT_EQ(Same(AttachedMsg{9}).epoch, 9u);
  const auto bye = Same(GoodbyeMsg{13, "the learner threw"});
  EXPECT_EQ(bye.code, 13);
  EXPECT_EQ(bye.message, "the learner threw");
  const auto ready = Same(ModelReadyMsg{{4, 3, 2}, "ab"});
  EXPECT_EQ(ready.version, (VersionRef{4, 3, 2}));
  EXPECT_EQ(ready.digest, "ab");

  ReportMsg report{
      {{99, "update_accepted", 3, "w1", {{"parent", "a0"}, {"samples", 600}}}}, 5, 6, 1.5};
  report = Same(report);
  ASSERT_EQ(report.events.size(), 1u);
  EXPECT_EQ(report.events[0].type, "update_accepted");
  EXPECT_EQ(report.events[0].round, 3u);
  EXPECT_EQ(report.events[0].node, "w1");
  EXPECT_EQ(report.events[0].fields.at("samples"), Value(600));
  EXPECT_EQ(std::tuple(report.bytes_up, report.bytes_down, report.peak_rss_mib),
            std::tuple(5u, 6u, 1.5));
}

TEST(ControlProtoTest, NoticesSurvive) {
  EXPECT_EQ(Same(NoticeMsg{"run r has node w0 as worker"}).text, "run r has node w0 as worker");
}

TEST(ControlProtoTest, ResultsSurvive) {
  RoundResultMsg result{7, 2, 10, "too few"};
  result.version = {7, 2, 0};
  result.digest = "00ff";
  result.roster = Roster::Of({0, 1, 5});
  result.num_samples = 1234;
  result.metrics = {{"loss", 0.25}};
  result.bases = {{5, 2}, {6, 10}};
  result.evaluating = true;
  result.change = 4;
  result.weight = 0.25;
  result.reports = {{0, 600, 0.25, std::nullopt, 1.5}, {5, 1, std::nullopt, 4.0, 0}};
  const auto r = Same(result);
  EXPECT_EQ(
      std::tie(r.round, r.attempt, r.code, r.message, r.version, r.digest, r.roster, r.num_samples,
               r.metrics, r.bases, r.evaluating, r.change, r.weight, r.reports),
      std::tie(result.round, result.attempt, result.code, result.message, result.version,
               result.digest, result.roster, result.num_samples, result.metrics, result.bases,
               result.evaluating, result.change, result.weight, result.reports));
  EvaluatedMsg evaluated{7, {7, 2, 0}, "workers", 0, ""};
  evaluated.num_samples = 55;
  evaluated.metrics = {{"accuracy", 0.5}};
  const auto e = Same(evaluated);
  EXPECT_EQ(std::tie(e.round, e.version, e.where, e.code, e.num_samples, e.metrics),
            std::tie(evaluated.round, evaluated.version, evaluated.where, evaluated.code,
                     evaluated.num_samples, evaluated.metrics));
}

TEST(ControlProtoTest, ControlMessagesSurvive) {
  const Topology topology = Topology::FromShape("tree:2x2").value();
  const AssignMsg assign{FullConfig(), MakeNodeView(topology, 1)};
  EXPECT_EQ(Same(assign).config, assign.config);
  EXPECT_EQ(Same(assign).view, assign.view);
  const auto attach = Same(AttachMsg{"a0", "127.0.0.1:5", 6});
  EXPECT_EQ(std::tie(attach.parent, attach.address), std::tuple("a0", "127.0.0.1:5"));
  EXPECT_EQ(attach.epoch, 6u);
  EXPECT_EQ(Same(ExpectChildMsg{"w0", 3}).child, "w0");
  EXPECT_EQ(Same(ExpectChildMsg{"w0", 3}).epoch, 3u);
  const auto lost = Same(ChildLostMsg{"w0", 4, "cut"});
  EXPECT_EQ(std::tie(lost.child, lost.reason), std::tuple("w0", "cut"));
  EXPECT_EQ(lost.epoch, 4u);
  const auto plan = Same(PlanMsg{5, 1, {4, 0, 0}, Roster::Of({1, 3}), 17, 4, 900});
  EXPECT_EQ(std::tie(plan.round, plan.attempt, plan.base, plan.participants, plan.seq_first,
                     plan.seq_count, plan.last_version),
            std::tuple(5u, 1u, VersionRef{4, 0, 0}, Roster::Of({1, 3}), 17u, 4u, 900u));
  const auto commit = Same(CommitMsg{5, {5, 1, 0}, true, false, Roster::Of({3})});
  EXPECT_EQ(std::tie(commit.round, commit.version, commit.evaluate_at_coordinator,
                     commit.evaluate_at_workers, commit.participants),
            std::tuple(5u, VersionRef{5, 1, 0}, true, false, Roster::Of({3})));
  EXPECT_EQ(Same(StopMsg{1, "enough"}).reason, "enough");
}

TEST(ControlProtoTest, MessagesOfSteeringSurvive) {
  const StrategyChange change{
      3, PartSpec{"sgd", {{"lr", 0.25}}}, {{0, {"quorum", {{"count", 2}}}}, {2, {"all", {}}}}};
  EXPECT_EQ(Same(PlanMsg{5, 1, {4, 0, 0}, Roster::Of({1}), 17, 4, 0, change}).change, change);
  EXPECT_EQ(Same(PlanMsg{5, 1, {4, 0, 0}, Roster::Of({1}), 17, 4}).change, StrategyChange{});
  EXPECT_TRUE(Same(PlanMsg{.round = 5, .wants_reports = true}).wants_reports);
  EXPECT_FALSE(Same(PlanMsg{.round = 5}).wants_reports);
  const auto steer = Same(SteerMsg{8, change});
  EXPECT_EQ(steer.from_version, 8u);
  EXPECT_EQ(steer.change, change);
  const auto finish = Same(FinishMsg{false, true, Roster::Of({3, 9}), "it is enough"});
  EXPECT_EQ(std::tie(finish.evaluate_at_coordinator, finish.evaluate_at_workers,
                     finish.participants, finish.reason),
            std::tuple(false, true, Roster::Of({3, 9}), "it is enough"));
  const auto finished = Same(FinishedMsg{14, "disk is full", {7, 2, 0}, "ab", true});
  EXPECT_EQ(std::tie(finished.code, finished.message, finished.version, finished.digest,
                     finished.evaluating),
            std::tuple(14, "disk is full", VersionRef{7, 2, 0}, "ab", true));
}

TEST(ControlProtoTest, NumbersWithoutFractionComeBackAsIntegers) {
  const ValueMap values = {{"i", 3}, {"d", 2.0}, {"f", 2.5}, {"big", 1e300}, {"n", -7}};
  const ValueMap back = FromProto(ToProto(values));
  EXPECT_EQ(back.at("i"), Value(3));
  EXPECT_EQ(back.at("d"), Value(2));
  EXPECT_EQ(back.at("f"), Value(2.5));
  EXPECT_EQ(back.at("big"), Value(1e300));
  EXPECT_EQ(back.at("n"), Value(-7));
  const ValueMap odd = FromProto(ToProto(ValueMap{{"nan", NAN}, {"inf", INFINITY}}));
  EXPECT_TRUE(std::isnan(*odd.at("nan").AsDouble()));
  EXPECT_EQ(odd.at("inf"), Value(static_cast<double>(INFINITY)));
}

TEST(ControlProtoTest, BytesThatAreNoTextDoNotBreakTheStream) {
  EXPECT_EQ(Same(GoodbyeMsg{2, "bad \xff byte"}).message, "bad ? byte");
}

// What a hostile peer may send; each is refused with the field named.
TEST(ControlProtoTest, RefusesWhatIsNotWellFormed) {
  const auto refused = [](auto proto, auto change, const char* field) {
    change(proto);
    const auto message = FromProto(proto);
    EXPECT_FALSE(message.ok()) << field;
    EXPECT_THAT(Message(message.status()), HasSubstr(field));
  };
  using N = v1::NodeMessage;
  using C = v1::ControlMessage;
  refused(
      N(), [](N&) {}, "no known kind");
  refused(
      C(), [](C&) {}, "no known kind");
  const N reg = ToProto(NodeMessage(RegisterMsg{"w0", 1}));
  refused(
      reg, [](N& p) { p.mutable_register_()->set_protocol(2); }, "protocol 2");
  refused(
      reg, [](N& p) { p.mutable_register_()->set_node(""); }, "register.node");
  refused(
      reg, [](N& p) { p.mutable_register_()->set_node(std::string(129, 'x')); }, "node");
  refused(
      reg, [](N& p) { p.mutable_register_()->set_address(std::string(2000, 'x')); },
      "register.address");
  const N bye = ToProto(NodeMessage(GoodbyeMsg{}));
  refused(
      bye, [](N& p) { p.mutable_goodbye()->set_code(17); }, "code");
  refused(
      bye, [](N& p) { p.mutable_goodbye()->set_code(-1); }, "code");
  refused(
      bye, [](N& p) { p.mutable_goodbye()->set_message(std::string(10000, 'x')); }, "message");
  const N result = ToProto(NodeMessage(RoundResultMsg{1}));
  refused(
      result,
      [](N& p) { p.mutable_round_result()->mutable_roster()->set_intervals("\xff\xff\xff"); },
      "roster");
  refused(
      result, [](N& p) { p.mutable_round_result()->set_weight(-1); }, "round_result.weight");
  refused(
      result, [](N& p) { p.mutable_round_result()->set_digest(std::string(200, 'x')); }, "digest");
  refused(
      result, [](N& p) { (*p.mutable_round_result()->mutable_metrics())[""] = 1; }, "metric");
  refused(
      result,
      [](N& p) {
        for (int i = 0; i < 2000; ++i) {
          (*p.mutable_round_result()->mutable_metrics())[std::to_string(i)] = i;
        }
      },
      "metrics");
  const N evaluated = ToProto(NodeMessage(EvaluatedMsg{1, {}, "workers"}));
  refused(
      evaluated, [](N& p) { p.mutable_evaluated()->set_where("moon"); }, "where");

  const Topology topology = Topology::FromShape("flat:2").value();
  const C assign = ToProto(ControlMessage(AssignMsg{FullConfig(), MakeNodeView(topology, 0)}));
  const auto config = [&](auto change, const char* field) {
    refused(
        assign, [&](C& p) { change(*p.mutable_assign()->mutable_config()); }, field);
  };
  const auto view = [&](auto change, const char* field) {
    refused(
        assign, [&](C& p) { change(*p.mutable_assign()->mutable_view()); }, field);
  };
  config([](v1::RunConfig& c) { c.clear_run_id(); }, "run_id");
  config([](v1::RunConfig& c) { c.mutable_limits()->set_heartbeat_interval_ns(0); }, "heartbeat");
  config([](v1::RunConfig& c) { c.mutable_limits()->set_cancel_grace_ns(-1); }, "limits");
  config(
      [](v1::RunConfig& c) {
        (*c.mutable_conditions()->mutable_fields())["x"].set_number_value(1);
      },
      "conditions");
  config([](v1::RunConfig& c) { c.mutable_strategy()->mutable_tiers(0)->set_kappa(0); }, "kappa");
  view([](v1::NodeView& v) { v.set_role(v1::NODE_ROLE_UNSPECIFIED); }, "view.role");
  view([](v1::NodeView& v) { v.set_tier(5); }, "view.tier");
  view([](v1::NodeView& v) { v.set_leaf_end(3); }, "leaves");
  view([](v1::NodeView& v) { v.set_num_workers(1ull << 40); }, "num_workers");
  view([](v1::NodeView& v) { v.mutable_children(0)->set_id(""); }, "children.id");
  const C plan = ToProto(ControlMessage(PlanMsg{1}));
  refused(
      plan, [](C& p) { p.mutable_plan()->set_seq_count(0); }, "seq_count");
}

// The control plane carries no tensors: from its messages no `bytes` field and no packed numbers
// can be reached, apart from the intervals of a roster.
void FindBytes(const google::protobuf::Descriptor* message, std::set<std::string>& visited,
               std::vector<std::string>& found) {
  if (!visited.insert(message->full_name()).second) return;
  for (int i = 0; i < message->field_count(); ++i) {
    const auto* field = message->field(i);
    const bool numbers = field->is_repeated() && field->is_packable();
    if (field->type() == google::protobuf::FieldDescriptor::TYPE_BYTES || numbers) {
      found.push_back(field->full_name());
    }
    if (field->message_type() != nullptr) FindBytes(field->message_type(), visited, found);
  }
}

TEST(ControlProtoTest, NoTensorFitsIntoTheMessagesOfTheControlPlane) {
  std::set<std::string> visited;
  std::vector<std::string> found;
  const google::protobuf::FileDescriptor* files[] = {v1::NodeMessage::descriptor()->file(),
                                                     v1::RunConfig::descriptor()->file()};
  for (const auto* file : files) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      FindBytes(file->message_type(i), visited, found);
    }
  }
  EXPECT_THAT(found, ::testing::ElementsAre("skein.v1.Roster.intervals"));
  EXPECT_GT(visited.size(), 20u);
  for (const char* tensor : {"Manifest", "TensorInfo", "Chunk", "Offer"}) {
    EXPECT_EQ(visited.count(std::string("skein.v1.") + tensor), 0u) << tensor;
  }
}

TEST(NodeViewTest, ShowsANodeItselfAndItsChildren) {
  const Topology topology = Topology::FromShape("tree:2x3").value();
  const NodeView view = MakeNodeView(topology, *topology.Find("a1"));
  EXPECT_EQ(view.id, "a1");
  EXPECT_EQ(view.role, NodeRole::kAggregator);
  EXPECT_EQ(view.tier, 1);
  EXPECT_EQ(view.num_tiers, 3);
  EXPECT_EQ(view.leaf_begin, 3u);
  EXPECT_EQ(view.leaf_end, 6u);
  EXPECT_EQ(view.num_workers, 6u);
  ASSERT_EQ(view.children.size(), 3u);
  EXPECT_EQ(view.children[2], (NodeView::Child{"w5", NodeRole::kWorker, 5, 6}));
  EXPECT_TRUE(MakeNodeView(topology, *topology.Find("w5")).children.empty());
}

}  // namespace
}  // namespace skein
