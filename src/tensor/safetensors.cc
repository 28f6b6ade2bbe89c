#include "skein/tensor/safetensors.h"

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "skein/base/status.h"
#include "skein/base/value.h"
#include "tensor/mapped_file.h"
#include "tensor/new_file.h"
#include "tensor/safetensors_header.h"

namespace skein {
namespace {

constexpr uint64_t kLengthBytes = 8;

}  // namespace

std::string SafetensorsHeader(const Manifest& manifest) {
  std::string json = "{";
  for (size_t i = 0; i < manifest.size(); ++i) {
    const TensorInfo& info = manifest[i];
    if (i > 0) json += ',';
    json += JsonQuote(info.name) + ":{\"dtype\":\"" + NameOf(info.dtype) + "\",\"shape\":[";
    for (size_t d = 0; d < info.shape.size(); ++d) {
      if (d > 0) json += ',';
      json += std::to_string(info.shape[d]);
    }
    json += "],\"data_offsets\":[" + std::to_string(manifest.offset(i)) + ',' +
            std::to_string(manifest.offset(i) + info.NumBytes()) + "]}";
  }
  json += '}';
  json.append((kLengthBytes - json.size() % kLengthBytes) % kLengthBytes, ' ');
  const uint64_t length = json.size();
  std::string header(kLengthBytes, '\0');
  std::memcpy(header.data(), &length, kLengthBytes);  // little-endian, as asserted elsewhere
  return header + json;
}

absl::Status WriteSafetensors(const PackedTensors& tensors, const std::string& path) {
  const std::string header = SafetensorsHeader(tensors.manifest());
  if (header.size() - kLengthBytes > kMaxSafetensorsHeaderBytes) {
    return absl::ResourceExhaustedError(path + ": the names need a header of " +
                                        std::to_string(header.size()) + " bytes, the format " +
                                        "allows " + std::to_string(kMaxSafetensorsHeaderBytes));
  }
  SKEIN_ASSIGN_OR_RETURN(const std::unique_ptr<NewFile> file,
                         NewFile::Create(path, header.size() + tensors.bytes().size()));
  SKEIN_RETURN_IF_ERROR(file->Append(std::as_bytes(std::span(header))));
  SKEIN_RETURN_IF_ERROR(file->Append(tensors.bytes()));
  return file->Commit();
}

absl::StatusOr<PackedTensors> ReadSafetensors(const std::string& path) {
  SKEIN_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> mapping, MappedFile::Open(path));
  const std::span<const std::byte> file = mapping->bytes();
  if (file.size() < kLengthBytes) {
    return absl::InvalidArgumentError(path + ": not a safetensors file: only " +
                                      std::to_string(file.size()) + " bytes");
  }
  uint64_t length = 0;
  std::memcpy(&length, file.data(), kLengthBytes);
  if (length > kMaxSafetensorsHeaderBytes) {
    return absl::InvalidArgumentError(path + ": not a safetensors file: header of " +
                                      std::to_string(length) + " bytes");
  }
  if (length > file.size() - kLengthBytes) {
    return absl::InvalidArgumentError(path + ": truncated in the header, " +
                                      std::to_string(length) + " bytes long");
  }
  const std::string_view json(reinterpret_cast<const char*>(file.data()) + kLengthBytes, length);
  const std::span<const std::byte> data = file.subspan(kLengthBytes + length);
  absl::StatusOr<Manifest> manifest = ParseSafetensorsHeader(json, data.size());
  if (!manifest.ok()) return Annotate(manifest.status(), path);
  return PackedTensors(*std::move(manifest), data, mapping);
}

}  // namespace skein
