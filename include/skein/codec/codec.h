#ifndef SKEIN_CODEC_CODEC_H_
#define SKEIN_CODEC_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <absl/status/status.h>

#include "skein/codec/codec_random.h"

namespace skein {

// To add a codec: derive from Sparsifier, Quantizer or Compressor, register it (a folder of
// src/codec and a line in src/builtins/codecs.cc for one that ships), and instantiate the
// conformance suite (skein/testing/codec_conformance.h). docs/extending/codec.md walks through one.

// Where a codec stands in a pipeline; at most one of each, in this order.
enum class CodecStage : uint8_t {
  kDelta,     // a model becomes its difference to one that the receiver has
  kSparsify,  // some elements of a tensor are chosen, the others count as 0
  kQuantize,  // float32 values become fewer bits each
  kCompress,  // bytes become fewer, without loss
};

// One stage of a link's encoding. Immutable and shared: any thread may call it, several at once.
// Derive from one of the classes below. What a stage does depends on its arguments alone, so that
// an encoding can be made again. Sizes that it states are relied on: one that writes more than it
// said is a bug and aborts.
class Codec {
 public:
  virtual ~Codec() = default;
  CodecStage stage() const { return stage_; }

  // The name in specs, and in parentheses the parameters that a receiver must know, as in
  // "int8(512)". It stands in every payload, and a receiver refuses one of another form. Printable
  // ASCII, without '|'.
  virtual std::string form() const = 0;

  // Whether the sender adds what is lost to its next update (error feedback).
  virtual bool keeps_error() const { return false; }

 private:
  friend class Sparsifier;
  friend class Quantizer;
  friend class Compressor;
  friend class DeltaCodec;
  explicit Codec(CodecStage stage) : stage_(stage) {}
  const CodecStage stage_;
};

// Chooses elements of a tensor. A tensor has up to kMaxElements elements.
class Sparsifier : public Codec {
 public:
  static constexpr uint64_t kMaxElements = std::numeric_limits<uint32_t>::max();

  // How the receiver learns which elements were chosen.
  enum class Support {
    kListed,  // positions are a part of the payload
    kDrawn,   // it draws them itself: Select looks at no values, and a seed is sent
    kShared,  // drawn too, the same for all senders in a round
  };
  virtual Support support() const { return Support::kListed; }

  // Elements that are chosen of `n` at most; all of them if drawn. From 1 to n, for n >= 1.
  virtual uint64_t Kept(uint64_t n) const = 0;

  // Positions, ascending. `values` are finite; empty if the support is drawn. `random` has the same
  // key at both ends.
  virtual std::vector<uint32_t> Select(uint64_t n, std::span<const float> values,
                                       const CodecRandom& random) const = 0;

  // What the chosen values are multiplied by, where that makes the result unbiased.
  virtual float Scale(uint64_t /*n*/) const { return 1; }

 protected:
  Sparsifier() : Codec(CodecStage::kSparsify) {}
};

// Turns float32 values into bytes, a fixed number for a number of values. Works in blocks that do
// not depend on one another.
class Quantizer : public Codec {
 public:
  // Values of a block, 1 to 65,536; only the last of a tensor may have fewer.
  virtual uint64_t block() const = 0;
  // Bytes of `n` values, the sum over their blocks.
  virtual uint64_t Bytes(uint64_t n) const = 0;
  // Values of a greater magnitude are refused before Encode sees them.
  virtual float MaxMagnitude() const { return std::numeric_limits<float>::max(); }

  // Whole blocks but for the last, the values finite. `first` is the position of values[0] among
  // those of the tensor, to draw `random` by. `out` has Bytes(values.size()) bytes.
  virtual void Encode(std::span<const float> values, uint64_t first, const CodecRandom& random,
                      std::span<std::byte> out) const = 0;
  // The reverse; `in` is anything, with Bytes(out.size()) bytes. What is not finite is refused
  // after it, so it need not care.
  virtual void Decode(std::span<const std::byte> in, std::span<float> out) const = 0;

 protected:
  Quantizer() : Codec(CodecStage::kQuantize) {}
};

// Makes bytes fewer.
class Compressor : public Codec {
 public:
  // How many bytes of `out` it has filled; nothing if they would not do. `out` is shorter than
  // `in`: what does not get shorter is sent as it is.
  virtual std::optional<size_t> Compress(std::span<const std::byte> in,
                                         std::span<std::byte> out) const = 0;
  // Fills `out` exactly and takes no other memory that grows with what `in` says. `in` is anything:
  // InvalidArgument, with the cause, if it is not the compressed form of out.size() bytes.
  virtual absl::Status Decompress(std::span<const std::byte> in,
                                  std::span<std::byte> out) const = 0;

 protected:
  Compressor() : Codec(CodecStage::kCompress) {}
};

// The stage `delta`. It is a promise of the link more than work on values: DeltaLink.
class DeltaCodec final : public Codec {
 public:
  DeltaCodec() : Codec(CodecStage::kDelta) {}
  std::string form() const override { return "delta"; }
};

}  // namespace skein

#endif  // SKEIN_CODEC_CODEC_H_
