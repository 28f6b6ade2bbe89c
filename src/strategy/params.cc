#include "skein/strategy/params.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "skein/base/status.h"

namespace skein {
namespace {

// Asking for a parameter that the schema does not declare, or as another type, is a bug in the
// part.
[[noreturn]] void Bug(const std::string& name, const char* what) {
  std::fprintf(stderr, "parameter '%s' %s\n", name.c_str(), what);
  std::abort();
}

const Value& Require(const ValueMap& values, const std::string& name) {
  auto it = values.find(name);
  if (it == values.end()) Bug(name, "was not declared");
  return it->second;
}

std::optional<int64_t> ToInt(const Value& value) {
  if (const int64_t* i = value.AsInt()) return *i;
  const double* d = value.AsDouble();
  if (d != nullptr && std::nearbyint(*d) == *d && std::abs(*d) < 0x1p63) {
    return static_cast<int64_t>(*d);
  }
  return std::nullopt;
}

std::optional<double> ToReal(const Value& value) {
  if (const double* d = value.AsDouble()) return *d;
  if (const int64_t* i = value.AsInt()) return static_cast<double>(*i);
  return std::nullopt;
}

const char* NameOf(ParamSpec::Type type) {
  switch (type) {
    case ParamSpec::Type::kInt:
      return "a whole number";
    case ParamSpec::Type::kReal:
      return "a number";
    case ParamSpec::Type::kBool:
      return "true or false";
    case ParamSpec::Type::kPath:
      return "the path of a file";
    case ParamSpec::Type::kString:
      break;
  }
  return "a text";
}

std::string Join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string RangeText(const ParamSpec& spec) {
  const std::string low = ToJson(Value(spec.min));
  const std::string high = ToJson(Value(spec.max));
  if (!std::isfinite(spec.max)) return "at least " + low;
  if (!std::isfinite(spec.min)) return "at most " + high;
  return "from " + low + " to " + high;
}

// The value as its declared type and within its range.
absl::StatusOr<Value> Check(const ParamSpec& spec, const Value& value) {
  auto wrong_type = [&] {
    std::string given = ToJson(value);
    if (given == "null" && !value.is_null()) given = "NaN or Inf";  // which JSON does not have
    return absl::InvalidArgumentError("'" + spec.name + "' must be " + NameOf(spec.type) +
                                      ", not " + given);
  };
  Value checked;
  double number = 0;
  switch (spec.type) {
    case ParamSpec::Type::kInt: {
      const auto i = ToInt(value);
      if (!i) return wrong_type();
      checked = *i;
      number = static_cast<double>(*i);
      break;
    }
    case ParamSpec::Type::kReal: {
      const auto d = ToReal(value);
      if (!d || !std::isfinite(*d)) return wrong_type();
      checked = number = *d;
      break;
    }
    case ParamSpec::Type::kBool:
      if (value.AsBool() == nullptr) return wrong_type();
      return value;
    case ParamSpec::Type::kPath:
    case ParamSpec::Type::kString: {
      const std::string* text = value.AsString();
      if (text == nullptr) return wrong_type();
      if (!spec.choices.empty() && std::ranges::find(spec.choices, *text) == spec.choices.end()) {
        return absl::InvalidArgumentError("'" + spec.name + "' must be one of " +
                                          Join(spec.choices) + ", not " + QuoteName(*text));
      }
      return value;
    }
  }
  if (number < spec.min || number > spec.max) {
    return absl::InvalidArgumentError("'" + spec.name + "' is " + ToJson(value) + ", it must be " +
                                      RangeText(spec));
  }
  return checked;
}

}  // namespace

bool Params::Has(const std::string& name) const { return values_.contains(name); }

int64_t Params::Int(const std::string& name) const {
  const auto value = ToInt(Require(values_, name));
  if (!value) Bug(name, "is no whole number");
  return *value;
}
double Params::Real(const std::string& name) const {
  const auto value = ToReal(Require(values_, name));
  if (!value) Bug(name, "is no number");
  return *value;
}
bool Params::Bool(const std::string& name) const {
  const bool* value = Require(values_, name).AsBool();
  if (value == nullptr) Bug(name, "is neither true nor false");
  return *value;
}
const std::string& Params::String(const std::string& name) const {
  const std::string* value = Require(values_, name).AsString();
  if (value == nullptr) Bug(name, "is no text");
  return *value;
}

int64_t Params::IntOr(const std::string& name, int64_t otherwise) const {
  return Has(name) ? ToInt(values_.at(name)).value_or(otherwise) : otherwise;
}
double Params::RealOr(const std::string& name, double otherwise) const {
  return Has(name) ? ToReal(values_.at(name)).value_or(otherwise) : otherwise;
}
std::string Params::StringOr(const std::string& name, const std::string& otherwise) const {
  const std::string* value = Has(name) ? values_.at(name).AsString() : nullptr;
  return value != nullptr ? *value : otherwise;
}

absl::StatusOr<Params> ParamSchema::Resolve(const ValueMap& values,
                                            const std::string& context) const {
  std::vector<std::string> names;
  for (const ParamSpec& spec : specs_) names.push_back(spec.name);
  for (const auto& [key, value] : values) {
    if (std::ranges::find(names, key) != names.end()) continue;
    std::string text = "unknown parameter " + QuoteName(key);
    if (auto nearest = NearestName(key, names)) {
      text += ", did you mean '" + *nearest + "'?";
    } else {
      text += names.empty() ? ", it takes none" : ", it takes " + Join(names);
    }
    return Annotate(absl::InvalidArgumentError(text), context);
  }
  Params params;
  for (const ParamSpec& spec : specs_) {
    auto it = values.find(spec.name);
    if (it == values.end() || it->second.is_null()) {
      if (spec.required) {
        return Annotate(absl::InvalidArgumentError("'" + spec.name + "' is required"), context);
      }
      if (!spec.default_value.is_null()) params.values_[spec.name] = spec.default_value;
      continue;
    }
    auto checked = Check(spec, it->second);
    if (!checked.ok()) return Annotate(checked.status(), context);
    params.values_[spec.name] = *std::move(checked);
  }
  return params;
}

}  // namespace skein
