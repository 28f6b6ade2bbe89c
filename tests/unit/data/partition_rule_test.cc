#include "skein/data/partition_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "skein/data/subtrees.h"

namespace skein {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<int64_t> Labels() {
  std::vector<int64_t> labels;
  for (int i = 0; i < 400; ++i) labels.push_back(i % 4);
  return labels;
}

TEST(PartitionRule, EveryNameMakesAPartition) {
  for (const std::string& name : PartitionRuleNames()) {
    PartitionRule rule;
    rule.name = name;
    rule.groups = {3, 5};
    const auto parts = MakePartition(rule, 400, Labels(), 8, 1);
    ASSERT_TRUE(parts.ok()) << name << ": " << parts.status();
    EXPECT_EQ(parts->size(), 8u);
    EXPECT_TRUE(CheckPartition(*parts, 400).ok());
  }
}

TEST(PartitionRule, IsWhatThePartitionerOfThatNameMakes) {
  PartitionRule rule;
  rule.name = "shards";
  rule.per_worker = 3;
  EXPECT_EQ(*MakePartition(rule, 400, Labels(), 4, 7), *PartitionShards(Labels(), 4, 3, 7));
  rule = {.name = "subtrees", .alpha = 0.1, .min_samples = 1, .groups = {1, 3}};
  DirichletOptions options;
  options.alpha = 0.1;
  options.min_samples = 1;
  EXPECT_EQ(*MakePartition(rule, 400, Labels(), 4, 7),
            *PartitionByGroups(Labels(), {1, 3}, options, 7));
}

TEST(PartitionRule, WhatCannotBeIsRefused) {
  const auto error = [](const PartitionRule& rule, const std::vector<int64_t>& labels) {
    return Message(MakePartition(rule, 400, labels, 8, 1).status());
  };
  EXPECT_THAT(error({.name = "dirichlt"}, Labels()), HasSubstr("did you mean 'dirichlet'"));
  EXPECT_THAT(error({.name = "classes"}, {}), HasSubstr("use iid or quantity"));
  EXPECT_THAT(error({.name = "subtrees", .groups = {4, 5}}, Labels()),
              HasSubstr("the groups have 9 workers, the tree has 8"));
  EXPECT_TRUE(MakePartition({.name = "quantity"}, 400, {}, 8, 1).ok()) << "needs no labels";
}

TEST(PartitionRule, GroupsAreNumbersWithCommas) {
  EXPECT_THAT(*ParseGroups("8,8,4"), ElementsAre(8, 8, 4));
  EXPECT_TRUE(ParseGroups("")->empty());
  for (const char* bad : {"8,,4", "8,x", "0,8", "-1"}) {
    EXPECT_THAT(Message(ParseGroups(bad).status()), HasSubstr("as 8,8,4")) << bad;
  }
}

TEST(Subtrees, AreTheTreeCutAtATier) {
  const auto sizes = [](const char* shape, int64_t tier) {
    return *SubtreeSizes(*Topology::FromShape(shape), tier);
  };
  EXPECT_THAT(sizes("tree:2x3x4", 1), ElementsAre(12, 12));
  EXPECT_THAT(sizes("tree:2x3x4", 2), ElementsAre(4, 4, 4, 4, 4, 4));
  EXPECT_THAT(sizes("tree:2x2", 2), ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(sizes("flat:3", 1), ElementsAre(1, 1, 1));
}

TEST(Subtrees, AWorkerAboveTheTierIsItsOwn) {
  const auto topology = ParseTopologyYaml(
      "nodes:\n"
      "- {id: hq, role: coordinator}\n"
      "- {id: site, role: aggregator, parent: hq}\n"
      "- {id: robot, role: worker, parent: hq}\n"
      "- {id: hall, role: aggregator, parent: site}\n"
      "- {id: a, role: worker, parent: hall}\n"
      "- {id: b, role: worker, parent: hall}\n"
      "- {id: c, role: worker, parent: site}\n",
      "t.yaml");
  ASSERT_TRUE(topology.ok()) << topology.status();
  EXPECT_THAT(*SubtreeSizes(*topology, 1), ElementsAre(3, 1));
  EXPECT_THAT(*SubtreeSizes(*topology, 2), ElementsAre(2, 1, 1));
  EXPECT_THAT(Message(SubtreeSizes(*topology, 4).status()), HasSubstr("give one of 1 to 3"));
  EXPECT_FALSE(SubtreeSizes(*topology, 0).ok());
}

}  // namespace
}  // namespace skein
