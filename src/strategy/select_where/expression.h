#ifndef SKEIN_SRC_STRATEGY_SELECT_WHERE_EXPRESSION_H_
#define SKEIN_SRC_STRATEGY_SELECT_WHERE_EXPRESSION_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/base/value.h"

namespace skein {

// A condition on named attributes, such as
//
//   region == "eu" and (device has gpu or cores >= 16) and not metered
//
//   any     = all {"or" all}
//   all     = one {"and" one}
//   one     = "not" one | "(" any ")" | name [test]
//   test    = ("==" | "!=" | "<" | "<=" | ">" | ">=") value
//           | "has" (value | "[" value {"," value} "]")
//   value   = "text" | 'text' | number | "true" | "false" | word
//
// A name alone holds if the attribute is true. `has` holds for a list with all of the values, a map
// with them as keys that are not false, and a single value that is the one. What is compared with
// an attribute that there is not never holds; values of different kinds are unequal and in no
// order. A value type; parsing and evaluation are pure.
class Expression {
 public:
  // InvalidArgument "column 7: ..." on what is wrong. Columns count bytes from 1.
  static absl::StatusOr<Expression> Parse(std::string_view text);

  // Attributes by name; null: there is none.
  using Lookup = std::function<const Value*(const std::string& name)>;
  bool Holds(const Lookup& find) const { return root_.Holds(find); }

  // Attributes that it asks for, each once, in order.
  std::vector<std::string> Names() const;

  static constexpr size_t kMaxBytes = 4096;
  static constexpr int kMaxDepth = 64;  // of parentheses and negations

  // One node of the tree that it is.
  struct Term {
    enum class Kind : uint8_t { kAny, kAll, kNot, kIsTrue, kCompare, kHas };
    enum class Op : uint8_t { kEqual, kUnequal, kLess, kAtMost, kGreater, kAtLeast };
    Kind kind = Kind::kAll;
    std::vector<Term> terms;  // of kAny, kAll and kNot
    std::string name;         // of the others
    Op op = Op::kEqual;       // of kCompare
    ValueList values;         // of kCompare, one, and kHas

    bool Holds(const Lookup& find) const;
  };

 private:
  explicit Expression(Term root) : root_(std::move(root)) {}

  Term root_;
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_SELECT_WHERE_EXPRESSION_H_
