// What an aggregator says of the workers below it, for selectors that go by it.
#include <gmock/gmock.h>

#include "unit/runtime/aggregator_driver.h"

namespace skein {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Task Wanting(uint64_t round = 1) {
  Task task = TrainTask(round);
  task.wants_reports = true;
  return task;
}

UploadInfo WithLoss(UploadInfo info, double loss) {
  info.reports = {
      {.leaf = info.roster.Leaves().front(), .num_samples = info.num_samples, .loss = loss}};
  return info;
}

std::vector<WorkerReport> ReportsOf(const AggregatorDriver& driver) {
  const auto closed = driver.Of<agg_action::CloseFold>();
  EXPECT_EQ(closed.size(), 1u);
  return closed.empty() ? std::vector<WorkerReport>() : closed[0].reports;
}

class AggregatorReportsTest : public ::testing::Test {
 protected:
  AggregatorDriver workers_{ConfigOf(PolicyOf("all", {{"timeout_s", 60.0}}))};
  AggregatorDriver sites_{ConfigOf(PolicyOf("all", {{"timeout_s", 60.0}}), NodeRole::kAggregator)};
};

TEST_F(AggregatorReportsTest, SaysWhatWorkersSaidAndHowLongTheyTook) {
  workers_.Open(Wanting());
  workers_.AdvanceTo(seconds(2));
  workers_.Contribute(WithLoss(workers_.UploadOf("c2"), 0.5));
  workers_.AdvanceTo(seconds(3));
  workers_.Contribute(WithLoss(workers_.UploadOf("c0"), 0.25));
  const auto event = workers_.Of<agg_action::Report>().at(0).event;
  EXPECT_EQ(event.fields.at("loss"), Value(0.25)) << "the record has it too";
  workers_.Contribute(workers_.UploadOf("c1"));  // says nothing of itself
  EXPECT_THAT(ReportsOf(workers_), ElementsAre(WorkerReport{4, 8, 0.25, std::nullopt, 3},
                                               WorkerReport{6, 8, 0.5, std::nullopt, 2}));
}

TEST_F(AggregatorReportsTest, SaysNothingUnlessAsked) {
  workers_.Open();
  for (const char* child : {"c0", "c1", "c2"}) {
    workers_.Contribute(WithLoss(workers_.UploadOf(child), 0.5));
    EXPECT_FALSE(workers_.Of<agg_action::Report>().at(0).event.fields.contains("loss"));
  }
  EXPECT_THAT(ReportsOf(workers_), IsEmpty());
}

TEST_F(AggregatorReportsTest, PassesOnWhatAggregatorsSayOfTheirOwn) {
  sites_.Open(Wanting());
  for (const char* child : {"c0", "c1", "c2"}) {
    UploadInfo info = sites_.UploadOf(child);
    info.reports = {{info.roster.Leaves()[1], 5, 0.5, 0.3, 7}};
    // One of a leaf that is not in the roster is nothing that it may speak of.
    info.reports.push_back({100, 5, 0.5, 0.3, 7});
    sites_.Contribute(info);
  }
  EXPECT_THAT(ReportsOf(sites_),
              ElementsAre(WorkerReport{5, 5, 0.5, 0.3, 7}, WorkerReport{7, 5, 0.5, 0.3, 7},
                          WorkerReport{9, 5, 0.5, 0.3, 7}));
}

TEST_F(AggregatorReportsTest, ForgetsThoseOfARoundThatIsSuperseded) {
  workers_.Open(Wanting());
  workers_.Contribute(WithLoss(workers_.UploadOf("c0"), 0.5));
  const Task next = Wanting(2);
  workers_.Tell(agg_event::ModelArrived{next.base});
  workers_.Tell(agg_event::TaskArrived{next});
  workers_.Contribute(WithLoss(workers_.UploadOf("c1", next), 0.75));
  workers_.Contribute(workers_.UploadOf("c0", next, 2));
  workers_.Contribute(workers_.UploadOf("c2", next));
  EXPECT_THAT(ReportsOf(workers_), ElementsAre(WorkerReport{5, 8, 0.75, std::nullopt, 0}));
}

TEST(AggregatorReports, KeepTheLastOfSeveralLocalRounds) {
  AggregatorCoreConfig config = ConfigOf(PolicyOf("quorum", {{"count", 2}, {"deadline_s", 10.0}}));
  config.kappa = 2;
  AggregatorDriver driver(config);
  Task task = Wanting();
  task.seq_count = 2;
  driver.Open(task);
  driver.Contribute(WithLoss(driver.UploadOf("c0", task), 0.9));
  driver.Contribute(WithLoss(driver.UploadOf("c1", task), 0.8));
  driver.AdvanceTo(seconds(10));
  const auto closed = driver.Of<agg_action::CloseFold>();
  const VersionRef local{0, 0, 1};
  driver.Tell(agg_event::LocalModelMade{local});
  Task second = task;
  second.base = local;
  second.local_round = 1;
  second.seq_first = task.seq_first + 1;
  driver.AdvanceTo(seconds(11));
  driver.Contribute(WithLoss(driver.UploadOf("c1", second, 2), 0.7));
  driver.Contribute(WithLoss(driver.UploadOf("c2", second, 2), 0.6));
  driver.AdvanceTo(seconds(20));
  ASSERT_TRUE(driver.Has<agg_action::CloseFold>());
  EXPECT_THAT(ReportsOf(driver), ElementsAre(WorkerReport{4, 8, 0.9, std::nullopt, 0},
                                             WorkerReport{5, 8, 0.7, std::nullopt, 1},
                                             WorkerReport{6, 8, 0.6, std::nullopt, 1}));
}

}  // namespace
}  // namespace skein
