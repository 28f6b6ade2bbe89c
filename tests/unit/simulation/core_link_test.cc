#include "simulation/core_link.h"

#include <vector>

#include <gtest/gtest.h>

namespace skein {
namespace {

constexpr uint64_t kMegabyte = 1'000'000;

LinkConditions Links(double link, double node, double latency) {
  LinkConditions conditions;
  conditions.mb_per_s = link;
  conditions.node_mb_per_s = node;
  conditions.latency_s = latency;
  return conditions;
}

// When messages arrive, in seconds.
class CoreLinkTest : public testing::Test {
 protected:
  std::function<void()> Note() {
    return [this] { arrivals_.push_back(ToSeconds(simulation_.Now())); };
  }
  void Finish() {
    simulation_.RunUntil([] { return false; });
  }

  Simulation simulation_;
  TierTraffic traffic_;
  CoreLinks links_{.shape = {}, .traffic = &traffic_};
  CoreLink a_;
  CoreLink b_;
  std::vector<double> arrivals_;
};

TEST_F(CoreLinkTest, WithoutConditionsMessagesTakeNoTimeAndAreCounted) {
  a_.Open(&links_, 1);
  a_.Carry(simulation_, CoreLink::kDown, {kMegabyte, 2}, Note());
  a_.Carry(simulation_, CoreLink::kUp, {10, 1}, Note());
  Finish();
  EXPECT_EQ(arrivals_, (std::vector<double>{0, 0}));
  EXPECT_EQ(traffic_.down, kMegabyte);
  EXPECT_EQ(traffic_.up, 10u);
}

TEST_F(CoreLinkTest, ChildrenShareTheParentsCapacityEachWay) {
  links_.shape.emplace(Links(0, 1, 0.5));
  a_.Open(&links_, 1);
  b_.Open(&links_, 2);
  a_.Carry(simulation_, CoreLink::kDown, {kMegabyte, 1}, Note());
  b_.Carry(simulation_, CoreLink::kDown, {kMegabyte, 1}, Note());
  b_.Carry(simulation_, CoreLink::kUp, {kMegabyte, 1}, Note());
  Finish();
  EXPECT_EQ(arrivals_, (std::vector<double>{1.5, 1.5, 2.5}));
}

TEST_F(CoreLinkTest, FramesCostTheParentTime) {
  LinkConditions conditions = Links(0, 0, 0);
  conditions.frame_s = 0.25;
  links_.shape.emplace(conditions);
  a_.Open(&links_, 1);
  a_.Carry(simulation_, CoreLink::kUp, {kMegabyte, 4}, Note());
  Finish();
  EXPECT_EQ(arrivals_, std::vector<double>{1});
}

TEST_F(CoreLinkTest, WhatIsNotThereYetComesLaterAndInOrder) {
  links_.shape.emplace(Links(1, 0, 0));
  a_.Open(&links_, 1);
  EXPECT_EQ(a_.Carry(simulation_, CoreLink::kDown, {kMegabyte, 1}, Note(), FromSeconds(3)),
            FromSeconds(3));
  a_.Carry(simulation_, CoreLink::kDown, {1, 1}, Note());
  Finish();
  EXPECT_EQ(arrivals_, (std::vector<double>{3, 3}));
}

TEST_F(CoreLinkTest, WhatWasUnderWayDoesNotComeThroughALinkThatWasCut) {
  links_.shape.emplace(Links(1, 0, 0));
  a_.Open(&links_, 1);
  a_.Carry(simulation_, CoreLink::kDown, {kMegabyte, 1}, Note());
  a_.Cut();
  EXPECT_FALSE(a_.up());
  EXPECT_EQ(a_.Carry(simulation_, CoreLink::kDown, {1, 1}, Note()), kNever);
  a_.Open(&links_, 2);
  a_.Carry(simulation_, CoreLink::kDown, {2 * kMegabyte, 1}, Note());
  Finish();
  EXPECT_EQ(arrivals_, std::vector<double>{2});
}

}  // namespace
}  // namespace skein
