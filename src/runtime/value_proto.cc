#include "runtime/value_proto.h"

#include <cmath>
#include <string>
#include <utility>

#include "transport/wire_text.h"

namespace skein {
namespace {

constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
// Long enough for any roster as text; what is longer is no honest value.
constexpr size_t kMaxStringBytes = size_t{16} << 20;

void Fill(const Value& value, google::protobuf::Value& out);

struct Filler {
  google::protobuf::Value& out;

  void operator()(std::monostate) const { out.set_null_value(google::protobuf::NULL_VALUE); }
  void operator()(bool v) const { out.set_bool_value(v); }
  void operator()(int64_t v) const { out.set_number_value(static_cast<double>(v)); }
  void operator()(double v) const { out.set_number_value(v); }
  void operator()(const std::string& v) const {
    out.set_string_value(WireText(v, kMaxStringBytes));
  }
  void operator()(const ValueList& v) const {
    auto* list = out.mutable_list_value();
    for (const Value& item : v) Fill(item, *list->add_values());
  }
  void operator()(const ValueMap& v) const { *out.mutable_struct_value() = ToProto(v); }
};

void Fill(const Value& value, google::protobuf::Value& out) { std::visit(Filler{out}, value.data); }

// The parser's limit on nesting bounds the recursion.
Value Read(const google::protobuf::Value& proto) {
  switch (proto.kind_case()) {
    case google::protobuf::Value::kBoolValue:
      return Value(proto.bool_value());
    case google::protobuf::Value::kNumberValue: {
      const double number = proto.number_value();
      if (std::trunc(number) == number && std::abs(number) <= kExactIntegers) {
        return Value(static_cast<int64_t>(number));
      }
      return Value(number);
    }
    case google::protobuf::Value::kStringValue:
      return Value(proto.string_value());
    case google::protobuf::Value::kStructValue:
      return Value(FromProto(proto.struct_value()));
    case google::protobuf::Value::kListValue: {
      ValueList list;
      for (const auto& item : proto.list_value().values()) list.push_back(Read(item));
      return Value(std::move(list));
    }
    default:
      return Value();
  }
}

}  // namespace

google::protobuf::Struct ToProto(const ValueMap& values) {
  google::protobuf::Struct proto;
  for (const auto& [key, value] : values) {
    Fill(value, (*proto.mutable_fields())[WireText(key, kMaxStringBytes)]);
  }
  return proto;
}

ValueMap FromProto(const google::protobuf::Struct& proto) {
  ValueMap values;
  for (const auto& [key, value] : proto.fields()) values[key] = Read(value);
  return values;
}

}  // namespace skein
