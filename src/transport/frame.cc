#include "skein/transport/frame.h"

#include <array>

#include "transport/frame_proto.h"

namespace skein {
namespace {

size_t VarintSize(uint64_t value) {
  size_t size = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++size;
  }
  return size;
}

// A length-delimited field whose tag takes one byte, as all of Frame and Chunk do.
size_t FieldSize(size_t length) { return 1 + VarintSize(length) + length; }

size_t ChunkSize(const ChunkFrame& chunk) {
  size_t size = 0;
  if (chunk.transfer != 0) size += 1 + VarintSize(chunk.transfer);
  if (chunk.offset != 0) size += 1 + VarintSize(chunk.offset);
  if (chunk.checksum != 0) size += 1 + sizeof(uint64_t);
  if (!chunk.bytes.empty()) size += FieldSize(chunk.bytes.size());
  return FieldSize(size);
}

}  // namespace

bool IsSameTask(const Task& a, const Task& b) {
  return a.kind == b.kind && a.round == b.round && a.attempt == b.attempt &&
         a.local_round == b.local_round && a.seq_first == b.seq_first && a.base.pass == b.base.pass;
}

const char* NameOf(const Frame& frame) {
  static constexpr std::array<const char*, std::variant_size_v<Frame>> kNames = {
      "hello", "welcome",     "task",        "offer",     "grant",  "chunk", "trailer",
      "ack",   "task_failed", "eval_report", "committed", "cancel", "bye"};
  return kNames[frame.index()];
}

size_t EncodedSize(const Frame& frame) {
  if (const auto* chunk = std::get_if<ChunkFrame>(&frame)) return ChunkSize(*chunk);
  return FrameToProto(frame).ByteSizeLong();
}

}  // namespace skein
