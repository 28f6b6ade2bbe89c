#include "codec/link_codecs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "skein/builtins/codecs.h"
#include "skein/builtins/strategies.h"

namespace skein {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

using Codecs = std::vector<PartSpec>;

StrategyRegistries Registries() {
  StrategyRegistries registries;
  RegisterBuiltinStrategies(registries);
  RegisterBuiltinCodecs(registries.codecs);
  return registries;
}

TEST(LinkCodecs, AreInheritedOneByOne) {
  StrategySpec spec;
  spec.links = {.updates = Codecs{{"int8", {}}}, .partials = {}, .models = Codecs{{"fp16", {}}}};
  spec.tiers = {
      {.tier = 1,
       .link = {
           .updates = Codecs{{"int4", {}}, {"zstd", {}}}, .partials = {}, .models = Codecs{}}}};
  const auto codecs = *LinkCodecs::Create(spec, 3, Registries());
  EXPECT_EQ(codecs->updates(0)->form(), "int8(512)");
  EXPECT_EQ(codecs->updates(1)->form(), "int4(512)|zstd");
  EXPECT_EQ(codecs->models(0)->form(), "fp16");
  EXPECT_EQ(codecs->models(1), nullptr) << "an empty list is none, not what is inherited";
  EXPECT_EQ(codecs->partials(0), nullptr);
  EXPECT_EQ(codecs->Find("int4(512)|zstd"), codecs->updates(1));
  EXPECT_EQ(codecs->Find("int4(512)"), nullptr);
  EXPECT_EQ(codecs->Find(""), nullptr);
  EXPECT_EQ(codecs->Description(),
            "tier 0: updates int8(512), models fp16; tier 1: updates int4(512)|zstd");
  EXPECT_TRUE(codecs->HasExactSums());
}

TEST(LinkCodecs, DescribeTiersThatAreAlikeOnce) {
  StrategySpec spec;
  EXPECT_EQ((*LinkCodecs::Create(spec, 4, Registries()))->Description(), "");
  spec.links.partials = Codecs{{"zstd", {}}};
  EXPECT_EQ((*LinkCodecs::Create(spec, 4, Registries()))->Description(), "partials zstd");
  EXPECT_TRUE((*LinkCodecs::Create(spec, 4, Registries()))->HasExactSums());
  spec.links.partials = Codecs{{"bf16", {}}};
  EXPECT_FALSE((*LinkCodecs::Create(spec, 3, Registries()))->HasExactSums());
  EXPECT_TRUE((*LinkCodecs::Create(spec, 2, Registries()))->HasExactSums()) << "no partials there";
}

struct Bad {
  StrategySpec spec;
  std::string why;
};

class LinkCodecsBad : public ::testing::TestWithParam<Bad> {};

TEST_P(LinkCodecsBad, AreRefusedWithTheirPlace) {
  const absl::Status status =
      ValidateLinks(GetParam().spec, *Topology::FromShape("tree:2x2x2"), Registries());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Message(status), GetParam().why);
}

StrategySpec Up(Codecs codecs) { return {.links = {.updates = std::move(codecs)}}; }
StrategySpec Down(Codecs codecs) { return {.links = {.models = std::move(codecs)}}; }
StrategySpec Partials(Codecs codecs, PartSpec fold = {"fedavg", {}}) {
  return {.fold = std::move(fold), .links = {.partials = std::move(codecs)}};
}
StrategySpec AtTier(int tier, LinkSpec link) {
  return {.tiers = {{.tier = tier, .link = std::move(link)}}};
}

INSTANTIATE_TEST_SUITE_P(
    All, LinkCodecsBad,
    ::testing::Values(
        Bad{Up({{"int5", {}}}),
            "strategy: links.updates: unknown codec 'int5', did you mean "
            "'int4'?"},
        Bad{AtTier(1, {.updates = Codecs{{"int8", {}}, {"int4", {}}}}),
            "strategy, tier 1: link.updates: 'int4(512)' cannot follow 'int8(512)': values are "
            "made narrower once"},
        Bad{Up({{"delta", {}}, {"int8", {}}}),
            "strategy: links.updates: 'delta' is for models; what goes up is a difference "
            "already, so leave it out"},
        Bad{Down({{"topk", {{"ratio", 0.1}}}}),
            "strategy: links.models: 'topk(0.1)' would send models that are mostly zeros; put "
            "'delta' before it"},
        Bad{Down({{"int8", {{"error_feedback", true}, {"rounding", "nearest"}}}}),
            "strategy: links.models: error_feedback is for what goes up; put 'delta' first, with "
            "which each difference contains what the one before has lost"},
        Bad{AtTier(2, {.partials = Codecs{{"int8", {}}}}),
            "strategy, tier 2: link.partials: its nodes have workers below them, which send "
            "updates; say it of a tier above, or of 'updates'"},
        Bad{AtTier(0, {.updates = Codecs{{"int8", {}}}}),
            "strategy, tier 0: link.updates: its nodes have aggregators below them, which send "
            "partials; say it of tier 2, or of 'partials'"},
        Bad{Partials({{"int8", {}}}, {"fednova", {}}),
            "strategy: links.partials: 'int8(512)' makes means of the sums of tier 1, and the "
            "fold above goes by what single workers say; use another fold, or codecs that lose "
            "nothing"}));

TEST(LinkCodecs, WhatCollectsSendsNoMeans) {
  StrategySpec spec = Partials({{"int8", {}}}, {"median", {}});
  spec.tiers = {{.tier = 1, .collect = true}, {.tier = 2, .collect = true}};
  const auto tree = *Topology::FromShape("tree:2x2x2");
  EXPECT_THAT(Message(ValidateLinks(spec, tree, Registries())),
              HasSubstr("tier 1 passes contributions on as they are (collect)"));
  spec.links.partials = Codecs{{"zstd", {}}};
  EXPECT_TRUE(ValidateLinks(spec, tree, Registries()).ok());
}

TEST(LinkCodecs, WhatAnswersInPassesSendsNoMeans) {
  StrategySpec spec = Partials({{"int8", {}}}, {"median", {}});
  spec.tiers = {{.tier = 1, .passes = true}, {.tier = 2, .passes = true}};
  const auto tree = *Topology::FromShape("tree:2x2x2");
  EXPECT_THAT(Message(ValidateLinks(spec, tree, Registries())),
              HasSubstr("tier 1 answers with counts and sums (passes); leave out one of the two"));
  spec.links.partials = Codecs{{"zstd", {}}};
  EXPECT_TRUE(ValidateLinks(spec, tree, Registries()).ok());
}

TEST(LinkCodecs, GoodOnesAreGood) {
  StrategySpec spec = Partials({{"int8", {{"error_feedback", true}, {"rounding", "nearest"}}}});
  spec.links.updates = Codecs{{"topk", {{"ratio", 0.01}}}, {"int8", {}}, {"zstd", {}}};
  spec.links.models = Codecs{{"delta", {}}, {"int4", {}}};
  const absl::Status status = ValidateLinks(spec, *Topology::FromShape("tree:2x2x2"), Registries());
  EXPECT_TRUE(status.ok()) << status;
}

}  // namespace
}  // namespace skein
