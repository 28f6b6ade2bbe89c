// Offers whose manifest the input makes up: a piece of the input is repeated, since what unfolds to
// much memory is dull and long. Frames are a fraction of what a link takes, which is quicker; what
// they may unfold to is in proportion to their size.
//
// Input: where the piece goes (see Place), how often (see Times), its length, the piece, the rest
// of the manifest.

#include <algorithm>
#include <cstdint>
#include <string>

#include <google/protobuf/stubs/logging.h>

#include "fuzz/memory_meter.h"
#include "fuzz/require.h"
#include "skein/v1/data_plane.pb.h"
#include "transport/grpc/frame_bytes.h"
#include "transport/tensor_proto.h"
#include "transport/unfolding.h"

namespace skein {
namespace {

// What the repeated piece is a part of.
enum class Place : uint8_t { kManifest, kTensor, kPlan, kUpdate, kPartial, kFrame, kCount };

constexpr size_t kHead = 3;
constexpr size_t kFrameBytes = size_t{256} << 10;
// The message unfolded, and as a value.
constexpr size_t kMemoryPerByte = 2 * kMaxUnfolding;
constexpr size_t kMemoryForAny = size_t{256} << 10;

void AppendVarint(uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

// A length-delimited field.
std::string Field(int number, const std::string& bytes) {
  std::string out(1, static_cast<char>(number << 3 | 2));
  AppendVarint(bytes.size(), out);
  return out + bytes;
}

// Mostly a few, which is fast; the last 32 values are powers of 2.
size_t Times(uint8_t code) { return code < 224 ? code % 8 : size_t{1} << (code - 224); }

struct Offered {
  std::string manifest;
  std::string frame;
};

Offered MakeOffer(std::span<const uint8_t> input) {
  const auto place = static_cast<Place>(input[0] % static_cast<uint8_t>(Place::kCount));
  const auto body = input.subspan(kHead);
  const size_t length = std::min<size_t>(input[2], body.size());
  const size_t room =
      length == 0 ? 0 : (kFrameBytes - std::min(kFrameBytes, input.size() + 64)) / length;
  const size_t times = std::min(Times(input[1]), room);
  std::string repeated;
  repeated.reserve(times * length);
  for (size_t i = 0; i < times; ++i) repeated.append(body.begin(), body.begin() + length);

  Offered offered;
  offered.manifest.assign(body.begin() + length, body.end());
  if (place == Place::kTensor) offered.manifest += Field(1, repeated);
  if (place == Place::kManifest) offered.manifest += repeated;
  std::string offer = Field(2, offered.manifest);
  if (place == Place::kPlan) {
    offer += Field(3, Field(2, repeated));
  } else if (place == Place::kPartial) {
    offer += Field(5, repeated);
  } else {
    offer += Field(4, place == Place::kUpdate ? repeated : "");
  }
  offered.frame = Field(4, offer);
  if (place == Place::kFrame) offered.frame += repeated;
  return offered;
}

void CheckManifest(const Manifest& manifest) {
  Require(manifest.size() <= Manifest::kMaxTensors, "there are no more tensors than allowed");
  Require(manifest.total_bytes() <= Manifest::kMaxBytes, "tensors are no larger than allowed");
  uint64_t offset = 0;
  for (size_t i = 0; i < manifest.size(); ++i) {
    const TensorInfo& info = manifest[i];
    Require(manifest.offset(i) == offset, "tensors lie one after another");
    Require(info.name.size() <= Manifest::kMaxNameBytes && info.shape.size() <= Manifest::kMaxDims,
            "a tensor is within bounds");
    Require(manifest.Find(info.name) == i, "a tensor is found by its name");
    unsigned __int128 bytes = SizeOf(info.dtype);
    for (const int64_t dim : info.shape) {
      Require(dim >= 0, "no dimension is negative");
      bytes *= static_cast<uint64_t>(dim);
      Require(bytes <= Manifest::kMaxBytes, "a tensor's size does not wrap");
    }
    offset += info.NumBytes();
  }
  Require(offset == manifest.total_bytes(), "the size is that of all tensors");
  const absl::StatusOr<Manifest> again = FromProto(ToProto(manifest));
  Require(again.ok() && *again == manifest, "a manifest sent on is the same");
}

void CheckOffer(const Offered& offered) {
  const grpc::Slice slice(offered.frame);
  grpc::ByteBuffer buffer(&slice, 1);
  ReceivedFrame received;
  {
    const MemoryMeter meter;
    received = DecodeFrame(buffer);
    Require(meter.peak() <= kMemoryForAny + kMemoryPerByte * offered.frame.size(),
            "memory for an offer is bounded");
  }
  if (received.frame.ok() && std::holds_alternative<OfferFrame>(*received.frame)) {
    CheckManifest(std::get<OfferFrame>(*received.frame).manifest);
  }
}

// The manifest by itself, whatever else was wrong with the offer.
void CheckMessage(const std::string& message) {
  v1::Manifest proto;
  if (!proto.ParseFromString(message)) return;
  const absl::StatusOr<Manifest> manifest = FromProto(proto);
  if (manifest.ok()) {
    Require(manifest->size() == static_cast<size_t>(proto.tensors_size()), "no tensor is lost");
    CheckManifest(*manifest);
  } else {
    Require(absl::IsInvalidArgument(manifest.status()), "a bad manifest is InvalidArgument");
  }
}

}  // namespace
}  // namespace skein

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // It logs every string that is not UTF-8.
  static const google::protobuf::LogSilencer silence;
  if (size < skein::kHead) return 0;
  const skein::Offered offered = skein::MakeOffer(std::span(data, size));
  skein::CheckOffer(offered);
  constexpr size_t kSmall = size_t{64} << 10;
  if (offered.manifest.size() <= kSmall) skein::CheckMessage(offered.manifest);
  return 0;
}
