// How many uploads an aggregator lets in at once, below its staging budget.
#include "runtime/recent_grants.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/runtime/aggregator_driver.h"

namespace skein {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Children c0, c1, c2 offer uploads of so many bytes each, within the budget.
class RecentGrantsTest : public testing::Test {
 protected:
  RecentGrantsTest() : driver_(Config()) { driver_.Open(); }

  static AggregatorCoreConfig Config() {
    AggregatorCoreConfig config = ConfigOf(PolicyOf("all", {{"timeout_s", 9000.0}}));
    config.staging_bytes = 1 << 30;
    return config;
  }
  UploadInfo Offer(const char* child, uint64_t bytes) {
    UploadInfo info = driver_.UploadOf(child);
    info.bytes = bytes;
    driver_.Tell(agg_event::UploadOffered{info});
    return info;
  }
  // Of the last event.
  std::vector<NodeId> Granted() const {
    std::vector<NodeId> children;
    for (const auto& grant : driver_.Of<agg_action::Grant>()) children.push_back(grant.id.child);
    return children;
  }

  AggregatorDriver driver_;
};

TEST_F(RecentGrantsTest, LargeUploadsComeTwoAtATimeWhileTheyAreQuick) {
  const UploadInfo first = Offer("c0", RecentGrants::kBytes);
  EXPECT_THAT(Granted(), ElementsAre("c0"));
  Offer("c1", RecentGrants::kBytes);
  EXPECT_THAT(Granted(), ElementsAre("c1"));
  Offer("c2", RecentGrants::kBytes);
  EXPECT_THAT(Granted(), IsEmpty());
  driver_.Tell(agg_event::UploadStaged{first.id});
  driver_.Tell(agg_event::UploadFolded{first.id, absl::OkStatus()});
  EXPECT_THAT(Granted(), ElementsAre("c2"));
}

TEST_F(RecentGrantsTest, SlowOnesLetOthersInAfterAMoment) {
  Offer("c0", RecentGrants::kBytes);
  Offer("c1", RecentGrants::kBytes);
  Offer("c2", RecentGrants::kBytes);
  ASSERT_THAT(driver_.Of<agg_action::WakeAt>(), SizeIs(1));
  EXPECT_EQ(driver_.Of<agg_action::WakeAt>()[0].when, RecentGrants::kMoment);
  driver_.AdvanceTo(RecentGrants::kMoment - std::chrono::nanoseconds(1));
  EXPECT_EQ(driver_.core.staged_bytes(), 2 * RecentGrants::kBytes);
  driver_.AdvanceTo(RecentGrants::kMoment);
  EXPECT_EQ(driver_.core.staged_bytes(), 3 * RecentGrants::kBytes);
}

TEST_F(RecentGrantsTest, TheBudgetHoldsWhateverTheTime) {
  driver_.core.set_staging_bytes(2 * RecentGrants::kBytes);
  for (const char* child : {"c0", "c1", "c2"}) Offer(child, RecentGrants::kBytes);
  driver_.AdvanceTo(seconds(1));
  EXPECT_EQ(driver_.core.staged_bytes(), 2 * RecentGrants::kBytes);
}

TEST_F(RecentGrantsTest, SmallUploadsComeAllAtOnce) {
  for (const char* child : {"c0", "c1", "c2"}) {
    Offer(child, RecentGrants::kBytes / 3);
    EXPECT_THAT(Granted(), ElementsAre(child));
  }
}

TEST_F(RecentGrantsTest, WhatWasGrantedLongerAgoMakesNoRoomWhenItEnds) {
  const UploadInfo old = Offer("c0", RecentGrants::kBytes);
  driver_.AdvanceTo(RecentGrants::kMoment);
  const UploadInfo second = Offer("c1", RecentGrants::kBytes);
  Offer("c2", RecentGrants::kBytes);
  EXPECT_EQ(driver_.core.staged_bytes(), 3 * RecentGrants::kBytes);
  driver_.Tell(agg_event::ChildDown{old.id.child, 1});
  driver_.Connect("c0", 2);
  UploadInfo again = driver_.UploadOf("c0", TrainTask(), 1, 2);
  again.bytes = RecentGrants::kBytes;
  driver_.Tell(agg_event::UploadOffered{again});
  EXPECT_FALSE(driver_.Has<agg_action::Acknowledge>()) << "it waits";
  EXPECT_THAT(Granted(), IsEmpty()) << "two are recent";
  driver_.Tell(agg_event::UploadStaged{second.id});
  driver_.Tell(agg_event::UploadFolded{second.id, absl::OkStatus()});
  EXPECT_THAT(Granted(), ElementsAre("c0"));
}

}  // namespace
}  // namespace skein
