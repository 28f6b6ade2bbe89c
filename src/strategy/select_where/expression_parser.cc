// Expression::Parse: recursive descent over tokens.
#include <cctype>
#include <charconv>
#include <cmath>
#include <utility>

#include "skein/base/names.h"
#include "skein/base/status.h"
#include "strategy/select_where/expression.h"

namespace skein {
namespace {

using Term = Expression::Term;

struct Token {
  enum class Kind : uint8_t { kEnd, kWord, kText, kNumber, kSign };
  Kind kind = Kind::kEnd;
  std::string_view source;
  size_t column = 1;
  Value value;  // of kText and kNumber

  bool Is(std::string_view what) const {
    return (kind == Kind::kWord || kind == Kind::kSign) && source == what;
  }
};

absl::Status At(size_t column, const std::string& what) {
  return absl::InvalidArgumentError("column " + std::to_string(column) + ": " + what);
}

bool BeginsWord(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool InWord(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-';
}
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  absl::StatusOr<Token> Next() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
    Token token{.column = at_ + 1};
    if (at_ == text_.size()) return token;
    const char c = text_[at_];
    if (c == '"' || c == '\'') return Text(std::move(token));
    if (BeginsWord(c)) {
      token.kind = Token::Kind::kWord;
      while (at_ < text_.size() && InWord(text_[at_])) ++at_;
    } else if (IsDigit(c) || c == '-' || c == '+' || c == '.') {
      return Number(std::move(token));
    } else {
      token.kind = Token::Kind::kSign;
      const std::string_view two = text_.substr(at_, 2);
      const bool pair = two == "==" || two == "!=" || two == "<=" || two == ">=";
      if (!pair && std::string_view("<>()[],").find(c) == std::string_view::npos) {
        return At(token.column, c == '=' ? "'=' compares nothing; use '=='"
                                         : "unexpected " + QuoteName(std::string(1, c)));
      }
      at_ += pair ? 2 : 1;
    }
    token.source = text_.substr(token.column - 1, at_ + 1 - token.column);
    return token;
  }

 private:
  absl::StatusOr<Token> Text(Token token) {
    const char quote = text_[at_++];
    std::string content;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;  // what follows, as it is
      content += text_[at_++];
    }
    if (at_ == text_.size()) return At(token.column, "the text that begins here does not end");
    ++at_;
    token.kind = Token::Kind::kText;
    token.source = text_.substr(token.column - 1, at_ + 1 - token.column);
    token.value = std::move(content);
    return token;
  }

  absl::StatusOr<Token> Number(Token token) {
    const size_t begin = at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const bool after_exponent = at_ > begin && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E');
      const bool sign = (c == '-' || c == '+') && (at_ == begin || after_exponent);
      if (!sign && c != '.' && std::isalnum(static_cast<unsigned char>(c)) == 0) break;
      ++at_;
    }
    token.kind = Token::Kind::kNumber;
    token.source = text_.substr(begin, at_ - begin);
    std::string_view digits = token.source;
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const char* last = digits.data() + digits.size();
    int64_t whole = 0;
    double real = 0;
    const auto as_whole = std::from_chars(digits.data(), last, whole);
    if (as_whole.ec == std::errc() && as_whole.ptr == last) {
      token.value = whole;
      return token;
    }
    const auto as_real = std::from_chars(digits.data(), last, real);
    if (as_real.ec != std::errc() || as_real.ptr != last || !std::isfinite(real)) {
      return At(token.column, QuoteName(std::string(token.source)) + " is no number");
    }
    token.value = real;
    return token;
  }

  const std::string_view text_;
  size_t at_ = 0;
};

