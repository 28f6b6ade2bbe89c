#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "control/sqlite/schema.h"
#include "skein/base/status.h"
#include "skein/control/run_store.h"

namespace skein {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class SqliteStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    directory_ = std::filesystem::path(::testing::TempDir()) /
                 ("skein-store-" + name + "-" + std::to_string(getpid()));
    std::filesystem::create_directories(directory_);
    file_ = (directory_ / "run.db").string();
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void Write(const std::string& text) { std::ofstream(file_, std::ios::binary) << text; }

  // OpenSqliteStore must fail with this code, and name the file.
  std::string Refusal(const std::string& path, absl::StatusCode code) {
    const auto store = OpenSqliteStore(path);
    EXPECT_EQ(store.status().code(), code) << store.status();
    EXPECT_THAT(Message(store.status()), HasSubstr("'" + path + "'"));
    return Message(store.status());
  }

  std::filesystem::path directory_;
  std::string file_;
};

TEST_F(SqliteStoreTest, RefusesANewerSchema) {
  ASSERT_TRUE(OpenSqliteStore(file_).ok());
  auto db = sqlite::Database::Open(file_).value();
  ASSERT_TRUE(db->Execute("PRAGMA user_version = 99").ok());
  db.reset();
  EXPECT_THAT(Refusal(file_, absl::StatusCode::kFailedPrecondition), HasSubstr("newer release"));
}

TEST_F(SqliteStoreTest, RefusesTheDatabaseOfAnotherProgram) {
  auto db = sqlite::Database::Open(file_).value();
  ASSERT_TRUE(db->Execute("CREATE TABLE bookmarks (url TEXT)").ok());
  db.reset();
  EXPECT_THAT(Refusal(file_, absl::StatusCode::kFailedPrecondition), HasSubstr("another program"));
}

TEST_F(SqliteStoreTest, RefusesAFileThatIsNoDatabase) {
  Write(std::string(8192, 'x'));
  Refusal(file_, absl::StatusCode::kDataLoss);
}

