// Models that go down encoded: what a parent offers, what a child makes of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/model_encoder.h"
#include "skein/builtins/strategies.h"
#include "unit/codec/codec_samples.h"
#include "unit/runtime/downlinks_fixture.h"
#include "unit/runtime/uplink_fixture.h"

namespace skein {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::vector<PartSpec> kDifferences{{"delta"}, {"int8"}};

std::shared_ptr<const LinkCodecs> CodecsWith(const std::vector<PartSpec>& models) {
  StrategyRegistries registries;
  RegisterBuiltinStrategies(registries);
  RegisterBuiltinCodecs(registries.codecs);
  StrategySpec spec;
  spec.links.models = models;
  return *LinkCodecs::Create(spec, 2, registries);
}

PackedTensors Model(float value) { return Update(std::vector<float>(3000, value)); }

ModelEncoder Encoder(const std::vector<PartSpec>& models) {
  return ModelEncoder(CodecsWith(models), 0, {.seed = 1}, std::make_shared<BufferPool>());
}

ModelForChildren Encode(ModelEncoder& encoder, uint64_t version, const PackedTensors& model,
                        const std::optional<OutboundTensors>& payload = {}) {
  auto made = encoder.Encode({version, 0, 0}, OutboundTensors::OfModel(model), payload);
  EXPECT_TRUE(made.ok()) << made.status();
  return *made;
}

// ---- ModelEncoder ----

TEST(ModelEncoder, TheFirstIsWholeAndTheNextADifference) {
  ModelEncoder encoder = Encoder(kDifferences);
  const ModelForChildren first = Encode(encoder, 0, Model(1));
  EXPECT_FALSE(first.encoded.has_value());
  EXPECT_TRUE(SameBytes(first.whole.tensors(), Model(1)));
  const ModelForChildren next = Encode(encoder, 1, Model(1.3f));
  ASSERT_TRUE(next.encoded.has_value());
  EXPECT_EQ(next.encoded->encoding()->base, (VersionRef{0, 0, 0}));
  EXPECT_LT(next.encoded->tensors().bytes().size(), 3200u);
  EXPECT_EQ(next.encoded->digest(), TransferDigest(next.encoded->tensors().bytes()));
  // Who gets the whole has what the others made of the difference.
  const HeldModel base = HeldModel::Of({0, 0, 0}, Model(1));
  BufferPool buffers;
  const auto made =
      Pipeline(kDifferences)
          ->Decode(next.encoded->tensors().bytes(), Model(1).manifest(), buffers, {&base, 1});
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(SameBytes(*made, next.whole.tensors()));
  EXPECT_EQ(next.whole.digest(), TransferDigest(made->bytes()));
}

TEST(ModelEncoder, WithoutDifferencesEachStandsForItself) {
  ModelEncoder lossless = Encoder({{"zstd"}});
  const ModelForChildren first = Encode(lossless, 0, Model(1));
  ASSERT_TRUE(first.encoded.has_value());
  EXPECT_FALSE(first.encoded->encoding()->base.has_value());
  EXPECT_TRUE(SameBytes(first.whole.tensors(), Model(1)));
  ModelEncoder halves = Encoder({{"fp16"}});
  const ModelForChildren rounded = Encode(halves, 0, Model(0.1f));
  EXPECT_EQ(Floats(rounded.whole.tensors())[0], 0.0999755859375f);
}

// A payload from above goes on as it is if the children hold its base; else one is made for them.
TEST(ModelEncoder, SendsOnWhatItsChildrenCanUse) {
  ModelEncoder parent = Encoder(kDifferences);
  ModelEncoder encoder = Encoder(kDifferences);
  Encode(parent, 0, Model(1));
  Encode(encoder, 0, Model(1));
  const ModelForChildren from_above = Encode(parent, 1, Model(1.3f));
  const ModelForChildren on = Encode(encoder, 1, from_above.whole.tensors(), from_above.encoded);
  ASSERT_TRUE(on.encoded.has_value());
  EXPECT_EQ(on.encoded->tensors().bytes().data(), from_above.encoded->tensors().bytes().data());

  Encode(encoder, 7, Model(1.4f));  // a local round of its own
  const ModelForChildren later = Encode(parent, 2, Model(1.5f));
  const ModelForChildren other = Encode(encoder, 2, later.whole.tensors(), later.encoded);
  ASSERT_TRUE(other.encoded.has_value());
  EXPECT_EQ(other.encoded->encoding()->base, (VersionRef{7, 0, 0}));
}

// What the children have is only nearly the model to which the next difference from above is.
TEST(ModelEncoder, MakesItsOwnWhereItsChildrenHaveTheBaseOnlyNearly) {
  ModelEncoder parent = Encoder(kDifferences);
  ModelEncoder encoder = Encoder(kDifferences);
  Encode(parent, 0, Model(1));
  Encode(encoder, 0, Model(1));
  std::vector<float> values(3000, 1.3f);
  values[7] = 1.1f;
  const ModelForChildren missed = Encode(parent, 1, Update(values));
  // It came whole, as to a node that was away.
  const ModelForChildren again = Encode(encoder, 1, missed.whole.tensors());
  ASSERT_TRUE(again.encoded.has_value());
  ASSERT_FALSE(SameBytes(again.whole.tensors(), missed.whole.tensors()));
  const ModelForChildren from_above = Encode(parent, 2, Model(1.5f));
  const ModelForChildren next = Encode(encoder, 2, from_above.whole.tensors(), from_above.encoded);
  ASSERT_TRUE(next.encoded.has_value());
  const HeldModel base = HeldModel::Of({1, 0, 0}, again.whole.tensors());
  BufferPool buffers;
  const auto made =
      Pipeline(kDifferences)
          ->Decode(next.encoded->tensors().bytes(), Model(1).manifest(), buffers, {&base, 1});
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(SameBytes(*made, next.whole.tensors()));
}

TEST(ModelEncoder, NodesDrawDifferently) {
  const NodeView worker{.role = NodeRole::kWorker, .tier = 2, .leaf_begin = 3};
  const NodeView above{.role = NodeRole::kAggregator, .tier = 1, .leaf_begin = 3};
  const NodeView root{.role = NodeRole::kCoordinator, .tier = 0, .leaf_begin = 0};
  EXPECT_EQ(SenderContext(5, worker).sender, 3u);
  EXPECT_EQ(SenderContext(5, worker).seed, 5u);
  EXPECT_NE(SenderContext(5, above).sender, SenderContext(5, root).sender);
  EXPECT_GT(SenderContext(5, root).sender, uint64_t{0xffffffff});
}

// ---- the parent's end ----

class EncodedDown : public DownlinksTest {
 protected:
  void Offer(const ModelForChildren& model, uint64_t version) {
    downlinks_->OfferModel("w0", ModelHeader{{version, 0, 0}, {}}, model);
    Settle();
  }
  void Answer(Peer& child, const absl::Status& status) {
    Send(child, AckFrame{child.Last<OfferFrame>().transfer, static_cast<int>(status.code()), ""});
  }
};

TEST_F(EncodedDown, OnlyWhoSaidThatItHasTheBaseGetsTheDifference) {
  ModelEncoder encoder = Encoder(kDifferences);
  const ModelForChildren first = Encode(encoder, 0, Model(1));
  const ModelForChildren next = Encode(encoder, 1, Model(2));
  const ModelForChildren last = Encode(encoder, 2, Model(3));
  auto child = Join();
  Offer(first, 0);
  EXPECT_FALSE(child->Last<OfferFrame>().encoding.has_value());
  Offer(next, 1);
  EXPECT_FALSE(child->Last<OfferFrame>().encoding.has_value()) << "it has not answered";
  Answer(*child, absl::OkStatus());
  Offer(last, 2);
  ASSERT_TRUE(child->Last<OfferFrame>().encoding.has_value());
  EXPECT_EQ(child->Last<OfferFrame>().encoding->base, (VersionRef{1, 0, 0}));
  EXPECT_EQ(child->Last<OfferFrame>().manifest, Model(1).manifest());
  // Another link: nothing is known of what it has.
  Leave(*child);
  child = Join("w0", 2);
  Offer(last, 2);
  EXPECT_FALSE(child->Last<OfferFrame>().encoding.has_value());
}

TEST_F(EncodedDown, WhoCannotUseTheDifferenceGetsTheWhole) {
  ModelEncoder encoder = Encoder(kDifferences);
  const ModelForChildren first = Encode(encoder, 0, Model(1));
  const ModelForChildren next = Encode(encoder, 1, Model(2));
  const auto child = Join();
  Offer(first, 0);
  Answer(*child, absl::OkStatus());
  Offer(next, 1);
  ASSERT_TRUE(child->Last<OfferFrame>().encoding.has_value());
  Answer(*child, absl::FailedPreconditionError("not here"));
  EXPECT_THAT(child->All<OfferFrame>(), SizeIs(3));
  EXPECT_FALSE(child->Last<OfferFrame>().encoding.has_value());
  EXPECT_EQ(std::get<ModelHeader>(child->Last<OfferFrame>().header).version.version, 1u);
  Answer(*child, absl::FailedPreconditionError("not that either"));
  EXPECT_THAT(child->All<OfferFrame>(), SizeIs(3)) << "there is nothing else to give";
}

TEST_F(EncodedDown, AnUploadIsStagedAsThePayloadThatItIs) {
  const auto child = Join();
  const auto pipeline = Pipeline({{"int8"}});
  BufferPool buffers;
  const auto payload = *pipeline->Encode(Model(1), {}, buffers);
  const uint64_t size = payload.bytes.size();
  const UploadId id{"w0", 1, 5};
  Send(*child, OfferFrame{5, Model(1).manifest(), UpdateHeader{.seq = 9},
                          Encoding{pipeline->form(), size, std::nullopt}});
  bool asked = false;
  downlinks_->Grant(id, [&](const OfferFrame&, const PackedTensors&) {
    asked = true;
    return nullptr;
  });
  Settle();
  EXPECT_FALSE(asked) << "nothing of it can be folded before it is whole";
  Send(*child, ChunkFrame{5, 0, Checksum(payload.bytes), payload.bytes, payload.owner});
  Send(*child, TrailerFrame{5, ""});
  ASSERT_THAT(children_.staged, SizeIs(1));
  EXPECT_EQ(downlinks_->Staged(id)->tensors().bytes().size(), size);
}

// ---- the child's end ----

class EncodedUp : public UplinkTest {
 protected:
  // Has one model, as a worker has.
  class Owner : public UplinkOwner {
   public:
    std::optional<PackedTensors> BaseModel(const VersionRef& version) const override {
      if (!base || base->first != version) return std::nullopt;
      return base->second;
    }
    bool OnModelBegun(const ModelHeader&, std::shared_ptr<InboundTransfer>) override {
      base.reset();
      return false;
    }
    std::optional<std::pair<VersionRef, PackedTensors>> base;
  };

