#include "skein/observe/json_lines.h"

#include <cerrno>
#include <cstring>

namespace skein {

absl::StatusOr<std::unique_ptr<JsonLinesSink>> JsonLinesSink::Create(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "wxe");  // x: never over an existing file
  if (file == nullptr) {
    const int error = errno;
    const std::string message = "cannot create " + path + ": " + std::strerror(error);
    if (error == EEXIST) return absl::AlreadyExistsError(message);
    return absl::UnavailableError(message);
  }
  return std::unique_ptr<JsonLinesSink>(new JsonLinesSink(path, file));
}

void JsonLinesSink::OnEvent(const Event& event) {
  if (!status_.ok()) return;
  const std::string line = ToJsonLine(event) + '\n';
  if (std::fwrite(line.data(), 1, line.size(), file_.get()) != line.size() ||
      std::fflush(file_.get()) != 0) {
    status_ = absl::UnavailableError("cannot write " + path_ + ": " + std::strerror(errno));
  }
}

}  // namespace skein
