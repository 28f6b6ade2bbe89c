#include "tensor/safetensors_header.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "skein/base/names.h"
#include "skein/base/status.h"
#include "skein/base/value.h"

namespace skein {
namespace {

struct Entry {
  TensorInfo info;
  uint64_t begin = 0;
  uint64_t end = 0;
};

// `text` for an error message, unless it would swamp it.
std::string Shown(const std::string& text) {
  return text.size() <= 64 ? JsonQuote(text) : "of " + std::to_string(text.size()) + " bytes";
}

// Appends a code point, at most 0x10FFFF.
void AppendUtf8(std::string& out, unsigned code_point) {
  const auto put = [&out](unsigned value) { out += static_cast<char>(value); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3F));
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

// The subset of JSON that a header is made of: objects of known depth, strings, lists of
// non-negative integers. What does not fit is refused where it stands, so nothing is skipped and
// nothing nests.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  absl::StatusOr<std::vector<Entry>> Parse() {
    if (text_.substr(0, 1) != "{") return Error("expected '{'");  // not even space before it
    std::vector<Entry> entries;
    bool has_metadata = false;
    SKEIN_RETURN_IF_ERROR(Object([&](std::string key) -> absl::Status {
      if (key == "__metadata__") {
        if (std::exchange(has_metadata, true)) return Error("a second __metadata__");
        return Object([this](const std::string&) { return String().status(); });
      }
      if (entries.size() == Manifest::kMaxTensors) return Error("too many tensors");
      SKEIN_ASSIGN_OR_RETURN(Entry entry, Tensor(std::move(key)));
      entries.push_back(std::move(entry));
      return absl::OkStatus();
    }));
    SkipSpace();
    if (at_ != text_.size()) return Error("text after the header's object");
    return entries;
  }

 private:
  absl::Status Error(const std::string& what) const {
    return absl::InvalidArgumentError("header, byte " + std::to_string(at_) + ": " + what);
  }