bool IsReserved(const Token& token) {
  for (const char* word : {"and", "or", "not", "has", "true", "false"}) {
    if (token.Is(word)) return true;
  }
  return false;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  absl::StatusOr<Term> All() {
    SKEIN_RETURN_IF_ERROR(Step());
    if (token_.kind == Token::Kind::kEnd) return At(1, "the expression is empty");
    SKEIN_ASSIGN_OR_RETURN(Term term, Any());
    if (token_.kind != Token::Kind::kEnd) return Unexpected("'and', 'or' or the end");
    return term;
  }

 private:
  absl::Status Step() {
    SKEIN_ASSIGN_OR_RETURN(token_, lexer_.Next());
    return absl::OkStatus();
  }

  absl::Status Unexpected(const std::string& expected) const {
    const std::string got =
        token_.kind == Token::Kind::kEnd ? "the end" : QuoteName(std::string(token_.source));
    return At(token_.column, "expected " + expected + ", got " + got);
  }

  // What is joined by one word; one alone is itself.
  template <typename Inner>
  absl::StatusOr<Term> Joined(const char* word, Term::Kind kind, Inner inner) {
    SKEIN_ASSIGN_OR_RETURN(Term first, inner());
    if (!token_.Is(word)) return first;
    Term joined{.kind = kind};
    joined.terms.push_back(std::move(first));
    while (token_.Is(word)) {
      SKEIN_RETURN_IF_ERROR(Step());
      SKEIN_ASSIGN_OR_RETURN(Term next, inner());
      joined.terms.push_back(std::move(next));
    }
    return joined;
  }
  absl::StatusOr<Term> Any() {
    return Joined("or", Term::Kind::kAny, [this] { return Every(); });
  }
  absl::StatusOr<Term> Every() {
    return Joined("and", Term::Kind::kAll, [this] { return One(); });
  }

  absl::StatusOr<Term> One() {
    const bool negated = token_.Is("not");
    if (!negated && !token_.Is("(")) return Test();
    if (++depth_ > Expression::kMaxDepth) {
      return At(token_.column, "it nests deeper than " + std::to_string(Expression::kMaxDepth));
    }
    const size_t opened = token_.column;
    SKEIN_RETURN_IF_ERROR(Step());
    SKEIN_ASSIGN_OR_RETURN(Term inner, negated ? One() : Any());
    --depth_;
    if (!negated) {
      if (!token_.Is(")")) {
        return Unexpected("')' for the '(' of column " + std::to_string(opened));
      }
      SKEIN_RETURN_IF_ERROR(Step());
      return inner;
    }
    Term term{.kind = Term::Kind::kNot};
    term.terms.push_back(std::move(inner));
    return term;
  }

  absl::StatusOr<Term> Test() {
    if (token_.kind != Token::Kind::kWord || IsReserved(token_)) {
      return Unexpected("the name of an attribute, 'not' or '('");
    }
    Term term{.kind = Term::Kind::kIsTrue};
    term.name = std::string(token_.source);
    SKEIN_RETURN_IF_ERROR(Step());
    static constexpr std::pair<const char*, Term::Op> kOps[] = {
        {"==", Term::Op::kEqual},  {"!=", Term::Op::kUnequal}, {"<", Term::Op::kLess},
        {"<=", Term::Op::kAtMost}, {">", Term::Op::kGreater},  {">=", Term::Op::kAtLeast}};
    for (const auto& [sign, op] : kOps) {
      if (!token_.Is(sign)) continue;
      term.kind = Term::Kind::kCompare;
      term.op = op;
      SKEIN_RETURN_IF_ERROR(Step());
      SKEIN_RETURN_IF_ERROR(AddValue(term));
      return term;
    }
    if (!token_.Is("has")) return term;
    term.kind = Term::Kind::kHas;
    SKEIN_RETURN_IF_ERROR(Step());
    if (!token_.Is("[")) {
      SKEIN_RETURN_IF_ERROR(AddValue(term));
      return term;
    }
    do {
      SKEIN_RETURN_IF_ERROR(Step());
      SKEIN_RETURN_IF_ERROR(AddValue(term));
    } while (token_.Is(","));
    if (!token_.Is("]")) return Unexpected("',' or ']'");
    SKEIN_RETURN_IF_ERROR(Step());
    return term;
  }

  absl::Status AddValue(Term& term) {
    if (token_.Is("true") || token_.Is("false")) {
      term.values.emplace_back(token_.Is("true"));
    } else if (token_.kind == Token::Kind::kWord && !IsReserved(token_)) {
      term.values.emplace_back(std::string(token_.source));
    } else if (token_.kind == Token::Kind::kText || token_.kind == Token::Kind::kNumber) {
      term.values.push_back(token_.value);
    } else {
      return Unexpected("a value");
    }
    return Step();
  }

  Lexer lexer_;
  Token token_;
  int depth_ = 0;
};

}  // namespace

absl::StatusOr<Expression> Expression::Parse(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return At(kMaxBytes + 1, "an expression has at most " + std::to_string(kMaxBytes) + " bytes");
  }
  SKEIN_ASSIGN_OR_RETURN(Term root, Parser(text).All());
  return Expression(std::move(root));
}

}  // namespace skein
