#include "observe/summarizing_sink.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skein {
namespace {

using testing::ElementsAre;

struct Lines : EventSink {
  void OnEvent(const Event& event) override { lines.push_back(ToJsonLine(event)); }
  std::vector<std::string> lines;
};

class SummarizingSinkTest : public testing::Test {
 protected:
  void Add(double time_s, const char* type, const NodeId& node, ValueMap fields = {}) {
    sink_.OnEvent({time_s, type, 1, node, std::move(fields)});
  }

  std::shared_ptr<Lines> lines_ = std::make_shared<Lines>();
  SummarizingSink sink_{lines_,
                        std::make_shared<const Topology>(Topology::FromShape("tree:2x2").value())};
};

TEST_F(SummarizingSinkTest, CountsWorkersByParentBeforeTheRoundIsCommitted) {
  Add(0, event::kNodeStarted, "a0");
  Add(0, event::kNodeStarted, "w0");
  Add(10, event::kRoundOpened, "");
  Add(11, event::kUpdateAccepted, "w0", {{"samples", 5}});
  Add(13, event::kUpdateAccepted, "w1", {{"samples", 7}});
  Add(14, event::kPartialAccepted, "a0");
  Add(14, event::kWorkerLeftOut, "w2", {{"reason", "too late"}});
  Add(15, event::kUpdateRejected, "w3", {{"reason", "NaN"}});
  Add(16, event::kRoundCommitted, "root");
  EXPECT_THAT(
      lines_->lines,
      ElementsAre(R"({"time_s":0,"event":"node_started","round":1,"node":"a0"})",
                  R"({"time_s":10,"event":"round_opened","round":1,"node":""})",
                  R"({"time_s":14,"event":"partial_accepted","round":1,"node":"a0"})",
                  R"({"time_s":16,"event":"workers_summarized","round":1,"node":"a0","accepted":2,)"
                  R"("left_out":0,"rejected":0,"samples":12,"started":1,)"
                  R"("waits":[{"up_to_s":1,"updates":1},{"up_to_s":4,"updates":1}]})",
                  R"({"time_s":16,"event":"workers_summarized","round":1,"node":"a1","accepted":0,)"
                  R"("left_out":1,"reasons":{"NaN":1,"too late":1},"rejected":1,"samples":0})",
                  R"({"time_s":16,"event":"round_committed","round":1,"node":"root"})"));
}

TEST_F(SummarizingSinkTest, VersionsAreSummedUpOnceThereAreAsManyUpdatesAsWorkers) {
  for (int version = 1; version <= 5; ++version) {
    Add(version, event::kUpdateAccepted, "w0", {{"samples", 1}, {"staleness", version % 2}});
    Add(version, event::kVersionCommitted, "root");
  }
  Add(6, event::kRunEnded, "");
  ASSERT_EQ(lines_->lines.size(), 8u);
  EXPECT_EQ(lines_->lines[3],
            R"({"time_s":4,"event":"workers_summarized","round":1,"node":"a0","accepted":4,)"
            R"("left_out":0,"rejected":0,"samples":4,)"
            R"("staleness":[{"updates":2,"versions":0},{"updates":2,"versions":1}],)"
            R"("waits":[{"up_to_s":1,"updates":4}]})");
  EXPECT_THAT(lines_->lines[6], testing::HasSubstr(R"("accepted":1)"));
}

TEST_F(SummarizingSinkTest, ReasonsAreBounded) {
  for (int i = 0; i < 100; ++i) {
    Add(1, event::kUpdateRejected, "w0", {{"reason", "reason " + std::to_string(i)}});
  }
  Add(2, event::kRunEnded, "");
  EXPECT_THAT(lines_->lines[0], testing::HasSubstr(R"("others":92)"));
}

}  // namespace
}  // namespace skein
