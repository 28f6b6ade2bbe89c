#ifndef SKEIN_TESTS_UNIT_FEDERATION_TEMP_DIR_H_
#define SKEIN_TESTS_UNIT_FEDERATION_TEMP_DIR_H_

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

namespace skein {

// A fresh directory that goes with the test.
class TempDir {
 public:
  TempDir() : path_(::testing::TempDir() + "skein_XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~TempDir() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return path_ + '/' + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void WriteAll(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

}  // namespace skein

#endif  // SKEIN_TESTS_UNIT_FEDERATION_TEMP_DIR_H_
