#include "skein/testing/run_store_conformance.h"

#include <unistd.h>

#include <filesystem>

namespace skein::testing {
namespace {

// A directory of this process, gone at its end.
class ScratchDirectory : public ::testing::Environment {
 public:
  static std::filesystem::path Path() {
    return std::filesystem::path(::testing::TempDir()) /
           ("skein-run-store-" + std::to_string(getpid()));
  }
  void SetUp() override { std::filesystem::create_directories(Path()); }
  void TearDown() override { std::filesystem::remove_all(Path()); }
};

const auto* const kScratch = ::testing::AddGlobalTestEnvironment(new ScratchDirectory);

INSTANTIATE_TEST_SUITE_P(
    Sqlite, RunStoreConformance,
    ::testing::Values(RunStoreCase{"File",
                                   [](const std::string& id) {
                                     return OpenSqliteStore(ScratchDirectory::Path() /
                                                            (id + ".db"));
                                   }},
                      RunStoreCase{"Memory",
                                   [](const std::string&) { return OpenSqliteStore(":memory:"); },
                                   /*persistent=*/false}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace skein::testing
