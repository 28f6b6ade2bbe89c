// Whole federations in virtual time whose links encode what they carry, against models that are
// made by hand of what was decoded.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "codec/link_codecs.h"
#include "skein/codec/codec_state.h"
#include "support/iterations.h"
#include "support/sim_federation.h"

namespace skein {
namespace {

using ::testing::Each;
using ::testing::Gt;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using Codecs = std::vector<PartSpec>;

const PartSpec kTopK{"topk", {{"ratio", 0.1}}};

// What a node made of the models that it got.
using Seen = std::map<VersionRef, std::set<std::string>>;

// Notes the models that workers train from.
class Noting : public FormulaTrainer {
 public:
  Noting(LeafIndex leaf, std::shared_ptr<Seen> seen)
      : FormulaTrainer(1, leaf), seen_(std::move(seen)) {}
  absl::StatusOr<TrainOutput> Train(const PackedTensors& base,
                                    const TrainRequest& request) override {
    (*seen_)[{request.round, 0, request.local_round}].insert(TransferDigest(base.bytes()));
    return FormulaTrainer::Train(base, request);
  }

 private:
  std::shared_ptr<Seen> seen_;
};

struct Offers {
  std::map<std::string, size_t> encoded;  // by form
  size_t plain = 0;
  uint64_t bytes = 0;
};

// Every offer is counted, by what it is for.
testing::FaultPlan Counting(std::shared_ptr<std::map<std::string, Offers>> counts) {
  return [counts](const testing::FrameContext& context) -> testing::Fault {
    const auto* offer = std::get_if<OfferFrame>(context.frame);
    if (offer == nullptr) return {};
    static constexpr const char* kKinds[] = {"models", "updates", "partials"};
    Offers& offers = (*counts)[kKinds[offer->header.index()]];
    offers.bytes += offer->size();
    if (offer->encoding) {
      ++offers.encoded[offer->encoding->form];
    } else {
      ++offers.plain;
    }
    return {};
  };
}

SimFederation::Options With(const std::string& shape, LinkSpec links, uint64_t rounds = 5) {
  SimFederation::Options options{.topology = Tree(shape), .config = SimFederation::Config(rounds)};
  options.config.strategy.links = std::move(links);
  return options;
}

std::shared_ptr<const CodecPipeline> Pipeline(const Codecs& codecs) {
  CodecRegistry registry("codec");
  RegisterBuiltinCodecs(registry);
  return MakePipeline(registry, codecs).value();
}

std::string StartedField(const SimFederation& federation, const std::string& name) {
  const Event started = federation.EventsOf(event::kRunStarted).at(0);
  const auto field = started.fields.find(name);
  return field == started.fields.end() ? "" : ToJson(field->second);
}

// Every committed model again, of the rosters alone: each update through the codecs and back, then
// one flat fold.
void ExpectMadeOfDecodedUpdates(const SimFederation& federation, const RunConfig& config,
                                const Codecs& codecs) {
  StrategyRegistries strategies;
  RegisterBuiltinStrategies(strategies);
  const auto fold = strategies.folds.Create(config.strategy.fold).value();
  const auto optimizer = strategies.optimizers.Create(config.strategy.optimizer).value();
  const auto pipeline = Pipeline(codecs);
  BufferPool buffers;
  PackedTensors model = FormulaModel();
  std::map<LeafIndex, CodecState> errors;
  const NumericPlan plan =
      MakeNumericPlan(model, fold->MaxUpdateWeight(kFormulaMaxSamples), 6, fold->MinBound())
          .value();
  for (const RoundRecord& round : federation.CommittedRounds()) {
    SCOPED_TRACE("round " + std::to_string(round.round));
    const auto sums = fold->NewAccumulator(model.manifest(), plan);
    for (const LeafIndex leaf : round.contributors.Leaves()) {
      const PackedTensors update = FormulaUpdate(config.seed, leaf, round.seq_first, model);
      CodecState& owed = errors.try_emplace(leaf, update.manifest()).first->second;
      const CodecContext context{config.seed, round.seq_first, leaf};
      const auto payload = pipeline->Encode(update, context, buffers, &owed).value();
      if (owed.pending()) {
        ASSERT_TRUE(owed.Commit().ok());
      }
      const UpdateHeader header{.leaf = leaf,
                                .seq = round.seq_first,
                                .round = round.round,
                                .base = round.base,
                                .num_samples = FormulaSamples(config.seed, leaf)};
      const absl::Status added =
          sums->Add(header, pipeline->Decode(payload.bytes, update.manifest(), buffers).value());
      ASSERT_TRUE(added.ok()) << added;
    }
    model = sums->Finish(model, *optimizer).value();
    ASSERT_EQ(ModelDigest(model), round.digest);
  }
}

struct Encoded {
  std::string name;
  Codecs updates;
  friend void PrintTo(const Encoded& e, std::ostream* out) { *out << e.name; }
};

class SimCodecs : public ::testing::TestWithParam<Encoded> {};

// The sum of what was decoded is exact: in every tree the same bits, those of a flat fold by hand.
TEST_P(SimCodecs, UpdatesAreFoldedAsTheyWereDecoded) {
  for (const char* shape : {"flat:6", "tree:2x3", "tree:3x1x2"}) {
    SCOPED_TRACE(shape);
    auto counts = std::make_shared<std::map<std::string, Offers>>();
    SimFederation::Options options =
        With(shape, {.updates = GetParam().updates, .partials = {}, .models = {}});
    options.faults = Counting(counts);
    SimFederation federation(options);
    ASSERT_TRUE(federation.Run());
    ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
    ASSERT_THAT(federation.CommittedRounds(), SizeIs(5));
    ExpectMadeOfDecodedUpdates(federation, options.config, GetParam().updates);
    const std::string form = Pipeline(GetParam().updates)->form();
    EXPECT_EQ((*counts)["updates"].encoded[form], 30u);
    EXPECT_EQ((*counts)["updates"].plain, 0u);
    EXPECT_THAT((*counts)["partials"].encoded, IsEmpty());
    EXPECT_EQ(StartedField(federation, "codecs"), "\"updates " + form + "\"");
    EXPECT_EQ(StartedField(federation, "exact_sums"), "true");
  }
}

// Links that break, frames that are lost: what is sent again is what was sent, and what was lost in
// encoding is owed once.
TEST_P(SimCodecs, MishapsChangeNothing) {
  const auto seeds = static_cast<uint64_t>(SimSeeds(8));
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SimFederation::Options options =
        With("tree:2x3", {.updates = GetParam().updates, .partials = {}, .models = {}}, 8);
    auto rng = std::make_shared<Rng>(seed);
    auto cut = std::make_shared<int>(0);
    options.faults = [rng, cut](const testing::FrameContext& context) -> testing::Fault {
      const bool of_transfer = std::holds_alternative<ChunkFrame>(*context.frame) ||
                               std::holds_alternative<TrailerFrame>(*context.frame) ||
                               std::holds_alternative<AckFrame>(*context.frame);
      if (!of_transfer || *cut >= 12 || rng->Below(5) != 0) return {};
      ++*cut;
      return {testing::Fault::Kind::kCut};
    };
    SimFederation federation(options);
    ASSERT_TRUE(federation.Run());
    ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
    EXPECT_GT(*cut, 0);
    ExpectMadeOfDecodedUpdates(federation, options.config, GetParam().updates);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Codecs, SimCodecs,
    ::testing::Values(Encoded{"Int4", {{"int4", {{"bucket", 16}}}}},
                      Encoded{"HalvesCompressed", {{"fp16", {}}, {"zstd", {}}}},
                      Encoded{"NothingLost", {{"zstd", {}}}}, Encoded{"TopKWithErrors", {kTopK}},
                      Encoded{"AllStages", {kTopK, {"int8", {}}, {"zstd", {}}}}),
    [](const auto& tested) { return tested.param.name; });

// ---- partials ----

TEST(SimCodecsPartials, SumsThatLoseNothingStayExact) {
  const auto digest = [](const LinkSpec& links) {
    auto counts = std::make_shared<std::map<std::string, Offers>>();
    SimFederation::Options options = With("tree:2x3", links);
    options.faults = Counting(counts);
    SimFederation federation(options);
    EXPECT_TRUE(federation.Run());
    EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
    EXPECT_EQ((*counts)["partials"].encoded["zstd"], links.partials ? 10u : 0u);
    return federation.Digest();
  };
  const std::string plain = digest({});
  EXPECT_THAT(plain, Not(IsEmpty()));
  EXPECT_EQ(digest({.updates = {}, .partials = Codecs{{"zstd", {}}}, .models = {}}), plain);
}

double Bias(const SimFederation& federation) {
  const Event last = federation.EventsOf(event::kEvaluated).back();
  return *last.fields.at("metrics").AsMap()->at("bias").AsDouble();
}

double BiasWith(SimFederation::Options options) {
  SimFederation federation(std::move(options));
  EXPECT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  return Bias(federation);
}

// Of three tiers: means of means, each weighed by all the samples that are in it.
TEST(SimCodecsPartials, MeansOfSubtreesAreWeighedByTheirSamples) {
  const double exact = BiasWith(With("tree:2x2x3", {}, 6));
  for (const Codecs& codecs :
       {Codecs{{"bf16", {}}}, Codecs{{"int8", {{"error_feedback", true}, {"rounding", "nearest"}}}},
        Codecs{{"fp16", {}}, {"zstd", {}}}}) {
    SimFederation::Options options =
        With("tree:2x2x3", {.updates = {}, .partials = codecs, .models = {}}, 6);
    auto counts = std::make_shared<std::map<std::string, Offers>>();
    options.faults = Counting(counts);
    SimFederation federation(options);
    ASSERT_TRUE(federation.Run());
    ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
    const std::string form = Pipeline(codecs)->form();
    EXPECT_NEAR(Bias(federation), exact, 0.004) << form;
    EXPECT_NE(Bias(federation), exact) << form << " loses something";
    EXPECT_EQ((*counts)["partials"].encoded[form], 36u) << "2 + 4 a round";
    EXPECT_EQ(StartedField(federation, "exact_sums"), "false");
  }
}

// A model of float16, whose own digits are few: the mean of a subtree has those of an update.
TEST(SimCodecsPartials, MeansAreNotRoundedAsTheModelIs) {
  class Halves : public FormulaTrainer {
   public:
    using FormulaTrainer::FormulaTrainer;
    static Manifest ModelManifest() {
      return Manifest::Create({{"weight", DType::kFloat16, {4}, TensorRole::kParameter}}).value();
    }
    absl::StatusOr<PackedTensors> Initialize() override {
      PackedTensors model(ModelManifest());
      std::memset(model.mutable_bytes().data(), 0, model.bytes().size());
      return model;
    }
    // Too small for float16. Only the server's learning rate makes something of them.
    absl::StatusOr<TrainOutput> Train(const PackedTensors&, const TrainRequest&) override {
      PackedTensors update(UpdateManifest(ModelManifest()).value());
      const std::vector<float> values(4, 1e-8f);
      std::memcpy(update.mutable_bytes().data(), values.data(), update.bytes().size());
      return TrainOutput{std::move(update), 10, {{"loss", 1.0}}};
    }
    absl::StatusOr<EvalOutput> Evaluate(const PackedTensors&, const TrainRequest&) override {
      return EvalOutput{1, {{"loss", 1.0}}};
    }
  };
  const auto digest = [](const LinkSpec& links) {
    SimFederation::Options options = With("tree:2x3", links, 2);
    options.config.strategy.optimizer = {"sgd", {{"lr", 1e6}}};
    options.trainer = [](const NodeView& view) -> std::unique_ptr<Trainer> {
      return std::make_unique<Halves>(1, view.leaf_begin);
    };
    SimFederation federation(options);
    EXPECT_TRUE(federation.Run());
    EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
    return federation.Digest();
  };
  EXPECT_EQ(digest({.updates = {}, .partials = Codecs{{"fp32", {}}}, .models = {}}), digest({}));
}

// A mean that its codec does not take: what it is made of does not count, and who sent it hears so.
TEST(SimCodecsPartials, WhatCannotBeEncodedIsTakenBack) {
  class Large : public FormulaTrainer {
   public:
    Large(LeafIndex leaf, std::shared_ptr<std::map<LeafIndex, int>> counted)
        : FormulaTrainer(1, leaf), leaf_(leaf), counted_(std::move(counted)) {}
    absl::StatusOr<TrainOutput> Train(const PackedTensors& base,
                                      const TrainRequest& request) override {
      SKEIN_ASSIGN_OR_RETURN(TrainOutput output, FormulaTrainer::Train(base, request));
      const float value = leaf_ < 3 ? 1.0f : 1e6f;  // float16 takes up to 65504
      std::memcpy(output.update.mutable_tensor(0).data(), &value, sizeof(value));
      return output;
    }
    absl::Status Settle(uint64_t, bool counts) override {
      (*counted_)[leaf_] += counts ? 1 : 0;
      return absl::OkStatus();
    }

   private:
    const LeafIndex leaf_;
    const std::shared_ptr<std::map<LeafIndex, int>> counted_;
  };
  auto counted = std::make_shared<std::map<LeafIndex, int>>();
  SimFederation::Options options =
      With("tree:2x3", {.updates = {}, .partials = Codecs{{"fp16", {}}}, .models = {}}, 4);
  options.config.strategy.fold.params["bound"] = 1e7;
  options.config.strategy.policy = {"quorum", {{"fraction", 0.5}, {"deadline_s", 30}}};
  options.config.strategy.tiers = {{.tier = 1, .policy = PartSpec{"all", {}}}};
  options.trainer = [counted](const NodeView& view) -> std::unique_ptr<Trainer> {
    return std::make_unique<Large>(view.leaf_begin, counted);
  };
  SimFederation federation(options);
  ASSERT_TRUE(federation.Run());
  ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  for (LeafIndex leaf = 0; leaf < 6; ++leaf) {
    EXPECT_EQ((*counted)[leaf], leaf < 3 ? 4 : 0) << "of worker " << leaf;
  }
}

// What topk does not send of a partial is sent later: over many rounds nothing is missing, though
// each carries a tenth.
TEST(SimCodecsPartials, AnAggregatorKeepsWhatItsEncodingLoses) {
  const auto with = [](std::optional<bool> feedback) {
    LinkSpec links;
    if (feedback) {
      links.partials = Codecs{{"topk", {{"ratio", 0.1}, {"error_feedback", *feedback}}}};
    }
    SimFederation::Options options = With("tree:2x3", links, 60);
    options.config.evaluate = {.coordinator = true, .workers = false, .every = 60};
    // As much in each round, whatever the model: what is lost does not come again by itself.
    options.trainer = [](const NodeView& view) -> std::unique_ptr<Trainer> {
      class Steady : public FormulaTrainer {
       public:
        using FormulaTrainer::FormulaTrainer;
        absl::StatusOr<TrainOutput> Train(const PackedTensors& base,
                                          const TrainRequest& request) override {
          SKEIN_ASSIGN_OR_RETURN(TrainOutput output, FormulaTrainer::Train(base, request));
          for (size_t t = 0; t < 2; ++t) {
            std::vector<float> values(output.update.manifest()[t].NumElements());
            for (size_t i = 0; i < values.size(); ++i) {
              values[i] = 0.01f / static_cast<float>(1 + i);
            }
            // The first, by which the test goes, is the least.
            std::swap(values.front(), values.back());
            std::memcpy(output.update.mutable_tensor(t).data(), values.data(),
                        values.size() * sizeof(float));
          }
          return output;
        }
      };
      return std::make_unique<Steady>(1, view.leaf_begin);
    };
    return BiasWith(std::move(options));
  };
  const double exact = with(std::nullopt);
  EXPECT_NEAR(exact, 60 * 0.01 / 7, 1e-6);
  EXPECT_NEAR(with(true), exact, 0.25 * exact) << "less than a last, unsent rest";
  EXPECT_EQ(with(false), 0) << "never among the largest";
}

// ---- models ----

TEST(SimCodecsModels, AllWorkersTrainFromTheSameAndNothingDrifts) {
  const double exact = BiasWith(With("tree:2x3", {}, 12));
  for (const Codecs& codecs :
       {Codecs{{"delta", {}}, {"int4", {}}}, Codecs{{"fp16", {}}},
        Codecs{{"delta", {}}, {"zstd", {}}}, Codecs{{"delta", {}}, kTopK, {"int8", {}}}}) {
    const std::string form = Pipeline(codecs)->form();
    SCOPED_TRACE(form);
    auto seen = std::make_shared<Seen>();
    auto counts = std::make_shared<std::map<std::string, Offers>>();
    SimFederation::Options options =
        With("tree:2x3", {.updates = {}, .partials = {}, .models = codecs}, 12);
    options.faults = Counting(counts);
    options.trainer = [seen](const NodeView& view) -> std::unique_ptr<Trainer> {
      return std::make_unique<Noting>(view.leaf_begin, seen);
    };
    SimFederation federation(options);
    ASSERT_TRUE(federation.Run());
    ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
    EXPECT_THAT(*seen, SizeIs(12));
    for (const auto& [version, digests] : *seen) EXPECT_THAT(digests, SizeIs(1));
    EXPECT_NEAR(Bias(federation), exact, 0.02);
    // The first of a difference is whole.
    const size_t whole = codecs[0].name == "delta" ? 8 : 0;
    EXPECT_EQ((*counts)["models"].plain, whole);
    EXPECT_GE((*counts)["models"].encoded[form], 12 * 8 - 8u);
    EXPECT_EQ(StartedField(federation, "exact_sums"), "true");
  }
}

// A difference that loses nothing: workers have the model itself.
TEST(SimCodecsModels, DifferencesThatLoseNothingChangeNothing) {
  const auto digest = [](const LinkSpec& links) {
    SimFederation federation(With("tree:2x3", links, 6));
    EXPECT_TRUE(federation.Run());
    EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
    federation.ExpectReproducible();
    return federation.Digest();
  };
  EXPECT_EQ(digest({.updates = {}, .partials = {}, .models = Codecs{{"delta", {}}, {"zstd", {}}}}),
            digest({}));
}

// A worker that comes anew has no base: it is given all of what the others have.
TEST(SimCodecsModels, WhoHasNoBaseGetsTheWhole) {
  auto seen = std::make_shared<Seen>();
  auto counts = std::make_shared<std::map<std::string, Offers>>();
  SimFederation::Options options =
      With("tree:2x3",
           {.updates = {}, .partials = {}, .models = Codecs{{"delta", {}}, {"int4", {}}}}, 12);
  options.config.evaluate = {.coordinator = true, .workers = false, .every = 1};
  options.config.strategy.policy = {"quorum", {{"fraction", 0.5}, {"deadline_s", 30}}};
  options.faults = Counting(counts);
  options.trainer = [seen](const NodeView& view) -> std::unique_ptr<Trainer> {
    return std::make_unique<Noting>(view.leaf_begin, seen);
  };
  options.work = [](const NodeId&) {
    testing::Simulation::TaskModel model;
    model.duration = [](uint64_t) { return Duration(std::chrono::seconds(1)); };
    return model;
  };
  SimFederation federation(options);
  SimFederation* running = &federation;
  federation.simulation().At(std::chrono::milliseconds(3500), [running] {
    running->Kill("w1");
    running->StartNode("w1");
  });
  federation.simulation().At(std::chrono::milliseconds(6500), [running] {
    running->Kill("a1");
    running->StartNode("a1");
  });
  ASSERT_TRUE(federation.Run());
  ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  for (const auto& [version, digests] : *seen) EXPECT_THAT(digests, SizeIs(1));
  EXPECT_GT((*counts)["models"].plain, 8u);
  EXPECT_GT((*counts)["models"].encoded["delta|int4(512)"], 20u);
}

// Local rounds: what an aggregator makes goes down as differences, too, and the parent's next one
// is to a model that it has had.
TEST(SimCodecsModels, LocalRoundsGoDownAsDifferences) {
  const auto with = [](const LinkSpec& links, std::shared_ptr<std::map<std::string, Offers>> counts,
                       std::shared_ptr<Seen> seen) {
    SimFederation::Options options = With("tree:2x3", links, 6);
    options.config.strategy.tiers = {{.tier = 1, .kappa = 3}};
    options.faults = Counting(counts);
    options.trainer = [seen](const NodeView& view) -> std::unique_ptr<Trainer> {
      if (view.leaf_begin >= 3) return nullptr;  // local models differ between the sites
      return std::make_unique<Noting>(view.leaf_begin, seen);
    };
    return BiasWith(std::move(options));
  };
  auto counts = std::make_shared<std::map<std::string, Offers>>();
  auto seen = std::make_shared<Seen>();
  const double exact = with({}, counts, seen);
  counts->clear();
  seen->clear();
  const Codecs codecs{{"delta", {}}, {"int8", {}}};
  EXPECT_NEAR(with({.updates = {}, .partials = {}, .models = codecs}, counts, seen), exact, 0.01);
  EXPECT_THAT(*seen, SizeIs(18));
  for (const auto& [version, digests] : *seen) EXPECT_THAT(digests, SizeIs(1));
  EXPECT_EQ((*counts)["models"].plain, 8u) << "the first of each link";
  EXPECT_EQ((*counts)["models"].encoded["delta|int8(512)"], 6 * 2 + 18 * 6u);
}

// Tensors of every type, some without elements or dimensions; `floats`: or none that is a float.
class OfAllTypes : public FormulaTrainer {
 public:
  OfAllTypes(LeafIndex leaf, bool floats) : FormulaTrainer(1, leaf), leaf_(leaf), floats_(floats) {}
  Manifest ModelManifest() const {
    std::vector<TensorInfo> tensors = {{"count", DType::kInt64, {}, TensorRole::kBuffer},
                                       {"flags", DType::kBool, {3}, TensorRole::kBuffer},
                                       {"none", DType::kInt32, {0}, TensorRole::kBuffer}};
    if (floats_) {
      tensors.push_back({"w", DType::kFloat32, {30, 20}, TensorRole::kParameter});
      tensors.push_back({"empty", DType::kFloat32, {0, 4}, TensorRole::kParameter});
      tensors.push_back({"half", DType::kFloat16, {300}, TensorRole::kParameter});
      tensors.push_back({"brain", DType::kBFloat16, {300}, TensorRole::kParameter});
      tensors.push_back({"double", DType::kFloat64, {100}, TensorRole::kParameter});
      tensors.push_back({"scalar", DType::kFloat32, {}, TensorRole::kParameter});
    }
    return Manifest::Create(std::move(tensors)).value();
  }
  absl::StatusOr<PackedTensors> Initialize() override {
    PackedTensors model(ModelManifest());
    std::ranges::fill(model.mutable_bytes(), std::byte{0});
    return model;
  }
  absl::StatusOr<TrainOutput> Train(const PackedTensors&, const TrainRequest& request) override {
    PackedTensors update(UpdateManifest(ModelManifest()).value());
    std::ranges::fill(update.mutable_bytes(), std::byte{0});
    Rng rng(DeriveSeed(3, {leaf_, request.seq}));
    for (size_t t = 0; t < update.manifest().size(); ++t) {
      if (update.manifest()[t].dtype != DType::kFloat32) continue;
      std::vector<float> values(update.manifest()[t].NumElements());
      for (float& value : values) value = static_cast<float>(rng.Normal() * 0.01);
      std::ranges::copy(std::as_bytes(std::span(values)), update.mutable_tensor(t).begin());
    }
    const auto count = static_cast<int64_t>(request.round);
    std::memcpy(update.mutable_tensor(0).data(), &count, sizeof(count));
    return TrainOutput{std::move(update), 10 + leaf_, {{"loss", 1.0}}};
  }
  absl::StatusOr<EvalOutput> Evaluate(const PackedTensors&, const TrainRequest&) override {
    return EvalOutput{1, {{"loss", 1.0}}};
  }

