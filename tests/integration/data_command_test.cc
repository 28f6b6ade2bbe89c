// `skein data`, from outside.
#include "integration/program.h"
#include "support/xml.h"

namespace skein {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class DataCommandTest : public ProgramTest {
 protected:
  void SetUp() override {
    std::string rows = "x,class\n";
    for (int i = 0; i < 400; ++i) {
      rows += std::to_string(i) + "," + std::to_string(i % 4) + "\n";
    }
    Write("d.csv", rows);
    Write("spec.yaml",
          "topology: tree:2x2\n"
          "learner: {name: torchscript, params: {file: none.pt}}\n"
          "data: {train: d.csv, partition: shards, per_worker: 1}\n");
  }
  void ExpectRefused(const std::string& arguments, const std::vector<std::string>& words) {
    SCOPED_TRACE(arguments);
    const Outcome outcome = Skein("data partition " + arguments);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    for (const std::string& word : words) EXPECT_THAT(outcome.err, HasSubstr(word));
  }
};

TEST_F(DataCommandTest, CountsLabelsOfWorkersAndSubtrees) {
  const Outcome table = Skein("data partition spec.yaml");
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_THAT(table.out, AllOf(HasSubstr("worker  samples"), HasSubstr("w3"),
                               HasSubstr("all         400  100  100  100  100\n")));
  const Outcome json = Skein("data partition spec.yaml --json -o labels.svg");
  ASSERT_EQ(json.code, 0) << json.err;
  EXPECT_THAT(json.out,
              AllOf(HasSubstr(R"({"id":"root","labels":{"0":100,"1":100,"2":100,"3":100})"),
                    HasSubstr(R"("role":"aggregator","samples":200,"tier":1})")));
  EXPECT_THAT(TextsOf(ReadAll(work_ / "labels.svg")),
              AllOf(Contains("root"), Contains("a1"), Contains("w3"), Contains("200"),
                    Contains("labels of 4 workers, partition shards")));
}

TEST_F(DataCommandTest, NeedsNoSpec) {
  const std::string labels = "--labels d.csv:class --topology tree:2x2 ";
  const Outcome same = Skein("data partition " + labels + "--partition shards --per-worker 1");
  ASSERT_EQ(same.code, 0) << same.err;
  EXPECT_EQ(same.out, Skein("data partition spec.yaml").out);
  EXPECT_NE(Skein("data partition " + labels + "--seed 3").out,
            Skein("data partition " + labels + "--seed 4").out);
  // Workers of a subtree have like labels, those of another unlike ones.
  const Outcome edge = Skein("data partition " + labels +
                             "--partition subtrees --alpha 0.02 --min-samples 1 --json");
  ASSERT_EQ(edge.code, 0) << edge.err;
  EXPECT_THAT(edge.out, Not(HasSubstr(R"("labels":{"0":50,"1":50,"2":50,"3":50})")));
}

TEST_F(DataCommandTest, ACrowdIsDrawnByItsSubtrees) {
  const Outcome outcome = Skein("data partition --labels d.csv --topology tree:4x100 -o crowd.svg");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(
      TextsOf(ReadAll(work_ / "crowd.svg")),
      AllOf(Contains("a3"), Not(Contains("w0")), Contains("of 405 nodes, workers not shown")));
}

TEST_F(DataCommandTest, BadInputIsOneLine) {
  ExpectRefused("", {"--labels", "--topology"});
  ExpectRefused("ghost.yaml", {"ghost.yaml"});
  ExpectRefused("--labels d.csv:klass --topology flat:2", {"d.csv: no column 'klass'"});
  ExpectRefused("--labels d.csv --topology flat:2 --partition fair", {"--partition"});
  ExpectRefused("--labels d.csv --topology flat:2 --alpha much", {"--alpha", "much"});
  ExpectRefused("--labels d.csv --topology flat:500", {"too few for 500 workers"});
  ExpectRefused("--labels d.csv:1 --topology flat:2 --partition shards --per-worker 300",
                {"300 shards"});
  ExpectRefused("spec.yaml --alpha 1", {"--set data.alpha"});
  ExpectRefused("spec.yaml --set data.partition=own", {"'train' is one file"});
  ExpectRefused("spec.yaml --set data.partition=own --set 'data.train=\"{node}.csv\"'",
                {"nothing is divided"});
  ExpectRefused("spec.yaml --set learner=linear --set data=~", {"data.train", "--labels"});
  ExpectRefused("spec.yaml -o no/such/dir.svg", {"no/such/dir.svg"});
}

}  // namespace
}  // namespace skein
