#ifndef SKEIN_OBSERVE_JSON_LINES_H_
#define SKEIN_OBSERVE_JSON_LINES_H_

#include <cstdio>
#include <memory>
#include <string>

#include <absl/status/statusor.h>

#include "skein/observe/event.h"

namespace skein {

// Writes events to a file, one JSON object a line, flushed after each, so that whatever happens to
// the process the file holds what was decided before. Not thread-safe: one executor at a time.
class JsonLinesSink : public EventSink {
 public:
  // Creates the file. AlreadyExists if there is one; Unavailable with the system's reason.
  static absl::StatusOr<std::unique_ptr<JsonLinesSink>> Create(const std::string& path);

  void OnEvent(const Event& event) override;

  // The first write that failed (Unavailable); nothing is written after it.
  const absl::Status& status() const { return status_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  JsonLinesSink(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}

  const std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  absl::Status status_;
};

}  // namespace skein

#endif  // SKEIN_OBSERVE_JSON_LINES_H_
