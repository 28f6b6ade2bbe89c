#include "tensor/file_descriptor.h"

#include <cerrno>
#include <system_error>

namespace skein {

absl::Status SystemError(const std::string& path, const char* action) {
  const int error = errno;
  const std::string message =
      path + ": cannot " + action + ": " + std::generic_category().message(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(message);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return absl::ResourceExhaustedError(message);
    default:
      return absl::UnavailableError(message);
  }
}

}  // namespace skein
