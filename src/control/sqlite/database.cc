#include "control/sqlite/database.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "skein/base/status.h"

namespace skein::sqlite {
namespace {

// Another program that reads or copies the store may hold it for a moment.
constexpr int kBusyTimeoutMs = 2000;

std::string Bytes(const void* data, int size) {
  return data == nullptr ? "" : std::string(static_cast<const char*>(data), size);
}

}  // namespace

absl::Status MakeStatus(int extended_code, const std::string& detail, const std::string& file) {
  const std::string text = "run store '" + file + "': " + detail;
  switch (extended_code) {
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_UNIQUE:
      return absl::AlreadyExistsError(text);
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return absl::NotFoundError(text);
    default:
      break;
  }
  switch (extended_code & 0xff) {
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(text + "; free some space");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(text + "; move it away to start anew");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(text + "; another program is writing to it");
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return absl::UnavailableError(text + "; check that its directory exists and is writable");
    default:
      return absl::UnavailableError(text);
  }
}

// What went wrong last. Of errors of the system, which SQLite calls disk I/O errors, with the
// reason if that is a lack of room: `errno` as the failed call has left it.
absl::Status LastError(sqlite3* db, const std::string& file) {
  const int system = errno;
  const int code = sqlite3_extended_errcode(db);
  const std::string detail = sqlite3_errmsg(db);
  const bool full =
      (code & 0xff) == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT || system == EFBIG);
  if (!full) return MakeStatus(code, detail, file);
  return MakeStatus(SQLITE_FULL, detail + ": " + std::strerror(system), file);
}

Statement& Statement::Bind(const std::string& text) {
  const int code = sqlite3_bind_text64(statement_, next_++, text.data(), text.size(),
                                       SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

Statement& Statement::Bind(int64_t number) {
  const int code = sqlite3_bind_int64(statement_, next_++, number);
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

Statement& Statement::BindUnsigned(uint64_t number) { return Bind(static_cast<int64_t>(number)); }

Statement& Statement::BindBlob(const std::string& bytes) {
  const int code =
      sqlite3_bind_blob64(statement_, next_++, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  if (bind_error_ != SQLITE_OK) {
    return MakeStatus(bind_error_, sqlite3_errstr(bind_error_), file_);
  }
  errno = 0;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return LastError(db_, file_);
}

absl::Status Statement::Run() {
  const absl::StatusOr<bool> row = Step();
  Reset();
  return row.status();
}

void Statement::Reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  next_ = 1;
  bind_error_ = SQLITE_OK;
}

std::string Statement::Text(int column) const {
  const void* data = sqlite3_column_text(statement_, column);
  return Bytes(data, sqlite3_column_bytes(statement_, column));
}

std::string Statement::Blob(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  return Bytes(data, sqlite3_column_bytes(statement_, column));
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& file) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(file.c_str(), &handle, flags, nullptr);
  if (handle == nullptr) return absl::ResourceExhaustedError("no memory for a run store");
  auto db = std::unique_ptr<Database>(new Database(handle, file));
  if (code != SQLITE_OK) return LastError(handle, file);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  SKEIN_RETURN_IF_ERROR(db->Execute("PRAGMA journal_mode = WAL"));
  SKEIN_RETURN_IF_ERROR(db->Execute("PRAGMA synchronous = FULL"));
  SKEIN_RETURN_IF_ERROR(db->Execute("PRAGMA foreign_keys = ON"));
  // KiB. Records are written once and hardly read: what they leave in memory is to end soon.
  SKEIN_RETURN_IF_ERROR(db->Execute("PRAGMA cache_size = -256"));
  return db;
}

absl::Status Database::Execute(const std::string& sql) {
  errno = 0;
  if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) {
    return absl::OkStatus();
  }
  return LastError(db_, file_);
}

absl::StatusOr<std::unique_ptr<Statement>> Database::Prepare(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(db_, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) !=
      SQLITE_OK) {
    return LastError(db_, file_);
  }
  return std::make_unique<Statement>(db_, statement, file_);
}

absl::StatusOr<int64_t> Database::QueryInt(const std::string& sql) {
  SKEIN_ASSIGN_OR_RETURN(auto statement, Prepare(sql));
  SKEIN_ASSIGN_OR_RETURN(const bool row, statement->Step());
  return row ? statement->Int(0) : 0;
}

}  // namespace skein::sqlite
