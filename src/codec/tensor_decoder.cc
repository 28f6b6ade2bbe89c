#include "codec/tensor_decoder.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "codec/finite.h"
#include "codec/parameters.h"
#include "codec/support.h"
#include "codec/tensor_encoder.h"
#include "skein/base/random.h"
#include "skein/base/status.h"

namespace skein {
namespace {

absl::Status Bad(const std::string& why) { return absl::InvalidArgumentError(why); }

}  // namespace

TensorDecoder::TensorDecoder(const CodecPipeline& pipeline, const Manifest& manifest,
                             uint64_t support_seed, const HeldModel* base)
    : pipeline_(pipeline),
      manifest_(manifest),
      support_seed_(support_seed),
      base_(base),
      chunk_(ChunkOf(pipeline.quantizer_.get())),
      piece_(chunk_) {}

absl::Status TensorDecoder::Decode(size_t tensor, ByteReader& in, std::span<std::byte> out) {
  const TensorInfo& info = manifest_[tensor];
  absl::Status status = Record(tensor, in, out);
  if (status.ok()) {
    if (const auto bad = FindNonFinite(info.dtype, out)) {
      status = Bad("NaN or Inf at index " + std::to_string(*bad));
    }
  }
  return status.ok() ? status : Annotate(status, "tensor '" + info.name + "'");
}

absl::Status TensorDecoder::Record(size_t tensor, ByteReader& in, std::span<std::byte> out) {
  const TensorInfo& info = manifest_[tensor];
  const bool lossy = pipeline_.IsLossy(info) && (base_ != nullptr || !pipeline_.delta_);
  const auto length = in.Varint();
  if (!length) return Bad("the payload ends before it");
  if (*length > pipeline_.MaxRecordBytes(info, lossy)) {
    return Bad("its record of " + std::to_string(*length) + " bytes is longer than the " +
               std::to_string(pipeline_.MaxRecordBytes(info, lossy)) + " allowed");
  }
  const auto record = in.Bytes(*length);
  if (!record) return Bad("the payload ends in it");
  if (out.empty()) return absl::OkStatus();
  if (base_ != nullptr) {
    std::memcpy(out.data(), base_->tensors.tensor(tensor).data(), out.size());
  }
  if (*length == 0) {
    if (base_ == nullptr) std::memset(out.data(), 0, out.size());
    return absl::OkStatus();
  }
  SKEIN_ASSIGN_OR_RETURN(const auto body, Unpack(*record, pipeline_.MaxBodyBytes(info, lossy)));
  if (!lossy) return Exact(tensor, body, out);
  return pipeline_.sparsifier_ == nullptr ? Dense(tensor, body, out) : Sparse(tensor, body, out);
}

absl::StatusOr<std::span<const std::byte>> TensorDecoder::Unpack(std::span<const std::byte> record,
                                                                 uint64_t most) {
  if (pipeline_.compressor_ == nullptr) return record;
  ByteReader in(record);
  const auto form = in.Byte();
  if (form == 0) return in.rest();
  if (form != 1) return Bad("its record is neither stored nor compressed");
  const auto size = in.Varint();
  if (!size) return Bad("its record is cut short");
  if (*size > most) {
    return Bad("it would take " + std::to_string(*size) + " bytes, at most " +
               std::to_string(most) + " are right");
  }
  if (scratch_bytes_ < *size) {
    scratch_ = std::make_unique_for_overwrite<std::byte[]>(*size);
    scratch_bytes_ = *size;
  }
  const std::span<std::byte> body(scratch_.get(), *size);
  SKEIN_RETURN_IF_ERROR(pipeline_.compressor_->Decompress(in.rest(), body));
  return body;
}

absl::Status TensorDecoder::Exact(size_t tensor, std::span<const std::byte> body,
                                  std::span<std::byte> out) {
  if (body.size() != out.size()) {
    return Bad("its elements take " + std::to_string(out.size()) + " bytes, not " +
               std::to_string(body.size()));
  }
  if (base_ == nullptr) {
    std::memcpy(out.data(), body.data(), body.size());
  } else {
    AddBits(SizeOf(manifest_[tensor].dtype), body, out);
  }
  return absl::OkStatus();
}

absl::Status TensorDecoder::Dense(size_t tensor, std::span<const std::byte> body,
                                  std::span<std::byte> out) {
  const TensorInfo& info = manifest_[tensor];
  const uint64_t n = info.NumElements();
  if (body.size() != pipeline_.ValueBytes(n)) {
    return Bad("its values take " + std::to_string(pipeline_.ValueBytes(n)) + " bytes, not " +
               std::to_string(body.size()));
  }
  for (uint64_t at = 0; at < n; at += chunk_) {
    const auto values = std::span(piece_).first(std::min<uint64_t>(chunk_, n - at));
    const uint64_t bytes = pipeline_.ValueBytes(values.size());
    Values(body.first(bytes), values);
    body = body.subspan(bytes);
    if (base_ == nullptr) {
      StoreParameters(info.dtype, values, out, at);
    } else {
      AddDifferences(info.dtype, values, out, at);
    }
  }
  return absl::OkStatus();
}

absl::Status TensorDecoder::Sparse(size_t tensor, std::span<const std::byte> body,
                                   std::span<std::byte> out) {
  const TensorInfo& info = manifest_[tensor];
  const uint64_t n = info.NumElements();
  const Sparsifier& sparsifier = *pipeline_.sparsifier_;
  ByteReader in(body);
  std::vector<uint32_t> positions;
  const uint64_t kept = sparsifier.Kept(n);
  if (sparsifier.support() == Sparsifier::Support::kListed) {
    SKEIN_ASSIGN_OR_RETURN(positions, ReadSupport(n, kept, in));
  }
  const uint64_t count =
      sparsifier.support() == Sparsifier::Support::kListed ? positions.size() : kept;
  if (in.rest().size() != pipeline_.ValueBytes(count)) {
    return Bad("its " + std::to_string(count) + " values take " +
               std::to_string(pipeline_.ValueBytes(count)) + " bytes, not " +
               std::to_string(in.rest().size()));
  }
  // Once the values are known to be there.
  if (sparsifier.support() != Sparsifier::Support::kListed) {
    positions = sparsifier.Select(n, {}, CodecRandom(DeriveSeed(support_seed_, {tensor})));
    if (positions.size() != count) {
      return absl::InternalError("'" + sparsifier.form() + "' draws another number than it said");
    }
  }
  if (base_ == nullptr) std::memset(out.data(), 0, out.size());
  for (size_t at = 0; at < positions.size(); at += chunk_) {
    const auto where = std::span(positions).subspan(at, std::min(chunk_, positions.size() - at));
    const auto values = std::span(piece_).first(where.size());
    Values(*in.Bytes(pipeline_.ValueBytes(where.size())), values);
    for (size_t i = 0; i < where.size(); ++i) {
      if (base_ == nullptr) {
        StoreParameters(info.dtype, {&values[i], 1}, out, where[i]);
      } else {
        AddDifferences(info.dtype, {&values[i], 1}, out, where[i]);
      }
    }
  }
  return absl::OkStatus();
}

void TensorDecoder::Values(std::span<const std::byte> bytes, std::span<float> out) const {
  if (pipeline_.quantizer_ != nullptr) return pipeline_.quantizer_->Decode(bytes, out);
  std::memcpy(out.data(), bytes.data(), bytes.size());
}

}  // namespace skein
