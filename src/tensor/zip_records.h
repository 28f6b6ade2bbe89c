#ifndef SKEIN_SRC_TENSOR_ZIP_RECORDS_H_
#define SKEIN_SRC_TENSOR_ZIP_RECORDS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include <absl/status/statusor.h>

namespace skein {

// The records of a zip archive, which is what a PyTorch file is: stored as they are, as PyTorch
// writes them, or deflated, as other tools do. Files come from anywhere: records lie within the
// file and apart from each other, and no file unfolds to more than kMaxGrowth times its size. Reads
// and checks; InvalidArgument says what is wrong, without a path. Any thread.
class ZipRecords {
 public:
  static constexpr uint64_t kMaxGrowth = 100;
  static constexpr uint64_t kAlwaysUnfolded = uint64_t{16} << 20;  // of a small file, too

  // `file` outlives the result.
  static absl::StatusOr<ZipRecords> Read(std::span<const std::byte> file);

  // Names are without the directory that all records are in.
  bool Has(const std::string& name) const { return records_.count(name) > 0; }
  struct Bytes {
    std::shared_ptr<std::byte[]> data;  // never null
    size_t size = 0;
  };
  // NotFound; ResourceExhausted if there is no memory for it.
  absl::StatusOr<Bytes> Get(const std::string& name) const;

 private:
  struct Record {
    std::span<const std::byte> packed;
    uint64_t size = 0;  // of what it unfolds to
    uint32_t crc = 0;
    bool deflated = false;
  };

  std::map<std::string, Record> records_;
};

}  // namespace skein

#endif  // SKEIN_SRC_TENSOR_ZIP_RECORDS_H_