  EncodedUp() {
    uplink_->Close();
    uplink_ = std::make_shared<Uplink>(
        &mine_, transport_, simulation_.NewExecutor(), std::make_shared<BufferPool>(),
        HelloFrame{kProtocolVersion, "run", "w0", 3, 0}, 11, CodecsWith(kDifferences));
    mine_.base = {VersionRef{0, 0, 0}, Model(1)};
    Encode(encoder_, 0, Model(1));
    next_ = Encode(encoder_, 1, Model(1.5f));
    AttachAndWelcome();
  }
  ~EncodedUp() override { uplink_->Close(); }

  void Offer(uint64_t transfer, const OutboundTensors& model) {
    Send(OfferFrame{transfer, model.manifest(), ModelHeader{{1, 0, 0}, {}}, model.encoding()});
  }
  int Code() { return parent_->last().Last<AckFrame>().code; }

  Owner mine_;
  ModelEncoder encoder_ = Encoder(kDifferences);
  ModelForChildren next_;
};

constexpr int kNotHere = static_cast<int>(absl::StatusCode::kFailedPrecondition);

TEST_F(EncodedUp, ADifferenceIsDecoded) {
  Offer(9, *next_.encoded);
  EXPECT_EQ(parent_->last().Last<GrantFrame>().offset, 0u);
  SendRest(9, next_.encoded->tensors(), 0);
  EXPECT_EQ(Code(), 0);
  ASSERT_THAT(mine_.models, SizeIs(1));
  EXPECT_TRUE(SameBytes(mine_.models[0].tensors, next_.whole.tensors()));
  EXPECT_EQ(mine_.models[0].digest, next_.whole.digest());
  ASSERT_TRUE(mine_.models[0].payload.has_value());
  EXPECT_EQ(mine_.models[0].payload->encoding(), next_.encoded->encoding());
  EXPECT_EQ(mine_.models[0].payload->digest(), next_.encoded->digest());
}

TEST_F(EncodedUp, ItIsGoneOnWithAfterABreak) {
  Offer(9, *next_.encoded);
  Send(ChunkOf(9, next_.encoded->tensors(), 0, 1000));
  BreakAndComeBack();
  Offer(4, *next_.encoded);
  EXPECT_EQ(parent_->last().Last<GrantFrame>().offset, 1000u);
  // Another payload for the same version begins anew.
  OutboundTensors whole = next_.whole;
  Offer(5, whole);
  EXPECT_EQ(parent_->last().Last<GrantFrame>().offset, 0u);
}

TEST_F(EncodedUp, WithoutTheBaseNothingOfItIsTaken) {
  mine_.base.reset();
  Offer(9, *next_.encoded);
  EXPECT_EQ(Code(), kNotHere);
  EXPECT_THAT(parent_->last().Last<AckFrame>().message, HasSubstr("v0"));
  EXPECT_THAT(parent_->last().All<GrantFrame>(), IsEmpty());
}

// The base went while it came, or is another under the same name: the parent is to give the whole,
// over the same link.
TEST_F(EncodedUp, ABaseThatIsAnotherIsNoBase) {
  Offer(9, *next_.encoded);
  mine_.base = {VersionRef{0, 0, 0}, Model(7)};
  SendRest(9, next_.encoded->tensors(), 0);
  EXPECT_EQ(Code(), kNotHere);
  EXPECT_THAT(mine_.models, IsEmpty());
  EXPECT_FALSE(parent_->last().closed.has_value());
  Offer(10, next_.whole);
  SendRest(10, next_.whole.tensors(), 0);
  EXPECT_EQ(Code(), 0);
  EXPECT_THAT(mine_.models, SizeIs(1));
}

TEST_F(EncodedUp, FormsAndSizesThatCannotBeAreRefusedBeforeTheyCome) {
  const Encoding good = *next_.encoded->encoding();
  for (const Encoding& bad : {Encoding{"int3", good.bytes, good.base}, Encoding{good.form, 0, {}},
                              Encoding{good.form, uint64_t{1} << 30, good.base}}) {
    Send(OfferFrame{9, next_.whole.manifest(), ModelHeader{{1, 0, 0}, {}}, bad});
    EXPECT_EQ(Code(), kNotHere) << bad.form << " " << bad.bytes;
  }
  EXPECT_THAT(parent_->last().All<GrantFrame>(), IsEmpty());
}

TEST_F(EncodedUp, GarbageIsRefusedAndTheLinkStays) {
  const PackedTensors garbage = SampleTensors(500);
  Send(OfferFrame{9, next_.whole.manifest(), ModelHeader{{1, 0, 0}, {}},
                  Encoding{"delta|int8(512)", 500, std::nullopt}});
  SendRest(9, garbage, 0);
  EXPECT_EQ(Code(), kNotHere);
  EXPECT_THAT(mine_.models, IsEmpty());
  EXPECT_FALSE(parent_->last().closed.has_value());
}

}  // namespace
}  // namespace skein
