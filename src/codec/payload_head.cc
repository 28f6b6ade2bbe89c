#include "codec/payload_head.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "skein/base/names.h"
#include "skein/tensor/digest.h"
#include "skein/tensor/safetensors.h"

namespace skein {
namespace {

constexpr std::string_view kMagic = "SKC1";

absl::Status Bad(const std::string& why) { return absl::InvalidArgumentError("payload " + why); }

std::optional<uint32_t> Narrow(std::optional<uint64_t> value) {
  if (!value || *value > std::numeric_limits<uint32_t>::max()) return std::nullopt;
  return static_cast<uint32_t>(*value);
}

std::optional<BaseRef> ReadBase(ByteReader& in) {
  const auto version = in.Varint();
  const auto attempt = Narrow(in.Varint());
  const auto local_round = Narrow(in.Varint());
  const auto checksum = in.Word();
  if (!version || !attempt || !local_round || !checksum) return std::nullopt;
  return BaseRef{{*version, *attempt, *local_round}, *checksum};
}

}  // namespace

uint64_t TensorsMark(const Manifest& manifest) {
  const std::string header = SafetensorsHeader(manifest);
  return Checksum(std::as_bytes(std::span(header)));
}

size_t MaxHeadBytes(const std::string& form) {
  return kMagic.size() + 1 + form.size() + 1 + 3 * kMaxVarintBytes + 3 * sizeof(uint64_t);
}

void WriteHead(const PayloadHead& head, bool has_delta, ByteWriter& out) {
  out.Bytes(std::as_bytes(std::span(kMagic)));
  out.Byte(static_cast<uint8_t>(head.form.size()));
  out.Bytes(std::as_bytes(std::span(head.form)));
  out.Word(head.tensors);
  if (has_delta) {
    out.Byte(head.base ? 1 : 0);
    if (head.base) {
      out.Varint(head.base->version.version);
      out.Varint(head.base->version.attempt);
      out.Varint(head.base->version.local_round);
      out.Word(head.base->checksum);
    }
  }
  if (head.support) out.Word(*head.support);
}

absl::StatusOr<PayloadHead> ReadHead(const std::string& form, bool has_delta, bool draws_support,
                                     ByteReader& in) {
  const auto magic = in.Bytes(kMagic.size());
  if (!magic || !std::ranges::equal(*magic, std::as_bytes(std::span(kMagic)))) {
    return Bad("does not begin as one does");
  }
  const auto length = in.Byte();
  const auto text = in.Bytes(length.value_or(0));
  if (!length || !text) return Bad("is cut short in its head");
  PayloadHead head;
  head.form.assign(reinterpret_cast<const char*>(text->data()), text->size());
  if (head.form != form) {
    return Bad("has the form " + QuoteName(head.form) + ", the link's is " + QuoteName(form));
  }
  const auto tensors = in.Word();
  if (!tensors) return Bad("is cut short in its head");
  head.tensors = *tensors;
  if (has_delta) {
    const auto differs = in.Byte();
    if (!differs) return Bad("is cut short in its head");
    if (*differs > 1) return Bad("is neither a difference nor whole");
    if (*differs == 1) {
      head.base = ReadBase(in);
      if (!head.base) return Bad("names no base");
    }
  }
  if (draws_support) {
    head.support = in.Word();
    if (!head.support) return Bad("is cut short in its head");
  }
  return head;
}

}  // namespace skein