 private:
  const LeafIndex leaf_;
  const bool floats_;
};

TEST(SimCodecs, ModelsOfAllTypesGoUpAndDown) {
  const Codecs difference{{"delta", {}}, {"zstd", {}}};
  const Codecs zstd{{"zstd", {}}};
  for (const bool floats : {true, false}) {
    SCOPED_TRACE(floats ? "of all types" : "without floats");
    const auto digest = [floats](const LinkSpec& links) {
      SimFederation::Options options = With("tree:2x3", links, 4);
      options.trainer = [floats](const NodeView& view) -> std::unique_ptr<Trainer> {
        return std::make_unique<OfAllTypes>(view.leaf_begin, floats);
      };
      SimFederation federation(options);
      EXPECT_TRUE(federation.Run());
      EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
      return federation.Digest();
    };
    const std::string plain = digest({});
    EXPECT_EQ(digest({.updates = zstd, .partials = zstd, .models = difference}), plain);
    EXPECT_EQ(digest({.updates = {}, .partials = Codecs{{"fp32", {}}}, .models = {}}) == plain,
              !floats)
        << "a mean of float32 is not quite that of the sums";
    const LinkSpec lossy{.updates = Codecs{kTopK, {"int4", {}}, {"zstd", {}}},
                         .partials = Codecs{{"int8", {{"error_feedback", true}}}},
                         .models = Codecs{{"delta", {}}, {"int4", {}}}};
    EXPECT_EQ(digest(lossy) == plain, !floats);
    EXPECT_EQ(digest({.updates = Codecs{{"randomk", {{"ratio", 0.5}}}},
                      .partials = Codecs{{"fp16", {}}},
                      .models = Codecs{{"bf16", {}}}}) == plain,
              !floats);
  }
}

// Everything at once, with links of their own at a tier.
TEST(SimCodecs, TiersHaveLinksOfTheirOwn) {
  auto counts = std::make_shared<std::map<std::string, Offers>>();
  SimFederation::Options options =
      With("tree:2x2x2", {.updates = Codecs{{"int8", {}}},
                          .partials = {},
                          .models = Codecs{{"delta", {}}, {"int8", {}}}});
  options.config.strategy.tiers = {
      {.tier = 0, .link = {.updates = {}, .partials = Codecs{{"bf16", {}}}, .models = Codecs{}}},
      {.tier = 2, .link = {.updates = Codecs{{"int4", {}}}, .partials = {}, .models = {}}}};
  options.faults = Counting(counts);
  SimFederation federation(options);
  ASSERT_TRUE(federation.Run());
  ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  EXPECT_EQ((*counts)["updates"].encoded["int4(512)"], 40u);
  EXPECT_EQ((*counts)["partials"].encoded["bf16"], 10u);
  EXPECT_EQ((*counts)["partials"].plain, 20u);
  EXPECT_EQ(StartedField(federation, "codecs"),
            "\"tier 0: updates int8(512), partials bf16; tier 1: updates int8(512), models "
            "delta|int8(512); tier 2: updates int4(512), models delta|int8(512)\"");
}

}  // namespace
}  // namespace skein
