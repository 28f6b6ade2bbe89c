#ifndef SKEIN_SRC_FEDERATION_RECORDED_RESULT_H_
#define SKEIN_SRC_FEDERATION_RECORDED_RESULT_H_

#include <cstdint>
#include <optional>
#include <string>

namespace skein {

// How a run ended, as result.json in its directory says.
struct RecordedResult {
  std::string status;
  std::string reason;
  uint64_t rounds = 0;
  std::string model_digest;
};

// Nothing if the file is not there, or is none of ours.
std::optional<RecordedResult> ReadResult(const std::string& directory);

}  // namespace skein

#endif  // SKEIN_SRC_FEDERATION_RECORDED_RESULT_H_
