#include "transport/grpc/frame_bytes.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "skein/base/status.h"
#include "skein/v1/data_plane.pb.h"
#include "transport/frame_limits.h"
#include "transport/frame_proto.h"
#include "transport/grpc/grpc_status.h"
#include "transport/unfolding.h"
#include "transport/wire_text.h"

namespace skein {
namespace {

grpc::ByteBuffer ToBuffer(const v1::Frame& proto) {
  const grpc::Slice slice(proto.SerializeAsString());
  return {&slice, 1};
}

grpc::ByteBuffer ChunkToBuffer(ChunkFrame chunk) {
  const std::string prefix = ChunkPrefix(chunk);
  if (chunk.bytes.empty()) {
    const grpc::Slice slice(prefix);
    return {&slice, 1};
  }
  using Owner = std::shared_ptr<const void>;
  // gRPC only reads the memory, whatever the type of its pointer says.
  auto* data = const_cast<std::byte*>(chunk.bytes.data());
  const grpc::Slice slices[] = {
      grpc::Slice(prefix),
      grpc::Slice(
          data, chunk.bytes.size(), [](void* owner) { delete static_cast<Owner*>(owner); },
          new Owner(std::move(chunk.owner)))};
  return {slices, 2};
}

absl::Status NoFrame(const std::string& why) {
  return absl::InvalidArgumentError("a message is no frame: " + why);
}

// In one piece, to be looked through first; everything but chunks is small, as a rule.
absl::StatusOr<v1::Frame> ParseProto(const grpc::ByteBuffer& message) {
  grpc::Slice whole;
  if (!message.DumpToSingleSlice(&whole).ok()) return NoFrame("it cannot be read");
  const auto bytes = std::as_bytes(std::span(whole.begin(), whole.size()));
  const size_t limit = std::min(kMaxUnfoldedBytes, kMaxUnfolding * bytes.size());
  v1::Frame proto;
  if (!IsWithin(limit, *v1::Frame::descriptor(), bytes) ||
      !proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return NoFrame("it does not parse as protobuf, or unfolds to too much");
  }
  return proto;
}

}  // namespace

grpc::ByteBuffer EncodeFrame(Frame frame) {
  if (auto* chunk = std::get_if<ChunkFrame>(&frame)) return ChunkToBuffer(std::move(*chunk));
  return ToBuffer(FrameToProto(frame));
}

grpc::ByteBuffer EncodeClose(const absl::Status& status) {
  v1::Frame frame;
  frame.mutable_close()->set_code(static_cast<int>(status.code()));
  frame.mutable_close()->set_message(WireText(Message(status)));
  return ToBuffer(frame);
}

ReceivedFrame DecodeFrame(grpc::ByteBuffer& message) {
  ReceivedFrame result;
  result.size = message.Length();
  if (!message.Dump(&result.slices).ok()) {
    result.frame = NoFrame("it cannot be read");
    return result;
  }
  std::vector<std::span<const std::byte>> pieces;
  pieces.reserve(result.slices.size());
  for (const grpc::Slice& slice : result.slices) {
    pieces.push_back(std::as_bytes(std::span(slice.begin(), slice.size())));
  }
  result.chunk = ParseChunk(pieces);
  if (result.chunk && result.chunk->payload_bytes <= kMaxChunkBytes &&
      result.chunk->offset <= Manifest::kMaxBytes) {
    return result;
  }
  result.chunk.reset();
  absl::StatusOr<v1::Frame> proto = ParseProto(message);
  if (!proto.ok()) {
    result.frame = proto.status();
  } else if (proto->has_close()) {
    result.close = MakeStatus(proto->close().code(), WireText(proto->close().message()));
  } else {
    result.frame = FrameFromProto(*std::move(proto));
  }
  return result;
}

void ReceivedFrame::CopyChunk() {
  auto payload = std::make_shared<std::vector<std::byte>>(chunk->payload_bytes);
  std::byte* out = payload->data();
  for (const auto& piece : chunk->payload) {
    std::memcpy(out, piece.data(), piece.size());
    out += piece.size();
  }
  const std::span<const std::byte> bytes(*payload);
  frame = ChunkFrame{chunk->transfer, chunk->offset, chunk->checksum, bytes, std::move(payload)};
}

}  // namespace skein
