#include "app/sweep/sweep_directory.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "unit/federation/temp_dir.h"

namespace skein::sweep {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

Plan PlanOf(const std::string& axis) {
  Plan plan{{*ParseAxis(axis)}, {}, {}};
  plan.points = PointsOf(plan.grid);
  plan.digests.assign(plan.points.size(), "d0");
  return plan;
}

class SweepDirectoryTest : public testing::Test {
 protected:
  // Created and let go of.
  void Begin(const Plan& plan) {
    const auto made = SweepDirectory::Create(path_, plan);
    ASSERT_TRUE(made.ok()) << made.status();
  }
  std::string WhyNotOpened(const Plan& plan) {
    return Message(SweepDirectory::Open(path_, plan).status());
  }
  TempDir dir_;
  const std::string path_ = dir_ / "sweep";
};

TEST_F(SweepDirectoryTest, OpensWithTheSamePlanOnly) {
  const Plan plan = PlanOf(R"(x=1,"a\tb",[2,3])");
  Begin(plan);
  EXPECT_EQ(WhyNotOpened(plan), "");
  EXPECT_THAT(WhyNotOpened(PlanOf("x=1,2")), HasSubstr("another grid"));
  Plan other = plan;
  other.digests[1] = "d1";
  EXPECT_THAT(WhyNotOpened(other), HasSubstr("point '" + plan.points[1].name + "'"));
}

TEST_F(SweepDirectoryTest, CreatesOnlyWhatIsNotThere) {
  Begin(PlanOf("x=1"));
  EXPECT_EQ(SweepDirectory::Create(path_, PlanOf("x=1")).status().code(),
            absl::StatusCode::kAlreadyExists);
}

TEST_F(SweepDirectoryTest, OpensNothingElse) {
  EXPECT_THAT(WhyNotOpened(PlanOf("x=1")), HasSubstr("--resume"));
  fs::create_directory(path_);
  EXPECT_THAT(WhyNotOpened(PlanOf("x=1")), HasSubstr("no sweep"));
  WriteAll(path_ + "/sweep.json", "[");
  EXPECT_THAT(WhyNotOpened(PlanOf("x=1")), HasSubstr("sweep.json"));
  WriteAll(path_ + "/sweep.json", "{}");
  EXPECT_THAT(WhyNotOpened(PlanOf("x=1")), HasSubstr("another grid"));
}

TEST_F(SweepDirectoryTest, OneAtATime) {
  const auto held = SweepDirectory::Create(path_, PlanOf("x=1"));
  ASSERT_TRUE(held.ok());
  EXPECT_THAT(WhyNotOpened(PlanOf("x=1")), HasSubstr("another process"));
}

TEST_F(SweepDirectoryTest, ReadsWhatBecameOfAPoint) {
  const Plan plan = PlanOf("x=1,2,3,4");
  const auto sweep = SweepDirectory::Create(path_, plan);
  ASSERT_TRUE(sweep.ok());
  for (int i : {1, 2, 3}) fs::create_directory((*sweep)->PathOf(plan.points[i]));
  WriteAll((*sweep)->PathOf(plan.points[2]) + "/result.json", R"({"status":"comp)");
  WriteAll((*sweep)->PathOf(plan.points[3]) + "/result.json",
           R"({"status":"completed","rounds":3,"wall_s":2,"loss":null,"accuracy":0.5,)"
           R"("model_digest":"00123e4","reason":""})");
  EXPECT_EQ((*sweep)->Read(plan.points[0]).status, "pending");
  EXPECT_EQ((*sweep)->Read(plan.points[1]).status, "cut");
  EXPECT_EQ((*sweep)->Read(plan.points[2]).status, "cut");
  const Row row = (*sweep)->Read(plan.points[3]);
  EXPECT_TRUE(row.completed());
  EXPECT_EQ(row.rounds, 3u);
  EXPECT_EQ(row.wall_s, 2);
  EXPECT_EQ(row.loss, std::nullopt);
  EXPECT_EQ(row.accuracy, 0.5);
  EXPECT_EQ(row.digest, "00123e4");
}

TEST_F(SweepDirectoryTest, SetsAsideWhatIsToRunAgain) {
  const Plan plan = PlanOf("x=1");
  const auto sweep = SweepDirectory::Create(path_, plan);
  ASSERT_TRUE(sweep.ok());
  EXPECT_TRUE((*sweep)->SetAside(plan.points[0]).ok());  // nothing is there
  for (const char* content : {"first", "second"}) {
    fs::create_directory(path_ + "/x=1");
    WriteAll(path_ + "/x=1/file", content);
    ASSERT_TRUE((*sweep)->SetAside(plan.points[0]).ok());
  }
  EXPECT_FALSE(fs::exists(path_ + "/x=1"));
  EXPECT_EQ(ReadAll(path_ + "/.earlier/x=1~1/file"), "first");
  EXPECT_EQ(ReadAll(path_ + "/.earlier/x=1~2/file"), "second");
}

}  // namespace
}  // namespace skein::sweep