TEST_F(SqliteStoreTest, TellsADamagedDatabase) {
  {
    auto store = OpenSqliteStore(file_).value();
    ASSERT_TRUE(store->PutRun({"r", std::string(100'000, 's'), "", "running", ""}).ok());
  }
  const auto size = std::filesystem::file_size(file_);
  {
    std::fstream damage(file_, std::ios::in | std::ios::out | std::ios::binary);
    damage.seekp(4096);  // everything but the first page, which names the format
    damage << std::string(size - 4096, '\x5a');
  }
  auto store = OpenSqliteStore(file_);
  const absl::Status status = store.ok() ? (*store)->GetRun("r").status() : store.status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_THAT(Message(status), HasSubstr(file_));
}

// And not only when somebody asks for what was there.
TEST_F(SqliteStoreTest, RefusesAFileWithADamagedPage) {
  ASSERT_TRUE(OpenSqliteStore(file_).ok());
  const auto pages = std::filesystem::file_size(file_) / 4096;
  ASSERT_GT(pages, 3u);
  {
    std::fstream damage(file_, std::ios::in | std::ios::out | std::ios::binary);
    damage.seekp(static_cast<std::streamoff>((pages - 1) * 4096));
    damage << std::string(4096, '\x5a');
  }
  EXPECT_THAT(
      Refusal(file_, absl::StatusCode::kDataLoss),
      AllOf(HasSubstr("is damaged: "), HasSubstr("move it away"), testing::Not(HasSubstr("\n"))));
}

TEST_F(SqliteStoreTest, TellsWhatCannotBeOpened) {
  Refusal((directory_ / "missing" / "run.db").string(), absl::StatusCode::kUnavailable);
  Refusal(directory_.string(), absl::StatusCode::kUnavailable);
}

TEST_F(SqliteStoreTest, TellsAFailedWriteAndKeepsWhatWasThere) {
  auto store = OpenSqliteStore(file_).value();
  ASSERT_TRUE(store->PutRun({"r", "small", "", "running", ""}).ok());
  // Files may not grow beyond 256 KiB for a moment, which stands in for a full disk.
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 256 << 10;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = store->PutRun({"r", std::string(4 << 20, 'x'), "", "running", ""});
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(Message(status), HasSubstr(file_));
  EXPECT_EQ(store->GetRun("r").value()->spec, "small");
  EXPECT_TRUE(store->PutRun({"r", "again", "", "running", ""}).ok());
}

TEST_F(SqliteStoreTest, NamesTheErrorsOfSqlite) {
  EXPECT_EQ(sqlite::MakeStatus(SQLITE_FULL, "x", "f").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(sqlite::MakeStatus(SQLITE_IOERR_FSYNC, "x", "f").code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(sqlite::MakeStatus(SQLITE_CORRUPT_INDEX, "x", "f").code(), absl::StatusCode::kDataLoss);
}

TEST_F(SqliteStoreTest, WritesAheadAndSynchronously) {
  ASSERT_TRUE(OpenSqliteStore(file_).ok());
  auto db = sqlite::Database::Open(file_).value();
  EXPECT_EQ(db->QueryInt("PRAGMA synchronous").value(), 2);  // FULL
  EXPECT_EQ(
      db->QueryInt("SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'").value(),
      1);
}

TEST_F(SqliteStoreTest, MigratesStepByStepAndKeepsData) {
  const char* steps[] = {"CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1);",
                         "ALTER TABLE t ADD COLUMN b INTEGER DEFAULT 5"};
  auto db = sqlite::Database::Open(file_).value();
  ASSERT_TRUE(sqlite::Migrate(*db, std::span(steps).first(1)).ok());
  EXPECT_EQ(db->QueryInt("PRAGMA user_version").value(), 1);
  ASSERT_TRUE(sqlite::Migrate(*db, steps).ok());
  EXPECT_EQ(db->QueryInt("PRAGMA user_version").value(), 2);
  EXPECT_EQ(db->QueryInt("SELECT a + b FROM t").value(), 6);
  ASSERT_TRUE(sqlite::Migrate(*db, steps).ok());  // nothing left to do
}

TEST_F(SqliteStoreTest, BringsEveryEarlierVersionUpToDate) {
  const std::span<const char* const> steps = sqlite::SchemaSteps();
  for (size_t version = 1; version < steps.size(); ++version) {
    const std::string file = file_ + "-" + std::to_string(version);
    {
      auto db = sqlite::Database::Open(file).value();
      ASSERT_TRUE(sqlite::Migrate(*db, steps.first(version)).ok());
      // What that version had, with the columns that it had.
      ASSERT_TRUE(db->Execute("INSERT INTO runs VALUES ('r', 'spec', 'flat:1', 'running', '');"
                              "INSERT INTO attachments VALUES ('r', 'w0', 1, 'root', 7);"
                              "INSERT INTO rounds VALUES ('r', 1, 0, 'open', 0, 0, 0, x'', 1, 1, "
                              "0, 0, 0, '', x'', '')")
                      .ok());
      if (version >= 2) {
        ASSERT_TRUE(db->Execute("INSERT INTO submissions VALUES ('r', 1, 'n', '', 'running', '', "
                                "2, 0, '', '', '', '')")
                        .ok());
      }
    }
    auto store = OpenSqliteStore(file);
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ((*store)->GetRun("r").value()->spec, "spec");
    EXPECT_EQ((*store)->Attachments("r").value().at(0).incarnation, 7u);
    EXPECT_EQ((*store)->Rounds("r").value().at(0).state, "open");
    EXPECT_EQ((*store)->Submissions().value().size(), version >= 2 ? 1u : 0u);
    EXPECT_TRUE((*store)->PutSubmission({.run_id = "s", .number = 2}).ok());
  }
}

TEST_F(SqliteStoreTest, AFailedMigrationLeavesTheSchemaAsItWas) {
  const char* steps[] = {"CREATE TABLE t (a INTEGER)",
                         "INSERT INTO t VALUES (1); ALTER TABLE nowhere ADD COLUMN b INTEGER"};
  auto db = sqlite::Database::Open(file_).value();
  EXPECT_FALSE(sqlite::Migrate(*db, steps).ok());
  EXPECT_EQ(db->QueryInt("PRAGMA user_version").value(), 1);
  EXPECT_EQ(db->QueryInt("SELECT count(*) FROM t").value(), 0);
}

TEST_F(SqliteStoreTest, SchemaHoldsAllIdentities) {
  ASSERT_TRUE(OpenSqliteStore(file_).ok());
  auto db = sqlite::Database::Open(file_).value();
  const auto has = [&](const std::string& table, const std::string& column) {
    return db
        ->QueryInt("SELECT count(*) FROM pragma_table_info('" + table + "') WHERE name = '" +
                   column + "'")
        .value();
  };
  for (const char* column : {"epoch", "incarnation"}) EXPECT_EQ(has("attachments", column), 1);
  for (const char* column : {"attempt", "seq_first", "seq_count", "participants", "contributors"}) {
    EXPECT_EQ(has("rounds", column), 1) << column;
  }
}

}  // namespace
}  // namespace skein
