// Selectors from outside: by run, with processes, and in virtual time.
#include "integration/program.h"

namespace skein {
namespace {

using testing::Each;
using testing::HasSubstr;

constexpr char kSpec[] =
    "name: selectors\n"
    "topology:\n"
    "  nodes:\n"
    "    - {id: hq, role: coordinator}\n"
    "    - {id: eu, role: aggregator, parent: hq, attributes: {region: eu}}\n"
    "    - {id: us, role: aggregator, parent: hq, attributes: {region: us}}\n"
    "    - {id: w0, role: worker, parent: eu}\n"
    "    - {id: w1, role: worker, parent: eu, attributes: {device: [gpu]}}\n"
    "    - {id: w2, role: worker, parent: eu}\n"
    "    - {id: w3, role: worker, parent: us, attributes: {device: [gpu]}}\n"
    "    - {id: w4, role: worker, parent: us}\n"
    "    - {id: w5, role: worker, parent: us}\n"
    "learner: linear\n"
    "rounds: 6\n"
    "seed: 3\n"
    "limits: {start_timeout_s: 900, heartbeat_timeout_s: 300}\n"
    "conditions: {model_mb: 0.01, compute: {task_s: 10, spread: 0.5}}\n";

constexpr const char* kSelectors[] = {
    "{name: round-robin, count: 4}", "{name: where, expression: 'region == eu or device has gpu'}",
    "{name: stratified, count: 3}",  "{name: power-of-choice, candidates: 4, count: 2}",
    "{name: oort, count: 3}",
};

class SelectorsTest : public ProgramTest {
 protected:
  void SetUp() override { Write("spec.yaml", kSpec); }

  // Who took part in each round.
  std::vector<std::string> Rosters(const std::string& command, const std::string& selector) {
    out_ = "out" + std::to_string(++runs_);
    const Outcome outcome =
        Skein(command + " --quiet --out " + out_ + " --set \"strategy.selector=" + selector + "\"");
    EXPECT_EQ(outcome.code, 0) << command << " " << selector << ": " << outcome.err;
    std::vector<std::string> rosters;
    const std::string events = ReadAll(work_ / (out_ + "/events.jsonl"));
    for (size_t at = 0; (at = events.find("\"event\":\"round_opened\"", at)) != events.npos; ++at) {
      const size_t from = events.find("\"roster\":\"", at) + 10;
      rosters.push_back(events.substr(from, events.find('"', from) - from));
    }
    EXPECT_EQ(rosters.size(), 6u);
    return rosters;
  }
  std::string Model() { return ReadAll(work_ / (out_ + "/model.safetensors")); }

 private:
  std::string out_;
  int runs_ = 0;
};

TEST_F(SelectorsTest, ChooseInVirtualTime) {
  for (const std::string selector : kSelectors) {
    const auto once = Rosters("simulate spec.yaml", selector);
    const auto cores = Rosters("simulate spec.yaml --no-training", selector);
    const bool by_losses =
        selector.find("oort") != selector.npos || selector.find("power") != selector.npos;
    if (!by_losses) {
      EXPECT_EQ(cores, once) << selector;
    }
  }
}

// What the selectors know comes to the control plane through the tree, over any transport.
TEST_F(SelectorsTest, ChooseTheSameHoweverTheNodesAreHosted) {
  const std::string selector = kSelectors[3];
  const std::string run = "run spec.yaml --set conditions=null";
  const auto virtual_time = Rosters("simulate spec.yaml", selector);
  const std::string model = Model();
  EXPECT_EQ(Rosters(run, selector), virtual_time);
  EXPECT_EQ(Model(), model);
  EXPECT_EQ(Rosters(run + " --processes", selector), virtual_time);
  EXPECT_EQ(Model(), model);
}

TEST_F(SelectorsTest, WhereTakesOnlyThose) {
  EXPECT_THAT(Rosters("run spec.yaml --set conditions=null",
                      "{name: where, expression: 'region == eu and device has gpu'}"),
              Each("1"));
}

TEST_F(SelectorsTest, WhatCannotBeCostsALine) {
  const std::pair<const char*, const char*> kWrong[] = {
      {"{name: where, expression: 'region == asia'}",
       "none of the tree's 6 workers satisfies; its nodes have device, region"},
      {"{name: where, expression: 'region = eu'}", "column 8: '=' compares nothing; use '=='"},
      {"{name: stratified, count: 1}", "takes 1 workers of 2 branches"},
      {"{name: power-of-choice, candidates: 7, count: 2}", "draws 7 candidates and the tree has 6"},
      {"{name: oort, count: 7}", "takes 7 workers or more and the tree has 6"},
      {"{name: round-robin, count: 7}", "takes 7 workers or more and the tree has 6"}};
  for (const auto& [selector, error] : kWrong) {
    const Outcome outcome =
        Skein(std::string("run spec.yaml --out bad --set \"strategy.selector=") + selector + "\"");
    EXPECT_EQ(outcome.code, 2) << selector;
    EXPECT_THAT(outcome.err, HasSubstr(error));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_FALSE(std::filesystem::exists(work_ / "bad"));
  }
}

}  // namespace
}  // namespace skein
