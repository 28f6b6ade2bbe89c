#ifndef SKEIN_BASE_NAMES_H_
#define SKEIN_BASE_NAMES_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>

namespace skein {

// Names that people write, and how messages speak of them.

// The candidate nearest to `word` by edit distance (swapped neighbors count once, case does not),
// if it is near enough to be a likely typo.
std::optional<std::string> NearestName(const std::string& word,
                                       const std::vector<std::string>& candidates);

// The end of a message about an unknown name: "; did you mean 'quorum'?", or "; known: all, quorum"
// where nothing is near.
std::string Suggestion(const std::string& word, const std::vector<std::string>& candidates);

// 'text' for a message of one line: control characters escaped, a long text cut.
std::string QuoteName(std::string_view text);

// Whether `name` can name a node or a run, which also become names of files: 1 to 128 bytes of
// UTF-8 without white space, control characters, '/' and '\', and neither "." nor "..".
// InvalidArgument says what is wrong, to be put after the name.
absl::Status CheckName(const std::string& name);
inline constexpr size_t kMaxNameBytes = 128;

// The length of the longest prefix of `text` that is valid UTF-8.
size_t Utf8PrefixLength(std::string_view text);

}  // namespace skein

#endif  // SKEIN_BASE_NAMES_H_
