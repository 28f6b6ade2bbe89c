#include "control/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"

namespace skein {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr NodeRole kRoot = NodeRole::kCoordinator;
constexpr NodeRole kWorker = NodeRole::kWorker;
using Start = StartNodesMsg::Start;

// "run r", "1: w0 w1 in r", "refuse 2: ...".
std::vector<std::string> Told(const Dispatcher::Actions& actions) {
  std::vector<std::string> told;
  for (const Dispatcher::Action& action : actions) {
    if (const auto* begin = std::get_if<Dispatcher::BeginRun>(&action)) {
      told.push_back("run " + begin->run);
    } else if (const auto* start = std::get_if<Dispatcher::StartNodes>(&action)) {
      std::string text = std::to_string(start->host) + ":";
      for (const Start& node : start->message.nodes) text += ' ' + node.node;
      told.push_back(text + " in " + start->message.run);
    } else if (const auto* notify = std::get_if<Dispatcher::Notify>(&action)) {
      told.push_back("tell " + std::to_string(notify->host) + ": " + notify->message.text);
    }
  }
  return told;
}

class DispatcherTest : public ::testing::Test {
 protected:
  std::vector<std::string> Up(Dispatcher::Host host, std::vector<NodeId> nodes,
                              std::optional<NodeRole> role = kWorker) {
    const auto actions = dispatcher_.HostUp(host, {std::move(nodes), role});
    if (actions.ok()) return Told(*actions);
    EXPECT_EQ(actions.status().code(), absl::StatusCode::kAlreadyExists);
    return {"refuse " + std::to_string(host) + ": " + Message(actions.status())};
  }
  std::vector<std::string> Queue(const std::string& run, std::vector<Start> nodes) {
    return Told(dispatcher_.Queue(run, std::move(nodes)));
  }
  std::vector<std::string> Over(const std::string& run) { return Told(dispatcher_.Over(run)); }

