#ifndef SKEIN_SRC_APP_OPEN_FILES_H_
#define SKEIN_SRC_APP_OPEN_FILES_H_

#include <cstdint>
#include <string>

#include <absl/status/status.h>

namespace skein {

// Files that a process with so many connections may open, its own among them.
uint64_t FilesFor(uint64_t connections);

// Raises this process's limit on open files, which those that it starts inherit, as far as it may
// go. ResourceExhausted if that is less than `needed`; `what` says who needs them. Without enough
// of them, gRPC ends the process.
absl::Status AllowOpenFiles(uint64_t needed, const std::string& what);

}  // namespace skein

#endif  // SKEIN_SRC_APP_OPEN_FILES_H_
