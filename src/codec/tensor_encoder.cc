#include "codec/tensor_encoder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "codec/finite.h"
#include "codec/parameters.h"
#include "codec/support.h"
#include "skein/base/random.h"
#include "skein/base/status.h"

namespace skein {
namespace {

constexpr float kMost = std::numeric_limits<float>::max();
constexpr uint64_t kRounding = 0x726f756e64;  // what a stream of random numbers is for

}  // namespace

size_t ChunkOf(const Quantizer* quantizer) {
  const uint64_t block = quantizer == nullptr ? 1 : quantizer->block();
  return block * std::max<uint64_t>(1, kCodecChunk / block);
}

TensorEncoder::TensorEncoder(const CodecPipeline& pipeline, const PackedTensors& tensors,
                             const CodecContext& context, uint64_t support_seed,
                             const HeldModel* base, CodecState* state, BufferPool& buffers)
    : pipeline_(pipeline),
      tensors_(tensors),
      context_(context),
      support_seed_(support_seed),
      base_(base),
      state_(state),
      chunk_(ChunkOf(pipeline.quantizer_.get())),
      piece_(chunk_),
      received_(chunk_) {
  if (state_ == nullptr) return;
  errors_.emplace(state_->errors_.manifest(), buffers);
  size_t next = 0;
  for (const TensorInfo& info : tensors.manifest().tensors()) {
    error_index_.push_back(next);
    if (IsFloatParameter(info)) ++next;
  }
}

void TensorEncoder::Done() {
  if (state_ != nullptr) state_->pending_ = std::move(errors_);
}

absl::Status TensorEncoder::Encode(size_t tensor, ByteWriter& out) {
  const TensorInfo& info = tensors_.manifest()[tensor];
  const bool lossy = pipeline_.IsLossy(info) && (base_ != nullptr || !pipeline_.delta_);
  const uint64_t most = pipeline_.MaxBodyBytes(info, lossy);
  const size_t start = out.size();
  absl::StatusOr<bool> there = false;
  if (info.NumElements() > 0) {
    // Without parts of unknown length the body is written where it belongs.
    if (pipeline_.compressor_ == nullptr && (!lossy || pipeline_.sparsifier_ == nullptr)) {
      out.Varint(most);
      there = Body(tensor, lossy, out);
    } else {
      ByteWriter body(Scratch(most));
      there = Body(tensor, lossy, body);
      if (there.ok() && *there) Pack(Scratch(most).first(body.size()), out);
    }
  }
  if (!there.ok()) {
    return absl::InvalidArgumentError("tensor '" + info.name + "' " + Message(there.status()));
  }
  if (!*there) {
    out.Rewind(start);
    out.Varint(0);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> TensorEncoder::Body(size_t tensor, bool lossy, ByteWriter& out) {
  if (!lossy) return ExactBody(tensor, out);
  if (pipeline_.sparsifier_ == nullptr && state_ == nullptr) return DenseBody(tensor, {}, out);
  const std::span<float> values = LoadWhole(tensor);
  SKEIN_RETURN_IF_ERROR(Check(values, 0, kMost));
  if (AllZero(std::as_bytes(values))) return false;
  if (pipeline_.sparsifier_ == nullptr) return DenseBody(tensor, values, out);
  SKEIN_RETURN_IF_ERROR(SparseBody(tensor, values, out));
  return true;
}

absl::StatusOr<bool> TensorEncoder::ExactBody(size_t tensor, ByteWriter& out) {
  const TensorInfo& info = tensors_.manifest()[tensor];
  const std::span<const std::byte> bytes = tensors_.tensor(tensor);
  if (const auto bad = FindNonFinite(info.dtype, bytes)) {
    float value = 0;
    LoadParameters(info.dtype, bytes, *bad, {&value, 1});
    return absl::InvalidArgumentError("has " + ValueText(value) + " at index " +
                                      std::to_string(*bad));
  }
  const std::span<std::byte> body = out.Take(bytes.size());
  if (base_ == nullptr) {
    std::memcpy(body.data(), bytes.data(), bytes.size());
  } else {
    SubtractBits(SizeOf(info.dtype), bytes, base_->tensors.tensor(tensor), body);
  }
  return !AllZero(body);
}

// `whole`: the values, if they are loaded; they become what is lost. Otherwise they are loaded
// piece by piece.
absl::StatusOr<bool> TensorEncoder::DenseBody(size_t tensor, std::span<float> whole,
                                              ByteWriter& out) {
  const uint64_t n = tensors_.manifest()[tensor].NumElements();
  const float limit = pipeline_.quantizer_->MaxMagnitude();
  const CodecRandom random = RoundingOf(tensor);
  bool zero = true;
  for (uint64_t at = 0; at < n; at += chunk_) {
    const uint64_t count = std::min<uint64_t>(chunk_, n - at);
    std::span<float> values = std::span(piece_).first(count);
    if (whole.empty()) {
      Load(tensor, at, values);
    } else {
      values = whole.subspan(at, count);
    }
    SKEIN_RETURN_IF_ERROR(Check(values, at, limit));
    zero = zero && AllZero(std::as_bytes(values));
    const std::span<std::byte> bytes = out.Take(pipeline_.ValueBytes(count));
    PutValues(values, at, random, bytes);
    if (whole.empty()) continue;
    const auto received = std::span(received_).first(count);
    ReceivedValues(bytes, received);
    for (size_t i = 0; i < count; ++i) values[i] -= received[i];
  }
  return !zero;
}

absl::Status TensorEncoder::SparseBody(size_t tensor, std::span<float> values, ByteWriter& out) {
  const Sparsifier& sparsifier = *pipeline_.sparsifier_;
  const uint64_t n = values.size();
  const bool listed = sparsifier.support() == Sparsifier::Support::kListed;
  const std::vector<uint32_t> positions = sparsifier.Select(
      n, listed ? values : std::span<float>(), CodecRandom(DeriveSeed(support_seed_, {tensor})));
  if (listed) WriteSupport(n, positions, out);
  const float scale = sparsifier.Scale(n);
  const float limit =
      pipeline_.quantizer_ == nullptr ? kMost : pipeline_.quantizer_->MaxMagnitude();
  const CodecRandom random = RoundingOf(tensor);
  for (size_t at = 0; at < positions.size(); at += chunk_) {
    const auto where = std::span(positions).subspan(at, std::min(chunk_, positions.size() - at));
    const auto chosen = std::span(piece_).first(where.size());
    for (size_t i = 0; i < where.size(); ++i) chosen[i] = scale * values[where[i]];
    if (const auto bad = FindBeyond(chosen, limit)) {
      return Check(chosen.subspan(*bad, 1), where[*bad], limit);
    }
    const std::span<std::byte> bytes = out.Take(pipeline_.ValueBytes(where.size()));
    PutValues(chosen, at, random, bytes);
    if (state_ == nullptr) continue;
    const auto received = std::span(received_).first(where.size());
    ReceivedValues(bytes, received);
    for (size_t i = 0; i < where.size(); ++i) values[where[i]] -= received[i];
  }
  return absl::OkStatus();
}

// A record with its length before it, compressed if that makes it shorter.
void TensorEncoder::Pack(std::span<const std::byte> body, ByteWriter& out) {
  if (pipeline_.compressor_ == nullptr) {
    out.Varint(body.size());
    out.Bytes(body);
    return;
  }
  const size_t head = 1 + VarintBytes(body.size());  // of a compressed record
  std::optional<size_t> size;
  if (body.size() > head) {
    // Where it will be if its length takes as many bytes as that of the stored record.
    const std::span<std::byte> room =
        out.rest().subspan(VarintBytes(1 + body.size()) + head, body.size() - head);
    size = pipeline_.compressor_->Compress(body, room);
    if (size && *size <= room.size()) {
      out.Varint(head + *size);
      out.Byte(1);
      out.Varint(body.size());
      const std::span<std::byte> place = out.Take(*size);
      if (place.data() != room.data()) std::memmove(place.data(), room.data(), *size);
      return;
    }
  }
  out.Varint(1 + body.size());
  out.Byte(0);
  out.Bytes(body);
}

void TensorEncoder::Load(size_t tensor, uint64_t at, std::span<float> out) const {
  const DType dtype = tensors_.manifest()[tensor].dtype;
  if (base_ == nullptr) return LoadParameters(dtype, tensors_.tensor(tensor), at, out);
  LoadDifferences(dtype, tensors_.tensor(tensor), base_->tensors.tensor(tensor), at, out);
}

std::span<float> TensorEncoder::LoadWhole(size_t tensor) {
  const uint64_t n = tensors_.manifest()[tensor].NumElements();
  if (state_ == nullptr) {
    if (whole_.size() < n) whole_.resize(n);
    const auto values = std::span(whole_).first(n);
    Load(tensor, 0, values);
    return values;
  }
  // All float32 and from an aligned block, so that they lie as floats do.
  const size_t index = error_index_[tensor];
  const std::span<std::byte> bytes = errors_->mutable_tensor(index);
  const std::span<float> values(reinterpret_cast<float*>(bytes.data()), n);
  const std::span<const std::byte> owed = state_->errors_.tensor(index);
  for (uint64_t at = 0; at < n; at += chunk_) {
    const auto piece = std::span(piece_).first(std::min<uint64_t>(chunk_, n - at));
    const auto here = values.subspan(at, piece.size());
    LoadParameters(DType::kFloat32, owed, at, piece);
    Load(tensor, at, here);
    for (size_t i = 0; i < piece.size(); ++i) here[i] += piece[i];
  }
  return values;
}

absl::Status TensorEncoder::Check(std::span<const float> values, uint64_t at, float limit) const {
  const auto bad = FindBeyond(values, limit);
  if (!bad) return absl::OkStatus();
  const float value = values[*bad];
  std::string text = "has " + ValueText(value) + " at index " + std::to_string(at + *bad);
  if (std::isfinite(value)) {
    text += ", " + pipeline_.quantizer_->form() + " takes up to " + ValueText(limit);
  }
  return absl::InvalidArgumentError(text);
}

void TensorEncoder::PutValues(std::span<const float> values, uint64_t first,
                              const CodecRandom& random, std::span<std::byte> out) const {
  if (pipeline_.quantizer_ != nullptr) {
    return pipeline_.quantizer_->Encode(values, first, random, out);
  }
  std::memcpy(out.data(), values.data(), values.size_bytes());
}

void TensorEncoder::ReceivedValues(std::span<const std::byte> bytes,
                                   std::span<float> received) const {
  if (pipeline_.quantizer_ != nullptr) return pipeline_.quantizer_->Decode(bytes, received);
  std::memcpy(received.data(), bytes.data(), bytes.size());
}

CodecRandom TensorEncoder::RoundingOf(size_t tensor) const {
  return CodecRandom(
      DeriveSeed(context_.seed, {kRounding, context_.round, context_.sender, tensor}));
}

std::span<std::byte> TensorEncoder::Scratch(uint64_t bytes) {
  if (scratch_bytes_ < bytes) {
    scratch_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
    scratch_bytes_ = bytes;
  }
  return {scratch_.get(), bytes};
}

}  // namespace skein
