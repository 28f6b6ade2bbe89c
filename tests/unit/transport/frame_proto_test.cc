#include "transport/frame_proto.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "skein/base/random.h"
#include "skein/base/status.h"
#include "transport/frame_limits.h"
#include "transport/wire_text.h"
#include "unit/transport/sample_frames.h"

namespace skein {
namespace {

using ::google::protobuf::util::MessageDifferencer;
using ::testing::HasSubstr;

// What a peer would read of `frame`.
absl::StatusOr<Frame> OverTheWire(const Frame& frame) {
  v1::Frame proto;
  EXPECT_TRUE(proto.ParseFromString(FrameToProto(frame).SerializeAsString()));
  return FrameFromProto(std::move(proto));
}

void ExpectRefused(const v1::Frame& proto, const std::string& text) {
  const absl::StatusOr<Frame> frame = FrameFromProto(proto);
  ASSERT_FALSE(frame.ok()) << proto.ShortDebugString();
  EXPECT_EQ(frame.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(frame.status()), HasSubstr(text));
}

v1::Frame SampleProto(v1::Frame::KindCase kind) {
  for (const Frame& frame : SampleFrames()) {
    v1::Frame proto = FrameToProto(frame);
    if (proto.kind_case() == kind) return proto;
  }
  return {};
}

v1::Frame OfferProto(v1::Offer::HeaderCase header) {
  for (const Frame& frame : SampleFrames()) {
    v1::Frame proto = FrameToProto(frame);
    if (proto.has_offer() && proto.offer().header_case() == header) return proto;
  }
  return {};
}

TEST(FrameProto, RoundTripsEveryKindOfFrame) {
  for (const Frame& frame : SampleFrames()) {
    const absl::StatusOr<Frame> back = OverTheWire(frame);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(back->index(), frame.index());
    EXPECT_TRUE(MessageDifferencer::Equals(FrameToProto(*back), FrameToProto(frame)))
        << NameOf(frame);
  }
}

TEST(FrameProto, RoundTripsFieldsNotOnlyEncodings) {
  const absl::StatusOr<Frame> task =
      OverTheWire(Task{TaskKind::kTrain,
                       8,
                       1,
                       2,
                       {7, 1, 2},
                       100,
                       3,
                       Roster::Of({4, 6}),
                       {{1, {"quorum", {{"fraction", 0.5}, {"count", -3}, {"soft", true}}}},
                        {2, {"all", {{"text", "a b"}}}}},
                       40});
  ASSERT_TRUE(task.ok());
  const auto& got = std::get<Task>(*task);
  EXPECT_EQ(got.kind, TaskKind::kTrain);
  EXPECT_EQ(got.round, 8u);
  EXPECT_EQ(got.attempt, 1u);
  EXPECT_EQ(got.local_round, 2u);
  EXPECT_EQ(got.base, (VersionRef{7, 1, 2}));
  EXPECT_EQ(got.seq_first, 100u);
  EXPECT_EQ(got.seq_count, 3u);
  EXPECT_EQ(got.participants, Roster::Of({4, 6}));
  ASSERT_EQ(got.policies.size(), 2u);
  EXPECT_EQ(got.policies.at(1),
            (PartSpec{"quorum", {{"fraction", 0.5}, {"count", -3}, {"soft", true}}}));
  EXPECT_EQ(got.policies.at(2), (PartSpec{"all", {{"text", "a b"}}}));
  EXPECT_EQ(got.steps, 40u);

  const absl::StatusOr<Frame> model = OverTheWire(SampleFrames()[3]);
  ASSERT_TRUE(model.ok());
  const auto& offer = std::get<OfferFrame>(*model);
  EXPECT_EQ(offer.manifest, SampleManifest());
  EXPECT_EQ(std::get<ModelHeader>(offer.header).version, (VersionRef{7, 1, 2}));
  EXPECT_EQ(std::get<ModelHeader>(offer.header).numeric,
            std::get<ModelHeader>(std::get<OfferFrame>(SampleFrames()[3]).header).numeric);
}

TEST(FrameProto, CarriesMetricsThatAreNotFinite) {
  UpdateHeader header;
  header.metrics = {{"nan", std::nan("")}, {"inf", std::numeric_limits<double>::infinity()}};
  const absl::StatusOr<Frame> back = OverTheWire(OfferFrame{1, SampleManifest(), header});
  ASSERT_TRUE(back.ok()) << back.status();
  const auto& metrics = std::get<UpdateHeader>(std::get<OfferFrame>(*back).header).metrics;
  EXPECT_TRUE(std::isnan(metrics.at("nan")));
  EXPECT_TRUE(std::isinf(metrics.at("inf")));
}

TEST(FrameProto, EncodedSizeIsThatOfTheBytes) {
  std::vector<Frame> frames = SampleFrames();
  frames.push_back(ChunkFrame{});
  frames.push_back(OfferFrame{});
  frames.push_back(Task{});
  frames.push_back(SampleChunk(std::string(127, 'x'), 127));
  frames.push_back(SampleChunk(std::string(128, 'x'), uint64_t{1} << 41));
  frames.push_back(SampleChunk(std::string(1 << 20, 'x'), 1));
  ChunkFrame extreme = SampleChunk("x");
  extreme.transfer = std::numeric_limits<uint64_t>::max();
  frames.push_back(extreme);
  for (const Frame& frame : frames) {
    EXPECT_EQ(EncodedSize(frame), FrameToProto(frame).SerializeAsString().size()) << NameOf(frame);
  }
}

TEST(FrameProto, NamesEveryKind) {
  EXPECT_STREQ(NameOf(HelloFrame{}), "hello");
  EXPECT_STREQ(NameOf(ChunkFrame{}), "chunk");
  EXPECT_STREQ(NameOf(TaskFailedFrame{}), "task_failed");
  EXPECT_STREQ(NameOf(ByeFrame{}), "bye");
}

TEST(FrameProto, ChunkOwnsItsPayload) {
  absl::StatusOr<Frame> frame = FrameFromProto(FrameToProto(SampleChunk("payload of a chunk")));
  ASSERT_TRUE(frame.ok());
  const ChunkFrame chunk = std::get<ChunkFrame>(*std::move(frame));
  frame = absl::InternalError("gone");
  const std::string text(reinterpret_cast<const char*>(chunk.bytes.data()), chunk.bytes.size());
  EXPECT_EQ(text, "payload of a chunk");
  EXPECT_NE(chunk.owner, nullptr);
}

TEST(FrameProto, RefusesFramesOfNoKnownKind) {
  ExpectRefused(v1::Frame(), "no kind");
  v1::Frame close;
  close.mutable_close()->set_code(1);
  ExpectRefused(close, "no kind");
}

TEST(FrameProto, RefusesBadIdentities) {
  v1::Frame frame = SampleProto(v1::Frame::kHello);
  frame.mutable_hello()->set_node("");
  ExpectRefused(frame, "bad hello frame: node is empty");
  frame.mutable_hello()->set_node(std::string(kMaxNodeIdBytes + 1, 'n'));
  ExpectRefused(frame, "node has");
  frame.mutable_hello()->set_node("w1");
  frame.mutable_hello()->set_run(std::string(kMaxRunIdBytes + 1, 'r'));
  ExpectRefused(frame, "run has");
}

TEST(FrameProto, RefusesBadTasks) {
  v1::Frame frame = SampleProto(v1::Frame::kTask);
  frame.mutable_task()->set_kind(static_cast<v1::TaskKind>(17));
  ExpectRefused(frame, "kind of task 17");
  frame.mutable_task()->set_kind(v1::TASK_KIND_TRAIN);
  frame.mutable_task()->set_seq_first(std::numeric_limits<uint64_t>::max());
  ExpectRefused(frame, "overflow");
  frame.mutable_task()->set_seq_first(1);
  // One interval that ends beyond any tree: gap 0, length 2^32 - 1.
  frame.mutable_task()->mutable_participants()->set_intervals(
      std::string("\x00\xFF\xFF\xFF\xFF\x0F", 6));
  ExpectRefused(frame, "bad task frame");
}

TEST(FrameProto, RefusesBadManifests) {
  v1::Frame frame = OfferProto(v1::Offer::kUpdate);
  v1::TensorInfo* tensor = frame.mutable_offer()->mutable_manifest()->mutable_tensors(0);
  const v1::TensorInfo good = *tensor;
  tensor->set_dtype(static_cast<v1::DType>(99));
  ExpectRefused(frame, "conv.weight");
  *tensor = good;
  tensor->set_dtype(v1::DTYPE_UNSPECIFIED);
  ExpectRefused(frame, "element type 0");
  *tensor = good;
  tensor->set_role(static_cast<v1::TensorRole>(5));
  ExpectRefused(frame, "role 5");
  *tensor = good;
  tensor->set_shape(0, -1);
  ExpectRefused(frame, "conv.weight");
  *tensor = good;
  tensor->set_shape(0, std::numeric_limits<int64_t>::max());
  ExpectRefused(frame, "conv.weight");
  *tensor = good;
  tensor->mutable_shape()->Resize(17, 1);
  ExpectRefused(frame, "dimensions");
  *tensor = good;
  tensor->set_name("steps");
  ExpectRefused(frame, "steps");  // twice
  tensor->set_name(std::string(Manifest::kMaxNameBytes + 1, 't'));
  ExpectRefused(frame, "tensor name");
}

TEST(FrameProto, RefusesTooManyTensors) {
  v1::Frame frame = OfferProto(v1::Offer::kUpdate);
  for (size_t i = 0; i < Manifest::kMaxTensors; ++i) {
    v1::TensorInfo* tensor = frame.mutable_offer()->mutable_manifest()->add_tensors();
    tensor->set_dtype(v1::DTYPE_F32);
    tensor->set_role(v1::TENSOR_ROLE_PARAMETER);
  }
  ExpectRefused(frame, "lists");
}

TEST(FrameProto, AQuestionHasNoScales) {
  v1::Frame frame = OfferProto(v1::Offer::kModel);
  v1::ModelHeader* header = frame.mutable_offer()->mutable_model();
  header->mutable_version()->set_pass(3);
  ExpectRefused(frame, "a question of 4 tensors comes with 4 scales");
  header->mutable_numeric()->clear_scales();
  const auto parsed = FrameFromProto(frame);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(std::get<ModelHeader>(std::get<OfferFrame>(*parsed).header).version.pass, 3u);
}

TEST(FrameProto, RefusesBadNumericPlans) {
  v1::Frame frame = OfferProto(v1::Offer::kModel);
  v1::NumericPlan* plan = frame.mutable_offer()->mutable_model()->mutable_numeric();
  const v1::NumericPlan good = *plan;
  plan->mutable_scales()->RemoveLast();
  ExpectRefused(frame, "4 tensors comes with 3 scales");
  *plan = good;
  plan->mutable_scales(1)->set_scale_bits(std::numeric_limits<int32_t>::min());
  ExpectRefused(frame, "for tensor 1");
  *plan = good;
  plan->mutable_scales(2)->set_bound_log2(5000);
  ExpectRefused(frame, "for tensor 2");
  *plan = good;
  plan->set_max_update_weight(0);
  ExpectRefused(frame, "weight bounds");
  *plan = good;
  plan->set_max_total_weight(plan->max_update_weight() - 1);
  ExpectRefused(frame, "weight bounds");
}

TEST(FrameProto, RefusesBadHeaders) {
  v1::Frame frame = OfferProto(v1::Offer::kUpdate);
  frame.mutable_offer()->clear_header();
  ExpectRefused(frame, "neither model, update nor partial");
  frame = OfferProto(v1::Offer::kUpdate);
  frame.mutable_offer()->mutable_update()->set_leaf(kMaxLeaves);
  ExpectRefused(frame, "leaf 2000000");
  frame = OfferProto(v1::Offer::kUpdate);
  (*frame.mutable_offer()->mutable_update()->mutable_metrics())[""] = 1;
  ExpectRefused(frame, "name of a metric");
  frame = OfferProto(v1::Offer::kUpdate);
  for (size_t i = 0; i <= kMaxMetrics; ++i) {
    (*frame.mutable_offer()->mutable_update()->mutable_metrics())[std::to_string(i)] = 1;
  }
  ExpectRefused(frame, "metrics; at most");
  frame = OfferProto(v1::Offer::kPartial);
  frame.mutable_offer()->mutable_partial()->mutable_total_weight()->set_high(-1);
  ExpectRefused(frame, "total weight is negative");
  frame = OfferProto(v1::Offer::kPartial);
  v1::PartialHeader* partial = frame.mutable_offer()->mutable_partial();
  (*partial->mutable_metrics())["loss"].mutable_weight()->set_high(-1);
  ExpectRefused(frame, "'loss' has a negative weight");
  frame = OfferProto(v1::Offer::kPartial);
  partial = frame.mutable_offer()->mutable_partial();
  (*partial->mutable_scalars())[std::string(kMaxMetricNameBytes + 1, 's')];
  ExpectRefused(frame, "name of a scalar");
  frame = OfferProto(v1::Offer::kPartial);
  frame.mutable_offer()->mutable_partial()->mutable_roster()->set_intervals("\x80");
  ExpectRefused(frame, "bad offer frame");
  frame = OfferProto(v1::Offer::kPartial);
  partial = frame.mutable_offer()->mutable_partial();
  partial->mutable_reports(1)->set_leaf(partial->reports(0).leaf());
  ExpectRefused(frame, "the report of leaf 1 is out of order");
  partial->mutable_reports(1)->set_leaf(kMaxLeaves);
  ExpectRefused(frame, "is out of order or range");
  for (const double number : {std::nan(""), HUGE_VAL}) {
    frame = OfferProto(v1::Offer::kPartial);
    frame.mutable_offer()->mutable_partial()->mutable_reports(0)->set_loss(number);
    ExpectRefused(frame, "the report of leaf 1 has a number that is not finite");
  }
  frame = OfferProto(v1::Offer::kPartial);
  partial = frame.mutable_offer()->mutable_partial();
  for (size_t i = 0; i <= kMaxWorkerReports; ++i) partial->add_reports();
  ExpectRefused(frame, "reports of workers; at most");
}

TEST(FrameProto, RefusesWhatIsTooLongOrOutOfRange) {
  v1::Frame frame = SampleProto(v1::Frame::kChunk);
  frame.mutable_chunk()->set_data(std::string(kMaxChunkBytes, 'x'));
  EXPECT_TRUE(FrameFromProto(frame).ok());
  frame.mutable_chunk()->set_data(std::string(kMaxChunkBytes + 1, 'x'));
  ExpectRefused(frame, "bad chunk frame: payload has");
  frame = SampleProto(v1::Frame::kChunk);
  frame.mutable_chunk()->set_offset(std::numeric_limits<uint64_t>::max());
  ExpectRefused(frame, "offset");
  frame = SampleProto(v1::Frame::kGrant);
  frame.mutable_grant()->set_offset(Manifest::kMaxBytes + 1);
  ExpectRefused(frame, "offset");
  frame = SampleProto(v1::Frame::kTrailer);
  frame.mutable_trailer()->set_digest(std::string(32, 'G'));
  ExpectRefused(frame, "digest");
  frame = SampleProto(v1::Frame::kAck);
  frame.mutable_ack()->set_code(17);
  ExpectRefused(frame, "status code 17");
  frame.mutable_ack()->set_code(-1);
  ExpectRefused(frame, "status code -1");
  const std::string long_text(kMaxTextBytes + 1, 't');
  frame = SampleProto(v1::Frame::kBye);
  frame.mutable_bye()->set_reason(long_text);
  ExpectRefused(frame, "reason has");
  frame = SampleProto(v1::Frame::kCancel);
  frame.mutable_cancel()->set_reason(long_text);
  ExpectRefused(frame, "reason has");
  frame = SampleProto(v1::Frame::kTaskFailed);
  frame.mutable_task_failed()->set_reason(long_text);
  ExpectRefused(frame, "reason has");
}

TEST(FrameProto, RefusesPoliciesWithTextsThatAreTooLong) {
  const std::string long_text(kMaxTextBytes + 1, 't');
  v1::Frame frame = SampleProto(v1::Frame::kTask);
  v1::TierPolicy& policy = (*frame.mutable_task()->mutable_policies())[0];
  policy.set_name(long_text);
  ExpectRefused(frame, "policy has");
  policy.set_name("quorum");
  (*policy.mutable_params())[long_text].set_integer(1);
  ExpectRefused(frame, "name of a parameter has");
  policy.clear_params();
  (*policy.mutable_params())["count"].set_text(long_text);
  ExpectRefused(frame, "parameter has");
}

TEST(FrameProto, MakesTextsFitForTheWire) {
  const absl::StatusOr<Frame> bad = OverTheWire(ByeFrame{"caf\xC3\xA9 \xFF\xC3 end"});
  ASSERT_TRUE(bad.ok()) << bad.status();
  EXPECT_EQ(std::get<ByeFrame>(*bad).reason, "caf\xC3\xA9 ?? end");
  const absl::StatusOr<Frame> big = OverTheWire(AckFrame{1, 2, std::string(100'000, 'x')});
  ASSERT_TRUE(big.ok()) << big.status();
  EXPECT_EQ(std::get<AckFrame>(*big).message.size(), kMaxTextBytes);
}

TEST(WireText, CutsAtACharacterAndRefusesOverlongForms) {
  EXPECT_EQ(WireText("a\xC3\xA9", 2), "a");
  EXPECT_EQ(WireText("\xC0\x80"), "??");
  EXPECT_EQ(WireText("\xED\xA0\x80"), "???");                     // a surrogate
  EXPECT_EQ(WireText("\xF0\x9F\x98\x80!"), "\xF0\x9F\x98\x80!");  // U+1F600
  EXPECT_EQ(WireText("\xF4\x90\x80\x80"), "????");                // beyond U+10FFFF
  EXPECT_EQ(WireText("\xE2\x82"), "??");                          // cut short
}

// Bytes of valid frames, damaged at random: whatever a parser accepts must survive a round trip,
// and nothing may crash.
TEST(FrameProto, SurvivesDamagedBytes) {
  const google::protobuf::LogSilencer silence;  // it logs every string that is not UTF-8
  Rng rng(20240607);
  std::vector<std::string> seeds;
  for (const Frame& frame : SampleFrames())
    seeds.push_back(FrameToProto(frame).SerializeAsString());
  int parsed = 0;
  int accepted = 0;
  for (int i = 0; i < 60'000; ++i) {
    std::string bytes = seeds[rng.Below(seeds.size())];
    for (uint64_t edits = 1 + rng.Below(4); edits > 0 && !bytes.empty(); --edits) {
      const size_t at = rng.Below(bytes.size());
      switch (rng.Below(4)) {
        case 0:
          bytes[at] = static_cast<char>(rng.Below(256));
          break;
        case 1:
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << rng.Below(8)));
          break;
        case 2:
          bytes.erase(at, 1 + rng.Below(4));
          break;
        default:
          bytes.insert(at, 1 + rng.Below(4), static_cast<char>(rng.Below(256)));
      }
    }
    v1::Frame proto;
    if (!proto.ParseFromString(bytes)) continue;
    ++parsed;
    const absl::StatusOr<Frame> frame = FrameFromProto(std::move(proto));
    if (!frame.ok()) {
      EXPECT_EQ(frame.status().code(), absl::StatusCode::kInvalidArgument) << frame.status();
      continue;
    }
    ++accepted;
    const absl::StatusOr<Frame> again = OverTheWire(*frame);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(EncodedSize(*again), EncodedSize(*frame));
  }
  // The loop is of use only while a good part of the input gets through each stage.
  EXPECT_GT(parsed, 6'000);
  EXPECT_GT(accepted, 1'000);
  EXPECT_GT(parsed - accepted, 1'000);
}

}  // namespace
}  // namespace skein
