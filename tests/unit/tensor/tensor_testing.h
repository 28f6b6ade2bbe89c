#ifndef SKEIN_TESTS_UNIT_TENSOR_TENSOR_TESTING_H_
#define SKEIN_TESTS_UNIT_TENSOR_TENSOR_TESTING_H_

#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "skein/base/random.h"
#include "skein/tensor/packed_tensors.h"

namespace skein {

// A directory of its own for one test, removed with all it holds.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "skein-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() { std::filesystem::remove_all(path_); }

  std::string File(const std::string& name) const { return (path_ / name).string(); }
  // Names of the files in it.
  std::vector<std::string> List() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

 private:
  std::filesystem::path path_;
};

inline std::string ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void WriteBytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string AsString(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline Manifest MustCreate(std::vector<TensorInfo> infos) {
  absl::StatusOr<Manifest> manifest = Manifest::Create(std::move(infos));
  if (!manifest.ok()) {
    ADD_FAILURE() << manifest.status();
    return Manifest();
  }
  return *std::move(manifest);
}

// Scalars, empty and narrow tensors (which leave their successors unaligned), every type.
inline Manifest RandomManifest(Rng& rng) {
  std::vector<TensorInfo> infos(rng.Below(12));
  for (size_t i = 0; i < infos.size(); ++i) {
    infos[i].name = "layer." + std::to_string(i) + (rng.Below(4) == 0 ? ".\"\\\n\u00fc" : "");
    infos[i].dtype = static_cast<DType>(1 + rng.Below(10));
    infos[i].shape.resize(rng.Below(4));
    for (int64_t& dim : infos[i].shape) dim = static_cast<int64_t>(rng.Below(9));
  }
  return MustCreate(std::move(infos));
}

inline PackedTensors RandomTensors(Manifest manifest, Rng& rng) {
  PackedTensors tensors(std::move(manifest));
  for (std::byte& b : tensors.mutable_bytes()) b = static_cast<std::byte>(rng.Below(256));
  return tensors;
}

}  // namespace skein

#endif  // SKEIN_TESTS_UNIT_TENSOR_TENSOR_TESTING_H_