  void SkipSpace() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos) ++at_;
  }

  // Consumes `c` if it comes next.
  bool Take(char c) {
    SkipSpace();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  absl::Status Expect(char c) {
    if (Take(c)) return absl::OkStatus();
    return Error(std::string("expected '") + c + "'");
  }

  // `member` is called with each key and parses the value.
  template <typename Member>
  absl::Status Object(Member member) {
    SKEIN_RETURN_IF_ERROR(Expect('{'));
    if (Take('}')) return absl::OkStatus();
    do {
      SKEIN_ASSIGN_OR_RETURN(std::string key, String());
      SKEIN_RETURN_IF_ERROR(Expect(':'));
      SKEIN_RETURN_IF_ERROR(member(std::move(key)));
    } while (Take(','));
    return Expect('}');
  }

  absl::StatusOr<Entry> Tensor(std::string name) {
    Entry entry;
    entry.info.name = std::move(name);
    bool has_dtype = false, has_shape = false, has_offsets = false;
    SKEIN_RETURN_IF_ERROR(Object([&](const std::string& key) -> absl::Status {
      if (key == "dtype" && !std::exchange(has_dtype, true)) {
        SKEIN_ASSIGN_OR_RETURN(const std::string dtype_name, String());
        const std::optional<DType> dtype = DTypeFromName(dtype_name);
        if (!dtype) return Error("unknown dtype " + Shown(dtype_name));
        entry.info.dtype = *dtype;
        return absl::OkStatus();
      }
      if (key == "shape" && !std::exchange(has_shape, true)) {
        SKEIN_ASSIGN_OR_RETURN(entry.info.shape, Integers(Manifest::kMaxDims));
        return absl::OkStatus();
      }
      if (key == "data_offsets" && !std::exchange(has_offsets, true)) {
        SKEIN_ASSIGN_OR_RETURN(const std::vector<int64_t> offsets, Integers(2));
        if (offsets.size() != 2) return Error("data_offsets must be two numbers");
        entry.begin = static_cast<uint64_t>(offsets[0]);
        entry.end = static_cast<uint64_t>(offsets[1]);
        return absl::OkStatus();
      }
      return Error("unknown or repeated key " + Shown(key));
    }));
    if (!has_dtype || !has_shape || !has_offsets) {
      return Error("a tensor needs dtype, shape and data_offsets");
    }
    return entry;
  }

  absl::StatusOr<std::vector<int64_t>> Integers(size_t max_count) {
    std::vector<int64_t> values;
    SKEIN_RETURN_IF_ERROR(Expect('['));
    if (Take(']')) return values;
    do {
      if (values.size() == max_count) return Error("too many numbers in a list");
      SKEIN_ASSIGN_OR_RETURN(const int64_t value, Integer());
      values.push_back(value);
    } while (Take(','));
    SKEIN_RETURN_IF_ERROR(Expect(']'));
    return values;
  }

  absl::StatusOr<int64_t> Integer() {
    SkipSpace();
    const size_t start = at_;
    int64_t value = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      const int digit = text_[at_] - '0';
      if (value > (std::numeric_limits<int64_t>::max() - digit) / 10) {
        return Error("number too large");
      }
      value = value * 10 + digit;
    }
    if (at_ == start) return Error("expected a non-negative integer");
    if (text_[start] == '0' && at_ - start > 1) return Error("number with a leading zero");
    return value;
  }

  absl::StatusOr<std::string> String() {
    if (!Take('"')) return Error("expected a string");
    std::string out;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') {
        if (Utf8PrefixLength(out) != out.size()) return Error("string that is not UTF-8");
        return out;
      }
      if (static_cast<unsigned char>(c) < 0x20) return Error("control character in a string");
      if (c != '\\') {
        out += c;
        continue;
      }
      SKEIN_RETURN_IF_ERROR(Escape(out));
    }
    return Error("string without end");
  }

  absl::Status Escape(std::string& out) {
    static constexpr std::string_view kLetters = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (at_ == text_.size()) return Error("string without end");
    const char c = text_[at_++];
    if (const size_t known = kLetters.find(c); known != kLetters.npos) {
      out += kMeanings[known];
      return absl::OkStatus();
    }
    if (c != 'u') return Error("unknown escape");
    SKEIN_ASSIGN_OR_RETURN(unsigned code, Hex4());
    if (code >= 0xD800 && code < 0xDC00) {
      if (text_.substr(at_, 2) != "\\u") return Error("half a surrogate pair");
      at_ += 2;
      SKEIN_ASSIGN_OR_RETURN(const unsigned low, Hex4());
      if (low < 0xDC00 || low > 0xDFFF) return Error("half a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code <= 0xDFFF) {
      return Error("half a surrogate pair");
    }
    AppendUtf8(out, code);
    return absl::OkStatus();
  }

  absl::StatusOr<unsigned> Hex4() {
    unsigned value = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = at_ < text_.size() ? text_[at_] : '\0';
      const unsigned digit = c >= '0' && c <= '9'   ? c - '0'
                             : c >= 'a' && c <= 'f' ? c - 'a' + 10
                             : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                    : 16;
      if (digit == 16) return Error("bad \\u escape");
      value = value * 16 + digit;
    }
    return value;
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

absl::StatusOr<Manifest> ParseSafetensorsHeader(std::string_view json, uint64_t data_bytes) {
  SKEIN_ASSIGN_OR_RETURN(std::vector<Entry> entries, HeaderParser(json).Parse());
  // Empty tensors share their offset with what follows them and come first; the sort is stable to
  // keep the header's order among them, so that a canonical file keeps its order whole.
  std::ranges::stable_sort(entries, {}, [](const Entry& e) { return std::pair(e.begin, e.end); });
  std::vector<TensorInfo> tensors;
  tensors.reserve(entries.size());
  for (const Entry& entry : entries) tensors.push_back(entry.info);
  SKEIN_ASSIGN_OR_RETURN(Manifest manifest, Manifest::Create(std::move(tensors)));
  for (size_t i = 0; i < entries.size(); ++i) {
    const std::string label = "tensor " + JsonQuote(manifest[i].name) + ": ";
    if (entries[i].begin != manifest.offset(i)) {
      return absl::InvalidArgumentError(label + "data starts at byte " +
                                        std::to_string(entries[i].begin) + ", expected " +
                                        std::to_string(manifest.offset(i)) + " (overlap or gap)");
    }
    if (entries[i].end - entries[i].begin != manifest[i].NumBytes()) {
      return absl::InvalidArgumentError(label + "data_offsets do not fit " + ToString(manifest[i]));
    }
  }
  if (manifest.total_bytes() != data_bytes) {
    return absl::InvalidArgumentError(
        "the header describes " + std::to_string(manifest.total_bytes()) + " bytes of data, the " +
        "file has " + std::to_string(data_bytes) +
        (data_bytes < manifest.total_bytes() ? " (truncated)" : " (trailing bytes)"));
  }
  return manifest;
}

}  // namespace skein