  Dispatcher dispatcher_{{.runs = 2, .runs_per_node = 1, .nodes_per_run = 3}};
};

TEST_F(DispatcherTest, ARunBeginsWhenItsLastNodeComes) {
  EXPECT_THAT(Queue("r", {{"root", kRoot}, {"w0", kWorker}, {"w1", kWorker}}), IsEmpty());
  EXPECT_EQ(dispatcher_.WhyWaiting("r"), "waits for 3 of 3 nodes: root, w0, w1");
  EXPECT_THAT(Up(1, {"w1", "w0", "w7"}), IsEmpty());
  EXPECT_EQ(dispatcher_.WhyWaiting("r"), "waits for 1 of 3 nodes: root");
  EXPECT_THAT(Up(2, {"root"}, NodeRole::kAggregator),
              ElementsAre("run r", "1: w0 w1 in r", "2: root in r"));
  EXPECT_EQ(dispatcher_.WhyWaiting("r"), "");
}

TEST_F(DispatcherTest, NodesThatLeaveAreMissed) {
  Queue("r", {{"root", kRoot}, {"w0", kWorker}});
  Up(1, {"w0"});
  EXPECT_THAT(Told(dispatcher_.HostGone(1)), IsEmpty());
  EXPECT_THAT(Up(2, {"root"}, kRoot), IsEmpty());
  EXPECT_EQ(dispatcher_.WhyWaiting("r"), "waits for 1 of 2 nodes: w0");
  EXPECT_THAT(Up(3, {"w0"}), ElementsAre("run r", "2: root in r", "3: w0 in r"));
  EXPECT_THAT(Told(dispatcher_.HostGone(9)), IsEmpty());
}

TEST_F(DispatcherTest, ANodeMustSuitItsRole) {
  Queue("r", {{"root", kRoot}, {"w0", kWorker}});
  const auto told = ElementsAre(
      "tell 1: run r has node root as coordinator, and it is here as worker: start it with skein "
      "aggregator, or change the run's topology");
  EXPECT_THAT(Up(1, {"root"}), told);
  EXPECT_THAT(Up(2, {"w0"}), IsEmpty());
  EXPECT_EQ(dispatcher_.WhyWaiting("r"),
            "waits for 1 of 2 nodes: root (is here as worker; start it with skein aggregator)");
  Over("r");
  // Whoever comes first.
  EXPECT_THAT(Queue("r", {{"root", kRoot}, {"w0", kWorker}}), told);
  dispatcher_.HostGone(1);
  EXPECT_THAT(Up(3, {"root"}, std::nullopt), ElementsAre("run r", "2: w0 in r", "3: root in r"));
}

TEST_F(DispatcherTest, ACoordinatorIsNoAggregator) {
  Queue("r", {{"a", NodeRole::kAggregator}});
  EXPECT_THAT(Up(1, {"a"}, kRoot), ElementsAre(HasSubstr("tell 1: run r has node a as aggregator, "
                                                         "and it is here as coordinator")));
}

TEST_F(DispatcherTest, AProcessIsToldOnceOfAllItsNodes) {
  Queue("r", {{"a", NodeRole::kAggregator}, {"b", NodeRole::kAggregator}, {"w0", kWorker}});
  EXPECT_THAT(Up(1, {"w0", "a", "b"}),
              ElementsAre(AllOf(HasSubstr("node a as aggregator"), HasSubstr("1 more of this"))));
}

TEST_F(DispatcherTest, OneThatComesBackInAnotherRoleIsTold) {
  Up(1, {"w0"});
  Queue("r", {{"w0", kWorker}});
  dispatcher_.HostGone(1);
  EXPECT_THAT(Up(2, {"w0"}, NodeRole::kAggregator),
              ElementsAre(HasSubstr("tell 2: run r has node w0 as worker")));
}

TEST_F(DispatcherTest, ANodeHasOneProcess) {
  Up(1, {"w0"});
  EXPECT_THAT(Up(2, {"w1", "w0"}), ElementsAre(HasSubstr("refuse 2: node 'w0' is here already")));
  EXPECT_THAT(Up(3, {"w2", "w2"}), ElementsAre(HasSubstr("refuse 3: node 'w2'")));
  // And what was refused has brought nothing.
  Queue("r", {{"w1", kWorker}});
  EXPECT_EQ(dispatcher_.WhyWaiting("r"), "waits for 1 of 1 nodes: w1");
  dispatcher_.HostGone(2);
  EXPECT_THAT(Queue("s", {{"w0", kWorker}}), ElementsAre("run s", "1: w0 in s"));
}

TEST_F(DispatcherTest, OneWhoseNodesAreMissingHoldsNobodyUp) {
  Up(1, {"w0", "w1"});
  Queue("r", {{"w0", kWorker}, {"w9", kWorker}});
  EXPECT_THAT(Queue("s", {{"w0", kWorker}}), ElementsAre("run s", "1: w0 in s"));
}

TEST_F(DispatcherTest, OneWhoseNodesAreBusyIsNotOvertakenOnThem) {
  Up(1, {"w0", "w1", "w2"});
  EXPECT_THAT(Queue("r", {{"w0", kWorker}}), ElementsAre("run r", "1: w0 in r"));
  EXPECT_THAT(Queue("s", {{"w0", kWorker}, {"w1", kWorker}}), IsEmpty());
  EXPECT_EQ(dispatcher_.WhyWaiting("s"), "waits for its nodes to be free");
  EXPECT_THAT(Queue("t", {{"w1", kWorker}}), IsEmpty());
  EXPECT_THAT(Queue("u", {{"w2", kWorker}}), ElementsAre("run u", "1: w2 in u"));
  EXPECT_THAT(Over("r"), ElementsAre("run s", "1: w0 w1 in s"));
  EXPECT_THAT(Over("s"), ElementsAre("run t", "1: w1 in t"));
}

TEST_F(DispatcherTest, SoManyRunsSideBySide) {
  Up(1, {"w0", "w1", "w2"});
  Queue("r", {{"w0", kWorker}});
  Queue("s", {{"w1", kWorker}});
  EXPECT_THAT(Queue("t", {{"w2", kWorker}}), IsEmpty());
  EXPECT_EQ(dispatcher_.WhyWaiting("t"), "waits until one of 2 runs has ended");
  EXPECT_THAT(Over("s"), ElementsAre("run t", "1: w2 in t"));
}

TEST_F(DispatcherTest, SoManyNodesToARun) {
  EXPECT_TRUE(dispatcher_.Check(3).ok());
  EXPECT_THAT(Message(dispatcher_.Check(4)),
              AllOf(HasSubstr("4 nodes"), HasSubstr("of 3 at most"), HasSubstr("--max-nodes")));
  EXPECT_TRUE(Dispatcher({}).Check(1'000'000).ok());
}

TEST_F(DispatcherTest, NodesThatComeBackJoinAgain) {
  Up(1, {"w0", "w1"});
  Queue("r", {{"w0", kWorker}, {"w1", kWorker}});
  dispatcher_.HostGone(1);
  EXPECT_THAT(Up(2, {"w1", "w5"}), ElementsAre("2: w1 in r"));
  Over("r");
  EXPECT_THAT(Up(3, {"w0"}), IsEmpty());
}

TEST_F(DispatcherTest, OneThatIsTakenBackIsForgotten) {
  Queue("r", {{"w0", kWorker}});
  EXPECT_THAT(Over("r"), IsEmpty());
  EXPECT_THAT(Up(1, {"w0"}), IsEmpty());
  EXPECT_THAT(Over("never"), IsEmpty());
}

}  // namespace
}  // namespace skein
