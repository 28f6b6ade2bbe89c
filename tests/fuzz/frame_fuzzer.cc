// Messages of the data plane as a peer may send them, in slices that are cut wherever the input
// says: chunks by hand, everything by protobuf, both by DecodeFrame.
//
// Input: a byte n; n lengths of slices, used over and over (none: a single slice); the message.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/message_differencer.h>

#include "fuzz/memory_meter.h"
#include "fuzz/require.h"
#include "skein/base/status.h"
#include "skein/v1/data_plane.pb.h"
#include "transport/frame_limits.h"
#include "transport/frame_proto.h"
#include "transport/grpc/frame_bytes.h"

namespace skein {
namespace {

using ::google::protobuf::util::DefaultFieldComparator;
using ::google::protobuf::util::MessageDifferencer;

constexpr size_t kMaxSlices = 64;
// The most that decoding may take for a byte of a message, besides what it takes for any.
constexpr size_t kMemoryPerByte = 128;
constexpr size_t kMemoryForAny = size_t{64} << 10;

// The slices lie in blocks of their own, so that a read beyond one of them is seen.
class Sliced {
 public:
  Sliced(std::span<const uint8_t> lengths, std::span<const uint8_t> message) {
    while (!message.empty()) {
      size_t length = message.size();
      if (!lengths.empty() && blocks_.size() < kMaxSlices) {
        length = std::min<size_t>(length, lengths[blocks_.size() % lengths.size()]);
      }
      const auto bytes = std::as_bytes(message.first(length));
      blocks_.emplace_back(bytes.begin(), bytes.end());
      message = message.subspan(length);
    }
  }

  std::vector<std::span<const std::byte>> pieces() const {
    return {blocks_.begin(), blocks_.end()};
  }
  grpc::ByteBuffer buffer() const {
    std::vector<grpc::Slice> slices;
    for (const auto& block : blocks_) {
      slices.emplace_back(block.data(), block.size(), grpc::Slice::STATIC_SLICE);
    }
    return {slices.data(), slices.size()};
  }

 private:
  std::vector<std::vector<std::byte>> blocks_;
};

// The same for equal messages: the order of entries in a map is not left to chance.
std::string BytesOf(const v1::Frame& proto) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  proto.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

// Whether two messages say the same, however it is written.
bool SaySame(const v1::Frame& a, const v1::Frame& b) {
  DefaultFieldComparator fields;
  fields.set_treat_nan_as_equal(true);
  MessageDifferencer differencer;
  differencer.set_field_comparator(&fields);
  differencer.set_message_field_comparison(MessageDifferencer::EQUIVALENT);
  return differencer.Compare(a, b);
}

// `proto`: what protobuf makes of the message; null if nothing.
void CheckChunkByHand(const Sliced& sliced, const std::string& message, const v1::Frame* proto) {
  const std::optional<WireChunk> chunk = ParseChunk(sliced.pieces());
  const bool is_chunk = proto != nullptr && proto->has_chunk();
  if (!chunk) {
    if (!is_chunk) return;
    v1::Frame known = *proto;
    known.DiscardUnknownFields();
    Require(known.SerializeAsString() != message, "a chunk as protobuf writes it is read by hand");
    return;
  }
  Require(is_chunk, "what is read as a chunk by hand is a chunk");
  std::string payload;
  for (const auto& piece : chunk->payload) {
    payload.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  }
  Require(payload.size() == chunk->payload_bytes, "the payload has the size that it says");
  Require(payload == proto->chunk().data() && chunk->transfer == proto->chunk().transfer() &&
              chunk->offset == proto->chunk().offset() &&
              chunk->checksum == proto->chunk().checksum(),
          "a chunk read by hand says what protobuf says");
}

ReceivedFrame Decode(grpc::ByteBuffer buffer) {
  ReceivedFrame received = DecodeFrame(buffer);
  Require(received.size == buffer.Length(), "a frame has the size of its message");
  if (received.chunk) {
    Require(received.chunk->payload_bytes <= kMaxChunkBytes &&
                received.chunk->offset <= Manifest::kMaxBytes,
            "a chunk is within bounds");
    received.CopyChunk();
  }
  return received;
}

void CheckClose(const absl::Status& close) {
  Require(Message(close).size() <= kMaxTextBytes, "the reason of a close is within bounds");
  const ReceivedFrame again = Decode(EncodeClose(close));
  Require(again.close == close, "a close that is sent on says the same");
}

void CheckFrame(const Frame& frame, const v1::Frame& proto) {
  const v1::Frame out = FrameToProto(frame);
  Require(SaySame(out, proto), "a frame says what its message says");
  const grpc::ByteBuffer encoded = EncodeFrame(frame);
  Require(encoded.Length() == EncodedSize(frame), "a frame has the size that is foretold");
  const ReceivedFrame again = Decode(encoded);
  Require(again.frame.ok() && !again.close, "what is decoded can be sent on");
  Require(BytesOf(FrameToProto(*again.frame)) == BytesOf(out), "a frame sent on says the same");
}

void CheckMessage(const Sliced& sliced, const std::string& message) {
  v1::Frame parsed;
  const v1::Frame* proto = parsed.ParseFromString(message) ? &parsed : nullptr;
  CheckChunkByHand(sliced, message, proto);

  ReceivedFrame received;
  {
    const MemoryMeter meter;
    received = Decode(sliced.buffer());
    Require(meter.peak() <= kMemoryForAny + kMemoryPerByte * message.size(),
            "memory for a frame is bounded by the size of its message");
  }
  if (received.close) {
    Require(proto != nullptr && proto->has_close(), "a close is a close");
    CheckClose(*received.close);
  } else if (!received.frame.ok()) {
    Require(absl::IsInvalidArgument(received.frame.status()), "a bad frame is InvalidArgument");
    Require(proto == nullptr || !FrameFromProto(*proto).ok(), "a good frame is no bad one");
  } else {
    Require(proto != nullptr, "a frame is a message");
    CheckFrame(*received.frame, *proto);
  }
}

}  // namespace
}  // namespace skein

// Protobuf makes its descriptors once, when they are first needed: they are not of any message.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  return skein::v1::Frame().GetDescriptor() == nullptr ? 1 : 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // It logs every string that is not UTF-8.
  static const google::protobuf::LogSilencer silence;
  const std::span<const uint8_t> input(data, size);
  if (input.empty()) return 0;
  const size_t lengths = std::min<size_t>(input[0], size - 1);
  const auto message = input.subspan(1 + lengths);
  skein::CheckMessage(skein::Sliced(input.subspan(1, lengths), message),
                      std::string(message.begin(), message.end()));
  return 0;
}
