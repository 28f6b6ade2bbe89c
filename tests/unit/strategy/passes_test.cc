// Folds in passes: what a tree finds is what the flat fold finds, bit for bit.
#include <algorithm>
#include <bit>

#include <gmock/gmock.h>

#include "strategy/passes/rank_prefixes.h"
#include "testing/fold_samples.h"
#include "unit/strategy/builtin_parts.h"

namespace skein {
namespace {

using testing::Filled;
using ::testing::HasSubstr;
using testing::MakeManifest;
using testing::PlainStep;
using testing::RandomModel;
using testing::RandomUpdates;
using testing::SameBytes;
using testing::SampleUpdate;

NumericPlan PlanOf() {
  NumericPlan plan;
  plan.max_update_weight = 1000;
  return plan;
}

std::vector<SampleUpdate> Numbered(std::vector<SampleUpdate> updates) {
  for (size_t k = 0; k < updates.size(); ++k) updates[k].header.leaf = static_cast<LeafIndex>(k);
  return updates;
}

// A node of a tree of accumulators: the updates of its workers and the nodes below it.
struct PassNode {
  std::unique_ptr<Accumulator> sums;
  std::vector<PassNode> below;
  Roster roster;
  uint64_t updates = 0;
};

class PassTree {
 public:
  PassTree(const PartSpec& spec, const Manifest& model, uint64_t workers)
      : fold_(Make(BuiltinStrategies().folds, spec.name, spec.params)),
        model_(model),
        workers_(workers) {}

  // Workers begin <= leaf < end, cut into pieces by `rng`, each a node or held here.
  PassNode Grow(std::span<const SampleUpdate> updates, int depth, Rng& rng) {
    PassNode node{.sums = fold_->NewPassAccumulator(model_, PlanOf(), workers_, pool_)};
    size_t at = 0;
    while (at < updates.size()) {
      const size_t count = std::min<size_t>(updates.size() - at, 1 + rng.Below(5));
      const auto some = updates.subspan(at, count);
      at += count;
      if (depth > 0 && rng.Below(3) != 0) {
        node.below.push_back(Grow(some, depth - 1, rng));
        Take(node, node.below.back());
        continue;
      }
      for (const SampleUpdate& update : some) {
        const absl::Status added = node.sums->Add(update.header, update.tensors);
        EXPECT_TRUE(added.ok()) << added;
        node.roster.Insert(update.header.leaf);
        ++node.updates;
      }
    }
    return node;
  }

  // All passes, from the root.
  absl::StatusOr<PackedTensors> Finish(PassNode& root, const PackedTensors& base) {
    SKEIN_RETURN_IF_ERROR(Gather(root));
    for (;;) {
      SKEIN_ASSIGN_OR_RETURN(const auto query, root.sums->NextPass());
      if (!query) break;
      ++passes_;
      for (PassNode& node : root.below) SKEIN_RETURN_IF_ERROR(Ask(node, *query));
      SKEIN_RETURN_IF_ERROR(Gather(root));
    }
    PlainStep step;
    return root.sums->Finish(base, step);
  }
  int passes() const { return passes_; }

 private:
  static void Take(PassNode& node, const PassNode& below) {
    node.roster.Merge(below.roster);
    node.updates += below.updates;
  }
  absl::Status Ask(PassNode& node, const PackedTensors& query) {
    for (PassNode& below : node.below) SKEIN_RETURN_IF_ERROR(Ask(below, query));
    return node.sums->BeginPass(query);
  }
  absl::Status Gather(PassNode& node) {
    for (PassNode& below : node.below) {
      SKEIN_RETURN_IF_ERROR(Gather(below));
      SKEIN_ASSIGN_OR_RETURN(const Partial partial, below.sums->TakePartial());
      PartialHeader header;
      header.roster = below.roster;
      header.updates = below.updates;
      header.total_weight = partial.total_weight;
      SKEIN_ASSIGN_OR_RETURN(const Manifest layout, node.sums->PartialLayout());
      SKEIN_RETURN_IF_ERROR(layout.ExpectSame(partial.sums.manifest()));
      SKEIN_RETURN_IF_ERROR(node.sums->Merge(header, partial.sums));
    }
    return absl::OkStatus();
  }

