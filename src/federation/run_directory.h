#ifndef SKEIN_SRC_FEDERATION_RUN_DIRECTORY_H_
#define SKEIN_SRC_FEDERATION_RUN_DIRECTORY_H_

#include <string>

#include <absl/status/status.h>

namespace skein {

// Whether a run directory can be made there, so far as can be told without making anything.
// AlreadyExists, with the remedy, if there is something at `path`.
absl::Status CheckRunDirectory(const std::string& path);

// Makes a run's directory and its parents. AlreadyExists as above, Unavailable with the system's
// reason.
absl::Status CreateRunDirectory(const std::string& path);

// Writes a file that readers see whole or not at all. Unavailable with the system's reason.
absl::Status WriteFileAtomically(const std::string& path, const std::string& content);

// The same, unless something is there that is no plain file, such as a device, a pipe or a link:
// that gets the content, and stays what it is.
absl::Status WriteOut(const std::string& path, const std::string& content);

}  // namespace skein

#endif  // SKEIN_SRC_FEDERATION_RUN_DIRECTORY_H_
