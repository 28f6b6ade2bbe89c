#include "codec/zstd/zstd_codec.h"

#include <zstd.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace skein {
namespace {

// Contexts that are not in use: to make one costs more than to compress a small tensor.
template <typename Context, Context* (*kMake)(), size_t (*kFree)(Context*)>
class ContextPool {
 public:
  struct Freer {
    void operator()(Context* context) const { kFree(context); }
  };
  using Handle = std::unique_ptr<Context, Freer>;

  // Null if there is no memory.
  Handle Take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return Handle(kMake());
    Handle context = std::move(idle_.back());
    idle_.pop_back();
    return context;
  }
  void Return(Handle context) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(context));
  }

 private:
  std::mutex mutex_;
  std::vector<Handle> idle_;
};

absl::Status Bad(const std::string& why) {
  return absl::InvalidArgumentError("its zstd frame " + why);
}

class Zstd : public Compressor {
 public:
  explicit Zstd(int level) : level_(level) {}

  // Any level is read by any receiver.
  std::string form() const override { return "zstd"; }

  std::optional<size_t> Compress(std::span<const std::byte> in,
                                 std::span<std::byte> out) const override {
    auto context = compressing_.Take();
    if (context == nullptr) return std::nullopt;
    const size_t size =
        ZSTD_compressCCtx(context.get(), out.data(), out.size(), in.data(), in.size(), level_);
    compressing_.Return(std::move(context));
    if (ZSTD_isError(size) != 0) return std::nullopt;  // it has no room
    return size;
  }

  // In one go to where it belongs, so that the window that a frame asks for costs nothing.
  absl::Status Decompress(std::span<const std::byte> in, std::span<std::byte> out) const override {
    const unsigned long long content = ZSTD_getFrameContentSize(in.data(), in.size());
    if (content == ZSTD_CONTENTSIZE_ERROR) return Bad("is none");
    if (content == ZSTD_CONTENTSIZE_UNKNOWN) return Bad("does not say how large its content is");
    if (content != out.size()) {
      return Bad("has " + std::to_string(content) + " bytes of content, not " +
                 std::to_string(out.size()));
    }
    const size_t length = ZSTD_findFrameCompressedSize(in.data(), in.size());
    if (ZSTD_isError(length) != 0) return Bad("is cut short or corrupt");
    if (length != in.size()) return Bad("is followed by something else");
    auto context = decompressing_.Take();
    if (context == nullptr) return absl::ResourceExhaustedError("no memory to decompress");
    const size_t size =
        ZSTD_decompressDCtx(context.get(), out.data(), out.size(), in.data(), in.size());
    decompressing_.Return(std::move(context));
    if (ZSTD_isError(size) != 0) {
      return Bad(std::string("is corrupt: ") + ZSTD_getErrorName(size));
    }
    if (size != out.size()) return Bad("has less content than it says");
    return absl::OkStatus();
  }

 private:
  const int level_;
  mutable ContextPool<ZSTD_CCtx, ZSTD_createCCtx, ZSTD_freeCCtx> compressing_;
  mutable ContextPool<ZSTD_DCtx, ZSTD_createDCtx, ZSTD_freeDCtx> decompressing_;
};

}  // namespace

absl::Status RegisterZstd(CodecRegistry& registry) {
  return registry.Register(
      {.name = "zstd",
       .summary = "bytes compressed without loss",
       .source = "Zstandard, RFC 8878",
       .schema = ParamSchema({{.name = "level",
                               .type = ParamSpec::Type::kInt,
                               .default_value = 3,
                               .min = 1,
                               .max = 19,
                               .doc = "higher is smaller and slower"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Codec>> {
        return std::make_shared<Zstd>(static_cast<int>(params.Int("level")));
      });
}

}  // namespace skein
