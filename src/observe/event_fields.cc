#include "observe/event_fields.h"

#include <cstdint>

namespace skein {
namespace {

const Value* Find(const ValueMap& fields, const std::string& name) {
  const auto it = fields.find(name);
  return it == fields.end() ? nullptr : &it->second;
}

std::optional<double> Number(const Value& value) {
  if (const int64_t* v = value.AsInt()) return static_cast<double>(*v);
  if (const double* v = value.AsDouble()) return *v;
  return std::nullopt;
}

}  // namespace

std::optional<double> NumberField(const ValueMap& fields, const std::string& name) {
  const Value* value = Find(fields, name);
  return value == nullptr ? std::nullopt : Number(*value);
}

uint64_t CountField(const ValueMap& fields, const std::string& name) {
  const Value* value = Find(fields, name);
  if (value == nullptr) return 0;
  if (const int64_t* v = value->AsInt()) return *v < 0 ? 0 : static_cast<uint64_t>(*v);
  const std::optional<double> number = Number(*value);
  // The cast is defined below 2^64 only.
  return number && *number >= 0 && *number < 1.8e19 ? static_cast<uint64_t>(*number) : 0;
}

std::string TextField(const ValueMap& fields, const std::string& name) {
  const Value* value = Find(fields, name);
  const std::string* text = value == nullptr ? nullptr : value->AsString();
  return text == nullptr ? "" : *text;
}

std::map<std::string, double> NumbersField(const ValueMap& fields, const std::string& name) {
  std::map<std::string, double> numbers;
  const Value* value = Find(fields, name);
  const ValueMap* map = value == nullptr ? nullptr : value->AsMap();
  if (map == nullptr) return numbers;
  for (const auto& [key, item] : *map) {
    if (const std::optional<double> number = Number(item)) numbers[key] = *number;
  }
  return numbers;
}

}  // namespace skein
