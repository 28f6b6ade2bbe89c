#ifndef SKEIN_BASE_VALUE_H_
#define SKEIN_BASE_VALUE_H_

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace skein {

// A small tree of plain data: parameters of a strategy or learner, fields of an event. Keys of a
// map are ordered, so that equal values print the same.
struct Value;
using ValueList = std::vector<Value>;
using ValueMap = std::map<std::string, Value>;

// One node of that tree: nothing, a bool, a number, a text, a list or a map.
struct Value {
  std::variant<std::monostate, bool, int64_t, double, std::string, ValueList, ValueMap> data;

  Value() = default;
  Value(bool v) : data(v) {}                            // NOLINT(runtime/explicit)
  Value(int v) : data(int64_t{v}) {}                    // NOLINT(runtime/explicit)
  Value(unsigned v) : data(int64_t{v}) {}               // NOLINT(runtime/explicit)
  Value(int64_t v) : data(v) {}                         // NOLINT(runtime/explicit)
  Value(uint64_t v) : data(static_cast<int64_t>(v)) {}  // NOLINT(runtime/explicit)
  Value(double v) : data(v) {}                          // NOLINT(runtime/explicit)
  Value(const char* v) : data(std::string(v)) {}        // NOLINT(runtime/explicit)
  Value(std::string v) : data(std::move(v)) {}          // NOLINT(runtime/explicit)
  Value(ValueList v) : data(std::move(v)) {}            // NOLINT(runtime/explicit)
  Value(ValueMap v) : data(std::move(v)) {}             // NOLINT(runtime/explicit)

  bool is_null() const { return std::holds_alternative<std::monostate>(data); }
  const bool* AsBool() const { return std::get_if<bool>(&data); }
  const int64_t* AsInt() const { return std::get_if<int64_t>(&data); }
  const double* AsDouble() const { return std::get_if<double>(&data); }
  const std::string* AsString() const { return std::get_if<std::string>(&data); }
  const ValueList* AsList() const { return std::get_if<ValueList>(&data); }
  const ValueMap* AsMap() const { return std::get_if<ValueMap>(&data); }

  friend bool operator==(const Value&, const Value&) = default;
};

// Compact JSON, keys sorted, doubles in the shortest form that reads back the same; NaN and
// infinities become null, as JSON has none.
std::string ToJson(const Value& value);

// The JSON string literal for `text`, quotes included.
std::string JsonQuote(const std::string& text);

}  // namespace skein

#endif  // SKEIN_BASE_VALUE_H_
