#ifndef SKEIN_BASE_STATUS_H_
#define SKEIN_BASE_STATUS_H_

#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

namespace skein {

// `status` with "context: " put before its message; OK stays OK. Used to name the node, round,
// tensor or file where an error passes through.
absl::Status Annotate(const absl::Status& status, const std::string& context);

// The message alone, as std::string (absl's own string_view may not be std's).
std::string Message(const absl::Status& status);

}  // namespace skein

#define SKEIN_CONCAT_INNER_(a, b) a##b
#define SKEIN_CONCAT_(a, b) SKEIN_CONCAT_INNER_(a, b)

// Returns from the function if `expr` is not OK.
#define SKEIN_RETURN_IF_ERROR(expr)                \
  do {                                             \
    ::absl::Status skein_status_ = (expr);         \
    if (!skein_status_.ok()) return skein_status_; \
  } while (false)

// SKEIN_ASSIGN_OR_RETURN(auto x, MaybeX()): the value, or returns the error.
#define SKEIN_ASSIGN_OR_RETURN(lhs, expr) \
  SKEIN_ASSIGN_OR_RETURN_IMPL_(SKEIN_CONCAT_(skein_statusor_, __LINE__), lhs, expr)
#define SKEIN_ASSIGN_OR_RETURN_IMPL_(tmp, lhs, expr) \
  auto tmp = (expr);                                 \
  if (!tmp.ok()) return std::move(tmp).status();     \
  lhs = *std::move(tmp)

#endif  // SKEIN_BASE_STATUS_H_
