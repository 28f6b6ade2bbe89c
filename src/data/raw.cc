#include "skein/data/raw.h"

#include <memory>
#include <utility>

#include "skein/base/status.h"
#include "tensor/mapped_file.h"

namespace skein {

absl::StatusOr<PackedTensors> ReadRaw(const std::string& path, DType dtype,
                                      std::vector<int64_t> shape) {
  SKEIN_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file, MappedFile::Open(path));
  const uint64_t bytes = file->bytes().size();
  const bool open = !shape.empty() && shape[0] == -1;
  if (open) shape[0] = 1;
  // Of one row if their number is open; a Manifest has sizes that do not overflow.
  absl::StatusOr<Manifest> manifest = Manifest::Create({{"data", dtype, shape}});
  if (!manifest.ok()) return Annotate(manifest.status(), path);
  const uint64_t expected = manifest->total_bytes();
  if (open && expected > 0 && bytes > 0 && bytes % expected == 0) {
    shape[0] = static_cast<int64_t>(bytes / expected);
    manifest = Manifest::Create({{"data", dtype, shape}});
    if (!manifest.ok()) return Annotate(manifest.status(), path);
  } else if (open || bytes != expected) {
    return absl::InvalidArgumentError(path + ": has " + std::to_string(bytes) + " bytes, " +
                                      (open ? "which is no whole number of rows of " : "not the ") +
                                      std::to_string(expected) + " of " + ToString((*manifest)[0]) +
                                      "; is the type or shape another?");
  }
  return PackedTensors(*std::move(manifest), file->bytes(), file);
}

}  // namespace skein
