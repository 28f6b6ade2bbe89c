#ifndef SKEIN_SRC_CONTROL_SQLITE_DATABASE_H_
#define SKEIN_SRC_CONTROL_SQLITE_DATABASE_H_

#include <cstdint>
#include <memory>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <sqlite3.h>

namespace skein::sqlite {

// An error of SQLite as a status with the file's name: ResourceExhausted for a full disk, DataLoss
// for a damaged file, AlreadyExists and NotFound for violated keys, otherwise Unavailable.
absl::Status MakeStatus(int extended_code, const std::string& detail, const std::string& file);

// A prepared statement. Bind in the order of its parameters, then Step; Reset before the next use.
// Errors of binding are kept and told by Step.
class Statement {
 public:
  Statement(sqlite3* db, sqlite3_stmt* statement, std::string file)
      : db_(db), statement_(statement), file_(std::move(file)) {}
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& Bind(const std::string& text);
  Statement& Bind(int64_t number);
  Statement& BindUnsigned(uint64_t number);  // kept as the signed number of the same bits
  Statement& BindBlob(const std::string& bytes);

  // True: a row is there to read. False: done.
  absl::StatusOr<bool> Step();
  // Runs a statement without result, and resets.
  absl::Status Run();
  void Reset();

  std::string Text(int column) const;
  std::string Blob(int column) const;
  int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  uint64_t Unsigned(int column) const { return static_cast<uint64_t>(Int(column)); }

 private:
  sqlite3* const db_;
  sqlite3_stmt* const statement_;
  const std::string file_;
  int next_ = 1;
  int bind_error_ = SQLITE_OK;
};

// One connection to one database file. One thread at a time; outlives its statements.
class Database {
 public:
  // Opens or creates the file, in WAL mode, with writes on disk when they return.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& file);
  ~Database() { sqlite3_close_v2(db_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs SQL without parameters; a result is thrown away.
  absl::Status Execute(const std::string& sql);
  absl::StatusOr<std::unique_ptr<Statement>> Prepare(const std::string& sql);
  // The first column of the first row.
  absl::StatusOr<int64_t> QueryInt(const std::string& sql);
  const std::string& file() const { return file_; }

 private:
  Database(sqlite3* db, std::string file) : db_(db), file_(std::move(file)) {}

  sqlite3* const db_;
  const std::string file_;
};

}  // namespace skein::sqlite

#endif  // SKEIN_SRC_CONTROL_SQLITE_DATABASE_H_
