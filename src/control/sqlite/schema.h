#ifndef SKEIN_SRC_CONTROL_SQLITE_SCHEMA_H_
#define SKEIN_SRC_CONTROL_SQLITE_SCHEMA_H_

#include <cstddef>
#include <span>

#include <absl/status/status.h>

#include "control/sqlite/database.h"

namespace skein::sqlite {

// Step i brings a schema of version i to version i + 1. Released steps never change; a new version
// is a new step at the end.
std::span<const char* const> SchemaSteps();

// Brings the schema up to date, each step in a transaction. FailedPrecondition if it is newer than
// this program or the database belongs to another program.
absl::Status Migrate(Database& db, std::span<const char* const> steps);

// DataLoss if pages of the file are damaged, which would otherwise show when they are wanted.
absl::Status CheckPages(Database& db);

}  // namespace skein::sqlite

#endif  // SKEIN_SRC_CONTROL_SQLITE_SCHEMA_H_
