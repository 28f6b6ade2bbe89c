#ifndef SKEIN_STRATEGY_PARAMS_H_
#define SKEIN_STRATEGY_PARAMS_H_

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/base/names.h"  // NearestName
#include "skein/base/value.h"

namespace skein {

// A part of a strategy as the user wrote it: a name, or {name: ..., its parameters}.
struct PartSpec {
  std::string name;
  ValueMap params;
  friend bool operator==(const PartSpec&, const PartSpec&) = default;
};

// Round policies by tier of the aggregating node.
using TierPolicies = std::map<int, PartSpec>;

// Checked parameters: every declared one is present (or absent if optional without default), has
// its declared type and lies in its range. Asking for an undeclared name or another type is a bug
// in the part and aborts.
class Params {
 public:
  Params() = default;
  // Unchecked values, of a learner that was registered without a schema.
  explicit Params(ValueMap values) : values_(std::move(values)) {}

  bool Has(const std::string& name) const;
  int64_t Int(const std::string& name) const;  // a real with an integral value passes
  double Real(const std::string& name) const;  // an integer passes
  bool Bool(const std::string& name) const;
  const std::string& String(const std::string& name) const;
  // The same, or `otherwise` if the parameter is absent or of another type.
  int64_t IntOr(const std::string& name, int64_t otherwise) const;
  double RealOr(const std::string& name, double otherwise) const;
  std::string StringOr(const std::string& name, const std::string& otherwise) const;
  const ValueMap& values() const { return values_; }

 private:
  friend class ParamSchema;
  ValueMap values_;
};

// One parameter. Ranges are inclusive. A path is a string; in a run spec it is relative to the
// spec's directory, and absolute once the spec is resolved.
struct ParamSpec {
  enum class Type { kInt, kReal, kBool, kString, kPath };
  std::string name;
  Type type = Type::kReal;
  Value default_value;  // null: optional without default, unless `required`
  bool required = false;
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices;  // for strings; empty: any
  std::string doc;                   // one line, with the unit
};

// The parameters that a part takes. Travels nowhere: both ends have the part.
class ParamSchema {
 public:
  ParamSchema() = default;
  explicit ParamSchema(std::vector<ParamSpec> specs) : specs_(std::move(specs)) {}

  const std::vector<ParamSpec>& specs() const { return specs_; }

  // Checks and fills in defaults. An integer is accepted where a real is due. InvalidArgument, with
  // `context` ("policy 'quorum'") first: unknown key (with the nearest known one), wrong type, out
  // of range, not among the choices, required but missing.
  absl::StatusOr<Params> Resolve(const ValueMap& values, const std::string& context) const;

 private:
  std::vector<ParamSpec> specs_;
};

}  // namespace skein

#endif  // SKEIN_STRATEGY_PARAMS_H_
