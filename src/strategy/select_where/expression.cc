#include "strategy/select_where/expression.h"

#include <algorithm>
#include <compare>
#include <optional>

namespace skein {
namespace {

using Term = Expression::Term;

std::optional<double> Number(const Value& value) {
  if (const int64_t* v = value.AsInt()) return static_cast<double>(*v);
  if (const double* v = value.AsDouble()) return *v;
  return std::nullopt;
}

// Unordered: not of one kind, or not of a kind that is ordered.
std::partial_ordering Order(const Value& a, const Value& b) {
  if (a.AsInt() != nullptr && b.AsInt() != nullptr) return *a.AsInt() <=> *b.AsInt();
  const auto x = Number(a);
  const auto y = Number(b);
  if (x && y) return *x <=> *y;
  if (a.AsString() != nullptr && b.AsString() != nullptr) return *a.AsString() <=> *b.AsString();
  if (a.AsBool() != nullptr && b.AsBool() != nullptr && *a.AsBool() == *b.AsBool()) {
    return std::partial_ordering::equivalent;
  }
  return std::partial_ordering::unordered;
}

bool Equal(const Value& a, const Value& b) { return Order(a, b) == 0; }

bool Compare(const Value& a, Term::Op op, const Value& b) {
  const std::partial_ordering order = Order(a, b);
  switch (op) {
    case Term::Op::kEqual:
      return order == 0;
    case Term::Op::kUnequal:
      return order != 0;
    case Term::Op::kLess:
      return order < 0;
    case Term::Op::kAtMost:
      return order <= 0;
    case Term::Op::kGreater:
      return order > 0;
    case Term::Op::kAtLeast:
      return order >= 0;
  }
  return false;
}

bool Has(const Value& all, const Value& one) {
  if (const ValueList* list = all.AsList()) {
    return std::ranges::any_of(*list, [&](const Value& item) { return Equal(item, one); });
  }
  if (const ValueMap* map = all.AsMap()) {
    const std::string* key = one.AsString();
    const auto found = key != nullptr ? map->find(*key) : map->end();
    if (found == map->end() || found->second.is_null()) return false;
    return found->second.AsBool() == nullptr || *found->second.AsBool();
  }
  return Equal(all, one);
}

void AddNames(const Term& term, std::vector<std::string>& names) {
  if (!term.name.empty() && std::ranges::find(names, term.name) == names.end()) {
    names.push_back(term.name);
  }
  for (const Term& inner : term.terms) AddNames(inner, names);
}

}  // namespace

bool Expression::Term::Holds(const Lookup& find) const {
  const auto holds = [&](const Term& term) { return term.Holds(find); };
  switch (kind) {
    case Kind::kAny:
      return std::ranges::any_of(terms, holds);
    case Kind::kAll:
      return std::ranges::all_of(terms, holds);
    case Kind::kNot:
      return !terms.front().Holds(find);
    default:
      break;
  }
  const Value* value = find(name);
  if (value == nullptr || value->is_null()) return false;
  if (kind == Kind::kIsTrue) return value->AsBool() != nullptr && *value->AsBool();
  if (kind == Kind::kCompare) return Compare(*value, op, values.front());
  return std::ranges::all_of(values, [&](const Value& one) { return Has(*value, one); });
}

std::vector<std::string> Expression::Names() const {
  std::vector<std::string> names;
  AddNames(root_, names);
  return names;
}

}  // namespace skein
