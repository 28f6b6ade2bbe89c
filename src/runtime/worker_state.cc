#include "runtime/worker_state.h"

#include <cctype>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "skein/base/status.h"
#include "skein/tensor/safetensors.h"
#include "tensor/new_file.h"

namespace skein {

WorkerState::WorkerState(std::string path) : path_(std::move(path)) {}

std::string WorkerState::PathOf(uint64_t seq) const {
  return path_ + ".staged-" + std::to_string(seq);
}

absl::StatusOr<PackedTensors> WorkerState::Before(uint64_t seq) const {
  const std::lock_guard lock(mutex_);
  auto later = staged_.lower_bound(seq);
  if (later != staged_.begin()) {
    const auto& [number, tensors] = *std::prev(later);
    if (path_.empty()) return tensors;
    return ReadSafetensors(PathOf(number));
  }
  if (path_.empty()) return counted_;
  auto counted = ReadSafetensors(path_);
  if (absl::IsNotFound(counted.status())) return PackedTensors();
  return counted;
}

absl::Status WorkerState::MakeRoom() {
  if (std::exchange(has_room_, true)) return absl::OkStatus();
  const std::filesystem::path path(path_);
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) return absl::UnavailableError(path.parent_path().string() + ": " + error.message());
  const std::string prefix = path.filename().string() + ".staged-";
  for (const auto& entry : std::filesystem::directory_iterator(path.parent_path(), error)) {
    const std::string name = entry.path().filename().string();
    std::error_code ignored;
    if (name.starts_with(prefix)) std::filesystem::remove(entry.path(), ignored);
  }
  return absl::OkStatus();
}

absl::Status WorkerState::Stage(uint64_t seq, const PackedTensors& state) {
  const std::lock_guard lock(mutex_);
  if (path_.empty()) {
    staged_[seq] = state;
    return absl::OkStatus();
  }
  SKEIN_RETURN_IF_ERROR(MakeRoom());
  SKEIN_RETURN_IF_ERROR(WriteSafetensors(state, PathOf(seq)));
  staged_[seq] = {};
  return absl::OkStatus();
}

absl::Status WorkerState::Settle(uint64_t seq, bool counts) {
  const std::lock_guard lock(mutex_);
  const auto found = staged_.find(seq);
  if (found == staged_.end()) return absl::OkStatus();
  absl::Status status;
  if (counts && path_.empty()) counted_ = std::move(found->second);
  if (counts && !path_.empty()) status = ReplaceFile(PathOf(seq), path_);
  // What counts has taken in what was staged before.
  const auto first = counts ? staged_.begin() : found;
  for (auto it = first; !path_.empty() && it != std::next(found); ++it) {
    std::error_code ignored;
    std::filesystem::remove(PathOf(it->first), ignored);
  }
  staged_.erase(first, std::next(found));
  return status;
}

std::string WorkerStatePath(const std::string& directory, const std::string& run,
                            const std::string& node) {
  if (directory.empty()) return "";
  std::string name;
  for (const char c : node) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ||
        (c == '.' && !name.empty())) {
      name += c;
      continue;
    }
    char text[4];
    std::snprintf(text, sizeof(text), "%%%02X", static_cast<unsigned char>(c));
    name += text;
  }
  return directory + "/" + run + "/" + name + ".safetensors";
}

}  // namespace skein
