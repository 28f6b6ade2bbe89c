// Every state of the scheduler with every event.

#include <gtest/gtest.h>

#include "unit/control/scheduler_driver.h"

namespace skein {
namespace {

using scheduler::State;

constexpr State kG = State::kGathering;
constexpr State kT = State::kTraining;
constexpr State kE = State::kEvaluating;
constexpr State kF = State::kFinishing;
constexpr State kS = State::kStopping;
constexpr State kX = State::kEnded;

// A run brought into a state. While gathering, only w3 is not attached and no model is ready.
std::unique_ptr<SchedulerDriver> Reach(State state) {
  RunConfig config = SchedulerDriver::DefaultConfig();
  config.limits.heartbeat_timeout = std::chrono::seconds(60);
  StopRules stop;
  if (state == State::kFinishing) stop.time_s = 5;
  auto driver = std::make_unique<SchedulerDriver>("tree:2x2", config, SchedulerHistory(),
                                                  SelectAll(), /*barriers=*/true, stop);
  if (state == State::kGathering) {
    driver->RegisterAll();
    for (const char* node : {"a0", "a1", "w0", "w1", "w2"}) driver->Attach(node);
    return driver;
  }
  driver->Begin();
  if (state == State::kTraining) return driver;
  if (state == State::kEvaluating) {
    driver->FinishRound();
    return driver;
  }
  if (state == State::kFinishing) {
    driver->now += std::chrono::seconds(5);
    driver->Tell(scheduler::Tick{});
    return driver;
  }
  driver->Tell(scheduler::StopRequested{"enough"});
  if (state == State::kStopping) return driver;
  driver->GoodbyeAll();
  return driver;
}

struct Row {
  const char* what;
  scheduler::Event event;
  State after[scheduler::kNumStates];  // from gathering, training, evaluating, finishing, stopping,
                                       // ended
  Duration later{0};
};

EvaluatedMsg Evaluation(int code) {
  return {1, {1, 0, 0}, "coordinator", code, "the learner threw", 10, {}};
}

FinishedMsg Stored(int code, uint64_t version) {
  return {.code = code, .message = "disk is full", .version = {version, 0, 0}, .digest = "d"};
}

RoundResultMsg RoundOne(int code) {
  RoundResultMsg result{1, 0, code, "two workers failed"};
  result.version = {1, 0, 0};
  result.roster = Roster::Range(0, 4);
  return result;
}

RoundResultMsg With(void (*change)(RoundResultMsg&)) {
  RoundResultMsg result = RoundOne(0);
  change(result);
  return result;
}

std::vector<Row> Rows() {
  const scheduler::Event tick = scheduler::Tick{};
  return {
      {"the start again", scheduler::RunStarted{}, {kG, kT, kE, kF, kS, kX}},
      {"an unknown node", scheduler::NodeRegistered{99, {"w9", 5}}, {kG, kT, kE, kF, kS, kX}},
      {"a node that is there", scheduler::NodeRegistered{99, {"w0", 5}}, {kG, kT, kE, kF, kS, kX}},
      {"a sign of life", scheduler::NodeHeard{"w0"}, {kG, kT, kE, kF, kS, kX}},
      {"of nobody we know", scheduler::NodeHeard{"w9"}, {kG, kT, kE, kF, kS, kX}},
      {"the last attachment", scheduler::NodeAttached{"w3", 1}, {kG, kT, kE, kF, kS, kX}},
      {"an old attachment", scheduler::NodeAttached{"w3", 0}, {kG, kT, kE, kF, kS, kX}},
      {"a worker lost", scheduler::NodeLost{"w0", "cut"}, {kG, kT, kE, kF, kS, kX}},
      {"an aggregator lost", scheduler::NodeLost{"a0", "cut"}, {kG, kT, kE, kF, kS, kX}},
      {"the coordinator lost", scheduler::NodeLost{"root", "cut"}, {kS, kS, kS, kS, kS, kX}},
      {"a worker leaves", scheduler::NodeGoodbye{"w0", {13, "broken"}}, {kS, kT, kE, kF, kS, kX}},
      {"the coordinator leaves",
       scheduler::NodeGoodbye{"root", {13, "x"}},
       {kS, kS, kS, kS, kS, kX}},
      {"the model", scheduler::ModelReady{"root", {{}, "d0"}}, {kG, kT, kE, kF, kS, kX}},
      {"a model of a worker", scheduler::ModelReady{"w0", {{}, "d0"}}, {kG, kT, kE, kF, kS, kX}},
      {"a model unheard of",
       scheduler::ModelReady{"root", {{2, 0, 0}, ""}},
       {kS, kT, kE, kF, kS, kX}},
      {"the round", scheduler::RoundResult{"root", RoundOne(0)}, {kG, kE, kE, kF, kS, kX}},
      {"of a worker", scheduler::RoundResult{"w0", RoundOne(0)}, {kG, kT, kE, kF, kS, kX}},
      {"the round's failure",
       scheduler::RoundResult{"root", RoundOne(10)},
       {kG, kS, kE, kF, kS, kX}},
      {"another round",
       scheduler::RoundResult{"root", With([](RoundResultMsg& r) { r.round = 2; })},
       {kG, kT, kE, kF, kS, kX}},
      {"another attempt",
       scheduler::RoundResult{"root", With([](RoundResultMsg& r) { r.attempt = 1; })},
       {kG, kT, kE, kF, kS, kX}},
      {"another version",
       scheduler::RoundResult{"root", With([](RoundResultMsg& r) { r.version.version = 9; })},
       {kG, kS, kE, kF, kS, kX}},
      {"strangers in the roster",
       scheduler::RoundResult{"root", With([](RoundResultMsg& r) { r.roster.Insert(4); })},
       {kG, kS, kE, kF, kS, kX}},
      {"nobody in the roster",
       scheduler::RoundResult{"root", With([](RoundResultMsg& r) { r.roster = Roster(); })},
       {kG, kS, kE, kF, kS, kX}},
      {"the evaluation", scheduler::Evaluated{"root", Evaluation(0)}, {kG, kT, kT, kF, kS, kX}},
      {"of a worker", scheduler::Evaluated{"w0", Evaluation(0)}, {kG, kT, kE, kF, kS, kX}},
      {"its failure", scheduler::Evaluated{"root", Evaluation(13)}, {kG, kT, kS, kF, kS, kX}},
      {"the last version", scheduler::Finished{"root", Stored(0, 0)}, {kG, kT, kE, kF, kS, kX}},
      {"of a worker", scheduler::Finished{"w0", Stored(0, 0)}, {kG, kT, kE, kF, kS, kX}},
      {"another one", scheduler::Finished{"root", Stored(0, 9)}, {kG, kT, kE, kS, kS, kX}},
      {"it is not stored", scheduler::Finished{"root", Stored(13, 0)}, {kG, kT, kE, kS, kS, kX}},
      {"an early tick", tick, {kG, kT, kE, kF, kS, kX}, std::chrono::seconds(1)},
      {"a tick past the grace", tick, {kG, kT, kE, kF, kX, kX}, std::chrono::seconds(11)},
      {"a tick past all time-outs", tick, {kX, kX, kX, kX, kX, kX}, std::chrono::seconds(121)},
      {"a request to stop", scheduler::StopRequested{"enough"}, {kS, kS, kS, kS, kS, kX}},
      {"a failed write",
       scheduler::StoreFailed{absl::UnavailableError("io")},
       {kS, kS, kS, kS, kS, kX}},
  };
}

TEST(SchedulerTableTest, EveryStateAnswersEveryEvent) {
  for (const Row& row : Rows()) {
    for (size_t i = 0; i < scheduler::kNumStates; ++i) {
      const auto from = static_cast<State>(i);
      SCOPED_TRACE(std::string(row.what) + " (" + NameOf(row.event) + ") while " + NameOf(from));
      const auto driver = Reach(from);
      ASSERT_EQ(driver->core.state(), from);
      driver->now += row.later;
      driver->Tell(row.event);
      EXPECT_EQ(driver->core.state(), row.after[i]) << NameOf(driver->core.state());
    }
  }
}

TEST(SchedulerTableTest, RowsCoverEveryEvent) {
  std::vector<bool> seen(std::variant_size_v<scheduler::Event>);
  for (const Row& row : Rows()) seen[row.event.index()] = true;
  for (size_t i = 0; i < seen.size(); ++i) EXPECT_TRUE(seen[i]) << "event " << i;
}

TEST(SchedulerTableTest, NothingFollowsTheEnd) {
  for (const Row& row : Rows()) {
    const auto driver = Reach(State::kEnded);
    driver->now += row.later;
    driver->Tell(row.event);
    if (std::holds_alternative<scheduler::StoreFailed>(row.event)) continue;  // ends once more
    for (const auto& action : driver->last) {
      EXPECT_TRUE(std::holds_alternative<scheduler::Refuse>(action)) << row.what;
    }
  }
}

TEST(SchedulerTableTest, TableHasNoDuplicatesAndNoWayBack) {
  const auto& table = SchedulerTransitions();
  for (size_t i = 0; i < table.size(); ++i) {
    EXPECT_NE(table[i].to, State::kGathering);
    EXPECT_NE(table[i].from, State::kEnded);
    for (size_t j = 0; j < i; ++j) {
      EXPECT_FALSE(table[i].from == table[j].from && table[i].to == table[j].to &&
                   std::string(table[i].event) == table[j].event)
          << table[i].event;
    }
  }
}

}  // namespace
}  // namespace skein
