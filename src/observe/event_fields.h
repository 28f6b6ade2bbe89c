#ifndef SKEIN_SRC_OBSERVE_EVENT_FIELDS_H_
#define SKEIN_SRC_OBSERVE_EVENT_FIELDS_H_

#include <map>
#include <optional>
#include <string>

#include "skein/base/value.h"

namespace skein {

// Readers of an event's fields. Numbers may be integers or reals: on the way from a node they pass
// through a format that knows reals alone. Absent or of another type: nothing.
std::optional<double> NumberField(const ValueMap& fields, const std::string& name);
uint64_t CountField(const ValueMap& fields, const std::string& name);  // else 0; negative: 0
std::string TextField(const ValueMap& fields, const std::string& name);
std::map<std::string, double> NumbersField(const ValueMap& fields, const std::string& name);

}  // namespace skein

#endif  // SKEIN_SRC_OBSERVE_EVENT_FIELDS_H_
