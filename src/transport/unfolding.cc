#include "transport/unfolding.h"

#include <cstdint>
#include <limits>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>

namespace skein {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::io::CodedInputStream;

enum WireType : uint32_t { kVarint, kFixed64, kLength, kGroupBegin, kGroupEnd, kFixed32 };

// About what a field's value takes in memory at most, with its place in a list that has just grown
// and what the allocator adds.
constexpr size_t kMessageBytes = 2 * kMaxUnfolding;  // for two bytes: a tag and the length 0
constexpr size_t kTextBytes = 96;                    // besides the text itself
constexpr size_t kNumberBytes = 48;                  // one that is not known is kept as a field
constexpr size_t kPackedBytes = 24;                  // for each byte of packed numbers

class Counter {
 public:
  Counter(size_t limit, CodedInputStream& in) : limit_(limit), in_(in) {}

  // Up to the end of the message; false if it is malformed or beyond the limit.
  bool Count(const Descriptor& type) {
    while (bytes_ <= limit_) {
      const uint32_t tag = in_.ReadTag();
      if (tag == 0) return in_.ConsumedEntireMessage();
      const FieldDescriptor* known = type.FindFieldByNumber(static_cast<int>(tag >> 3));
      if (!CountField(tag, groups_ > 0 ? nullptr : known)) return false;
    }
    return false;
  }

 private:
  // `field` is null if it is not known. False if it is malformed.
  bool CountField(uint32_t tag, const FieldDescriptor* field) {
    uint64_t number = 0;
    switch (tag & 7) {
      case kVarint:
        bytes_ += kNumberBytes;
        return in_.ReadVarint64(&number);
      case kFixed64:
        bytes_ += kNumberBytes;
        return in_.Skip(8);
      case kFixed32:
        bytes_ += kNumberBytes;
        return in_.Skip(4);
      case kLength:
        return CountLength(field);
      case kGroupBegin:  // ours have none: what is in it is not known
        ++groups_;
        bytes_ += kMessageBytes / 2;
        return true;
      case kGroupEnd:
        return groups_-- > 0;
      default:
        return false;
    }
  }

  bool CountLength(const FieldDescriptor* field) {
    uint32_t length = 0;
    if (!in_.ReadVarint32(&length) || length > std::numeric_limits<int>::max()) return false;
    const auto size = static_cast<int>(length);
    if (field == nullptr || field->type() != FieldDescriptor::TYPE_MESSAGE) {
      const bool packed = field != nullptr && field->is_packable();
      bytes_ += packed ? kPackedBytes * length : kTextBytes + length;
      return in_.Skip(size);
    }
    bytes_ += kMessageBytes;
    if (in_.BytesUntilLimit() >= 0 && size > in_.BytesUntilLimit()) return false;
    const CodedInputStream::Limit outer = in_.PushLimit(size);
    const bool whole = Count(*field->message_type()) && in_.BytesUntilLimit() == 0;
    in_.PopLimit(outer);
    return whole;
  }

  const size_t limit_;
  CodedInputStream& in_;
  size_t bytes_ = 0;
  int groups_ = 0;  // that are open
};

}  // namespace

bool IsWithin(size_t limit, const Descriptor& type, std::span<const std::byte> message) {
  CodedInputStream in(reinterpret_cast<const uint8_t*>(message.data()),
                      static_cast<int>(message.size()));
  const CodedInputStream::Limit outer = in.PushLimit(static_cast<int>(message.size()));
  const bool within = Counter(limit, in).Count(type);
  in.PopLimit(outer);
  return within;
}

}  // namespace skein