  const std::shared_ptr<const Fold> fold_;
  const Manifest model_;
  const uint64_t workers_;
  const std::shared_ptr<BufferPool> pool_ = std::make_shared<BufferPool>();
  int passes_ = 0;
};

absl::StatusOr<PackedTensors> Flat(const PartSpec& spec, std::span<const SampleUpdate> updates,
                                   const PackedTensors& base, Fixed128* weight = nullptr) {
  const auto fold = Make(BuiltinStrategies().folds, spec.name, spec.params);
  const auto sums = fold->NewAccumulator(base.manifest(), PlanOf());
  for (const SampleUpdate& update : updates) {
    SKEIN_RETURN_IF_ERROR(sums->Add(update.header, update.tensors));
  }
  if (weight != nullptr) *weight = sums->total_weight();
  PlainStep step;
  return sums->Finish(base, step);
}

struct PassCase {
  const char* name;
  PartSpec spec;
  int passes;  // for models with buffers and integers
};

class PassesTest : public ::testing::TestWithParam<PassCase> {};

TEST_P(PassesTest, ATreeFindsWhatTheFlatFoldFinds) {
  Rng rng(71);
  const PackedTensors base = RandomModel(testing::MixedManifest(), 0.1, rng);
  for (const size_t count : std::vector<size_t>{5, 6, 7, 20, 61, 3 * testing::kManyWorkers / 10}) {
    const auto updates = Numbered(RandomUpdates(base, count, 100, 0.05, rng));
    Fixed128 weight;
    const auto flat = Flat(GetParam().spec, updates, base, &weight);
    ASSERT_TRUE(flat.ok()) << flat.status();
    PassTree tree(GetParam().spec, base.manifest(), count + 3);
    PassNode root = tree.Grow(updates, 3, rng);
    const auto result = tree.Finish(root, base);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE(SameBytes(*result, *flat)) << count;
    EXPECT_EQ(tree.passes(), GetParam().passes) << count;
  }
}

// Values that meet, zeros of both signs, and those at the ends of their types.
TEST_P(PassesTest, EqualAndExtremeValuesAreFoundToo) {
  Rng rng(72);
  const Manifest manifest = MakeManifest({{"w", DType::kFloat32, {400}},
                                          {"b", DType::kFloat32, {400}, TensorRole::kBuffer},
                                          {"n", DType::kInt64, {400}, TensorRole::kBuffer},
                                          {"f", DType::kBool, {60}, TensorRole::kBuffer}});
  const PackedTensors base = Filled(manifest, [](size_t, uint64_t) { return 0.0; });
  constexpr float kFloats[] = {0.0f, -0.0f, 1.0f, -1.0f, 3e38f, -3e38f, 1e-45f, -1e-45f};
  constexpr int64_t kIntegers[] = {0, -1, 1, INT64_MAX, INT64_MIN, INT64_MAX - 1, 1LL << 32, -5};
  for (const size_t count : {5u, 8u, 23u}) {
    std::vector<SampleUpdate> updates(count);
    for (SampleUpdate& update : updates) {
      update.header.num_samples = 1 + rng.Below(9);
      update.tensors = PackedTensors(manifest);
      const bool extreme = rng.Below(4) == 0;
      for (size_t t = 0; t < 2; ++t) {
        auto* out = reinterpret_cast<float*>(update.tensors.mutable_tensor(t).data());
        for (int i = 0; i < 400; ++i) out[i] = kFloats[rng.Below(extreme ? 8 : 4)];
      }
      auto* integers = reinterpret_cast<int64_t*>(update.tensors.mutable_tensor(2).data());
      for (int i = 0; i < 400; ++i) integers[i] = kIntegers[rng.Below(8)];
      for (std::byte& flag : update.tensors.mutable_tensor(3)) flag = std::byte(rng.Below(2));
    }
    updates = Numbered(std::move(updates));
    const auto flat = Flat(GetParam().spec, updates, base);
    ASSERT_TRUE(flat.ok()) << flat.status();
    PassTree tree(GetParam().spec, manifest, count);
    PassNode root = tree.Grow(updates, 2, rng);
    const auto result = tree.Finish(root, base);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE(SameBytes(*result, *flat)) << count;
  }
}

TEST_P(PassesTest, TooFewAreTooFew) {
  Rng rng(73);
  const PackedTensors base = RandomModel(testing::MixedManifest(), 0.1, rng);
  const auto updates = Numbered(RandomUpdates(base, 2, 100, 0.05, rng));
  const auto flat = Flat(GetParam().spec, updates, base);
  PassTree tree(GetParam().spec, base.manifest(), 2);
  PassNode root = tree.Grow(updates, 2, rng);
  EXPECT_EQ(tree.Finish(root, base).status(), flat.status());
}

TEST_P(PassesTest, AnswersThatCannotBeAreRefused) {
  Rng rng(74);
  const PackedTensors base = RandomModel(testing::MixedManifest(), 0.1, rng);
  const auto updates = Numbered(RandomUpdates(base, 6, 100, 0.05, rng));
  const auto fold = Make(BuiltinStrategies().folds, GetParam().spec.name, GetParam().spec.params);
  const auto pool = std::make_shared<BufferPool>();
  const auto below = fold->NewPassAccumulator(base.manifest(), PlanOf(), 6, pool);
  const auto above = fold->NewPassAccumulator(base.manifest(), PlanOf(), 6, pool);
  PartialHeader header;
  for (const SampleUpdate& update : updates) {
    ASSERT_TRUE(below->Add(update.header, update.tensors).ok());
    header.roster.Insert(update.header.leaf);
  }
  header.updates = 5;
  const Partial first = *below->TakePartial();
  EXPECT_THAT(Message(above->Merge(header, first.sums)),
              HasSubstr("it speaks of 6 contributions and says that it has 5"));
  header.updates = 6;
  header.roster = Roster::Range(0, 5);
  EXPECT_THAT(Message(above->Merge(header, first.sums)), HasSubstr("not in its roster"));
  header.roster = Roster::Range(0, 6);
  ASSERT_TRUE(above->Merge(header, first.sums).ok());
  EXPECT_FALSE(below->BeginPass(first.sums).ok()) << "an answer is no question";
  const auto query = *above->NextPass();
  ASSERT_TRUE(query.has_value());
  ASSERT_TRUE(below->BeginPass(*query).ok());
  EXPECT_FALSE(above->Merge(header, first.sums).ok()) << "the answer of the pass before";
  PackedTensors answer = below->TakePartial()->sums;
  for (std::byte& byte : answer.mutable_bytes()) byte = std::byte{0x7f};
  ASSERT_TRUE(above->Merge(header, answer).ok());
  EXPECT_THAT(Message(above->NextPass().status()), HasSubstr("a subtree has counted values"));
}

// In the middle of the passes some are gone: what is found is that of the others.
TEST_P(PassesTest, BeginningAnewWithoutSomeFindsWhatTheOthersMake) {
  Rng rng(76);
  const PackedTensors base = RandomModel(testing::MixedManifest(), 0.1, rng);
  const auto updates = Numbered(RandomUpdates(base, 14, 100, 0.05, rng));
  const auto fold = Make(BuiltinStrategies().folds, GetParam().spec.name, GetParam().spec.params);
  const auto pool = std::make_shared<BufferPool>();
  const auto root = fold->NewPassAccumulator(base.manifest(), PlanOf(), 14, pool);
  struct Site {
    std::unique_ptr<Accumulator> sums;
    Roster roster;
  };
  Site sites[2];
  for (int s = 0; s < 2; ++s) {
    sites[s].sums = fold->NewPassAccumulator(base.manifest(), PlanOf(), 14, pool);
    sites[s].roster = s == 0 ? Roster::Range(2, 8) : Roster::Range(8, 14);
  }
  for (size_t k = 0; k < 14; ++k) {
    Accumulator& sums = k < 2 ? *root : *sites[k < 8 ? 0 : 1].sums;
    ASSERT_TRUE(sums.Add(updates[k].header, updates[k].tensors).ok());
  }
  const auto gather = [&](Site& site) {
    PartialHeader header;
    header.roster = site.roster;
    header.updates = 6;
    Partial partial = *site.sums->TakePartial();
    header.total_weight = partial.total_weight;
    ASSERT_TRUE(root->Merge(header, partial.sums).ok());
  };
  for (Site& site : sites) gather(site);
  for (int pass = 0; pass < 3; ++pass) {
    const auto query = *root->NextPass();
    ASSERT_TRUE(query.has_value());
    for (Site& site : sites) {
      ASSERT_TRUE(site.sums->BeginPass(*query).ok());
      if (pass < 2 || &site == &sites[1]) gather(site);
    }
  }
  root->RestartPasses(Roster::Of({0, 1, 8, 9, 10, 11, 12, 13}));
  for (;;) {
    const auto query = *root->NextPass();
    if (!query) break;
    ASSERT_TRUE(sites[1].sums->BeginPass(*query).ok());
    gather(sites[1]);
  }
  std::vector<SampleUpdate> left(updates.begin(), updates.begin() + 2);
  left.insert(left.end(), updates.begin() + 8, updates.end());
  Fixed128 weight;
  const auto flat = Flat(GetParam().spec, left, base, &weight);
  EXPECT_EQ(root->total_weight(), weight);
  PlainStep step;
  const auto result = root->Finish(base, step);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(SameBytes(*result, *flat));
}

TEST_P(PassesTest, NoWholeSubtreeIsAContribution) {
  const PackedTensors base = Filled(testing::MixedManifest(), [](size_t, uint64_t) { return 0.0; });
  const auto fold = Make(BuiltinStrategies().folds, GetParam().spec.name, GetParam().spec.params);
  const auto sums =
      fold->NewPassAccumulator(base.manifest(), PlanOf(), 6, std::make_shared<BufferPool>());
  EXPECT_THAT(Message(sums->AddSubtree(base, Fixed128::FromInt(1))), HasSubstr("works in passes"));
  EXPECT_FALSE(sums->TakePartial().ok());
  PlainStep step;
  EXPECT_FALSE(sums->Finish(base, step).ok());
}

INSTANTIATE_TEST_SUITE_P(
    Builtin, PassesTest,
    ::testing::Values(PassCase{"median", {"median", {}}, 32},
                      PassCase{"median_from_a_file", {"median", {{"memory_mb", 0}}}, 32},
                      PassCase{"trimmed_by_number", {"trimmed-mean", {{"trim", 2}}}, 33},
                      PassCase{"trimmed_by_fraction", {"trimmed-mean", {}}, 33},
                      PassCase{"geometric_by_samples", {"geometric-median", {}}, 39},
                      PassCase{"geometric_uniform",
                               {"geometric-median", {{"weights", "uniform"}, {"iterations", 2}}},
                               37},
                      PassCase{"centered_clipping", {"centered-clipping", {{"clip", 0.1}}}, 39}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(Passes, OnlySomeFoldsHaveThem) {
  for (const auto& [name, expected] :
       std::map<std::string, bool>{{"median", true}, {"fedavg", false}, {"mean", false}}) {
    EXPECT_EQ(Make(BuiltinStrategies().folds, name, {})->HasPasses(), expected) << name;
  }
  const auto krum = Make(BuiltinStrategies().folds, "krum", {{"f", 1}});
  EXPECT_FALSE(krum->HasPasses());
}

// Without buffers and integers there is nothing to find the median of.
TEST(Passes, TheGeometricMedianOfParametersAloneTakesTwoAStepAndOne) {
  Rng rng(75);
  const PackedTensors base = RandomModel(MakeManifest({{"w", DType::kFloat32, {1000}}}), 0.1, rng);
  const auto updates = Numbered(RandomUpdates(base, 9, 100, 0.05, rng));
  const PartSpec spec{"geometric-median", {}};
  PassTree tree(spec, base.manifest(), 9);
  PassNode root = tree.Grow(updates, 2, rng);
  const auto result = tree.Finish(root, base);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(SameBytes(*result, *Flat(spec, updates, base)));
  EXPECT_EQ(tree.passes(), 7);
}

TEST(RankPrefixes, KeysHaveTheOrderOfTheValues) {
  const float floats[] = {-3e38f, -1.0f, -1e-45f, -0.0f, 0.0f, 1e-45f, 1.0f, 3e38f};
  for (size_t i = 0; i + 1 < std::size(floats); ++i) {
    EXPECT_LT(KeyOf(std::bit_cast<int32_t>(floats[i])),
              KeyOf(std::bit_cast<int32_t>(floats[i + 1])));
  }
  for (const float value : floats) {
    EXPECT_EQ(std::bit_cast<int32_t>(FloatOfKey(KeyOf(std::bit_cast<int32_t>(value)))),
              std::bit_cast<int32_t>(value));
  }
  const int64_t integers[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
  for (size_t i = 0; i + 1 < std::size(integers); ++i) {
    EXPECT_LT(KeyOf(integers[i]), KeyOf(integers[i + 1]));
  }
  for (const int64_t value : integers) EXPECT_EQ(IntegerOfKey(KeyOf(value)), value);
}

// Over the ends of bytes and words, wherever they fall.
TEST(RankPrefixes, DigitsAreReadAsTheyWereWritten) {
  Rng rng(77);
  for (const uint64_t floats : {0u, 1u, 63u, 64u, 65u, 200u}) {
    for (const uint64_t integers : {0u, 1u, 31u, 32u, 97u}) {
      RankPrefixes prefixes(floats, integers, 2);
      std::vector<uint64_t> expected;
      DigitWriter digits;
      for (int s = 0; s < 2; ++s) {
        for (uint64_t i = 0; i < floats + integers; ++i) {
          const int bits = i < floats ? 1 : 2;
          expected.push_back(rng.Below(uint64_t{1} << bits));
          digits.Put(expected.back(), bits);
        }
      }
      ASSERT_TRUE(prefixes.Extend(digits.Take()).ok());
      std::vector<uint64_t> read;
      for (int s = 0; s < 2; ++s) {
        for (const uint32_t prefix : prefixes.floats(s)) read.push_back(prefix);
        for (const uint64_t prefix : prefixes.integers(s)) read.push_back(prefix);
      }
      EXPECT_EQ(read, expected) << floats << " and " << integers;
    }
  }
}

TEST(RankPrefixes, TakesAsManyDigitsAsThereAre) {
  RankPrefixes prefixes(3, 2, 2);
  DigitWriter digits;
  for (int s = 0; s < 2; ++s) {
    for (int i = 0; i < 3; ++i) digits.Put(i == s ? 1 : 0, 1);
    for (int i = 0; i < 2; ++i) digits.Put(s == 0 ? 2 : 3, 2);
  }
  const std::vector<uint8_t> bytes = digits.Take();
  for (int step = 0; step < RankPrefixes::kSteps; ++step) {
    EXPECT_FALSE(prefixes.complete());
    ASSERT_TRUE(prefixes.Extend(bytes).ok());
  }
  EXPECT_TRUE(prefixes.complete());
  EXPECT_FALSE(prefixes.Extend(bytes).ok()) << "all are known";
  EXPECT_EQ(prefixes.floats(0)[0], 0xffffffffu);
  EXPECT_EQ(prefixes.floats(1)[0], 0u);
  EXPECT_EQ(prefixes.integers(0)[1], 0xaaaaaaaaaaaaaaaau);
  EXPECT_EQ(prefixes.integers(1)[0], 0xffffffffffffffffu);
  RankPrefixes other(3, 2, 2);
  EXPECT_FALSE(other.Extend(std::span(bytes).first(1)).ok());
}

}  // namespace
}  // namespace skein
