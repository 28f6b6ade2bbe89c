// Chunks to messages and back, beside what protobuf's generated classes make of the same bytes.
// bytes_per_second is of tensor bytes.

#include <cstring>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <grpcpp/support/byte_buffer.h>

#include "micro/fold_model.h"
#include "skein/base/status.h"
#include "skein/tensor/chunk_codec.h"
#include "skein/tensor/digest.h"
#include "skein/v1/data_plane.pb.h"
#include "transport/chunk_wire.h"
#include "transport/frame_proto.h"
#include "transport/grpc/frame_bytes.h"

namespace skein {
namespace {

constexpr size_t kElements = 25'000'000;

std::vector<ChunkFrame> Chunks() {
  std::vector<ChunkFrame> chunks;
  for (ChunkEncoder encoder(FloatTensors(kElements, 0.5f)); !encoder.done();) {
    TensorChunk chunk = encoder.Next();
    chunks.push_back({1, chunk.offset, Checksum(chunk.bytes), chunk.bytes, std::move(chunk.owner)});
  }
  return chunks;
}

void CountBytes(benchmark::State& state) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * kElements * sizeof(float)));
}

void BM_Memcpy(benchmark::State& state) { Memcpy(state, kElements); }

void BM_Encode(benchmark::State& state) {
  const std::vector<ChunkFrame> chunks = Chunks();
  for (auto _ : state) {
    for (const ChunkFrame& chunk : chunks) benchmark::DoNotOptimize(EncodeFrame(chunk));
  }
  CountBytes(state);
}

void BM_EncodeByProtobuf(benchmark::State& state) {
  const std::vector<ChunkFrame> chunks = Chunks();
  for (auto _ : state) {
    for (const ChunkFrame& chunk : chunks) {
      benchmark::DoNotOptimize(FrameToProto(chunk).SerializeAsString());
    }
  }
  CountBytes(state);
}

// Messages to tensors in a block: decoded, verified and copied to their place.
void BM_Decode(benchmark::State& state) {
  const std::vector<ChunkFrame> chunks = Chunks();
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<grpc::ByteBuffer> messages;
    for (const ChunkFrame& chunk : chunks) messages.push_back(EncodeFrame(chunk));
    ChunkDecoder decoder(FloatTensors(kElements, 0.25f));  // the block has been touched before
    state.ResumeTiming();
    for (grpc::ByteBuffer& message : messages) {
      const ReceivedFrame received = DecodeFrame(message);
      const WireChunk& chunk = *received.chunk;
      const absl::Status status = decoder.Add(chunk.offset, chunk.payload, chunk.checksum);
      if (!status.ok()) return state.SkipWithError(Message(status).c_str());
    }
  }
  CountBytes(state);
}

// The same by the generated classes, without the verification.
void BM_DecodeByProtobuf(benchmark::State& state) {
  std::vector<std::string> messages;
  for (const ChunkFrame& chunk : Chunks()) {
    messages.push_back(FrameToProto(chunk).SerializeAsString());
  }
  PackedTensors to = FloatTensors(kElements, 0.25f);
  const std::span<std::byte> out = to.mutable_bytes();
  for (auto _ : state) {
    for (const std::string& message : messages) {
      v1::Frame frame;
      if (!frame.ParseFromString(message)) return state.SkipWithError("it does not parse");
      const std::string& data = frame.chunk().data();
      std::memcpy(out.data() + frame.chunk().offset(), data.data(), data.size());
    }
  }
  CountBytes(state);
}

BENCHMARK(BM_Memcpy)->UseRealTime();
BENCHMARK(BM_Encode)->UseRealTime();
BENCHMARK(BM_EncodeByProtobuf)->UseRealTime();
BENCHMARK(BM_Decode)->UseRealTime();
BENCHMARK(BM_DecodeByProtobuf)->UseRealTime();

}  // namespace
}  // namespace skein
