#include "control/sqlite/schema.h"

#include <string>

#include "base/one_line.h"
#include "skein/base/status.h"

namespace skein::sqlite {
namespace {

// "SKN1", in the header of the database file.
constexpr int64_t kApplicationId = 0x534B4E31;

// Unsigned 64-bit numbers are stored as the signed ones of the same bits; rosters as
// Roster::Encode writes them.
constexpr const char* kVersion1 = R"sql(
  CREATE TABLE runs (
    run_id TEXT NOT NULL PRIMARY KEY,
    spec TEXT NOT NULL,
    topology TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL
  );
  CREATE TABLE attachments (
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    child TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    parent TEXT NOT NULL,
    incarnation INTEGER NOT NULL,
    PRIMARY KEY (run_id, child, epoch)
  ) WITHOUT ROWID;
  CREATE TABLE rounds (
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    round INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    state TEXT NOT NULL,
    base_version INTEGER NOT NULL,
    base_attempt INTEGER NOT NULL,
    base_local_round INTEGER NOT NULL,
    participants BLOB NOT NULL,
    seq_first INTEGER NOT NULL,
    seq_count INTEGER NOT NULL,
    version INTEGER NOT NULL,
    version_attempt INTEGER NOT NULL,
    version_local_round INTEGER NOT NULL,
    digest TEXT NOT NULL,
    contributors BLOB NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (run_id, round, attempt)
  ) WITHOUT ROWID;
)sql";

// Runs that are handed in to a control plane for many.
constexpr const char* kVersion2 = R"sql(
  CREATE TABLE submissions (
    run_id TEXT NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    name TEXT NOT NULL,
    spec TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    nodes INTEGER NOT NULL,
    rounds INTEGER NOT NULL,
    model_digest TEXT NOT NULL,
    submitted TEXT NOT NULL,
    started TEXT NOT NULL,
    ended TEXT NOT NULL
  ) WITHOUT ROWID;
)sql";

constexpr const char* kSteps[] = {kVersion1, kVersion2};

absl::Status CheckOwner(Database& db) {
  SKEIN_ASSIGN_OR_RETURN(const int64_t application, db.QueryInt("PRAGMA application_id"));
  if (application == kApplicationId) return absl::OkStatus();
  SKEIN_ASSIGN_OR_RETURN(const int64_t tables, db.QueryInt("SELECT count(*) FROM sqlite_schema"));
  if (application == 0 && tables == 0) {
    return db.Execute("PRAGMA application_id = " + std::to_string(kApplicationId));
  }
  return absl::FailedPreconditionError("run store '" + db.file() +
                                       "': is a database of another program; name another file");
}

}  // namespace

std::span<const char* const> SchemaSteps() { return kSteps; }

absl::Status Migrate(Database& db, std::span<const char* const> steps) {
  SKEIN_RETURN_IF_ERROR(CheckOwner(db));
  SKEIN_ASSIGN_OR_RETURN(int64_t version, db.QueryInt("PRAGMA user_version"));
  const auto newest = static_cast<int64_t>(steps.size());
  if (version < 0 || version > newest) {
    return absl::FailedPreconditionError("run store '" + db.file() + "': has schema version " +
                                         std::to_string(version) + ", this program knows up to " +
                                         std::to_string(newest) + "; use a newer release");
  }
  for (; version < newest; ++version) {
    const std::string sql = std::string("BEGIN IMMEDIATE;") + steps[version] +
                            "; PRAGMA user_version = " + std::to_string(version + 1) + "; COMMIT;";
    const absl::Status status = db.Execute(sql);
    if (!status.ok()) {
      // The first error is the one to tell; the roll-back fails if nothing had begun.
      db.Execute("ROLLBACK").IgnoreError();
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPages(Database& db) {
  SKEIN_ASSIGN_OR_RETURN(auto check, db.Prepare("PRAGMA quick_check(1)"));
  SKEIN_ASSIGN_OR_RETURN(const bool row, check->Step());
  const std::string result = row ? check->Text(0) : "ok";
  if (result == "ok") return absl::OkStatus();
  return MakeStatus(SQLITE_CORRUPT, "is damaged: " + OneLine(result), db.file());
}

}  // namespace skein::sqlite
