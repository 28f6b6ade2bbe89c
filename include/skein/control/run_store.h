#ifndef SKEIN_CONTROL_RUN_STORE_H_
#define SKEIN_CONTROL_RUN_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/base/ids.h"
#include "skein/base/roster.h"

namespace skein {

struct RunRecord {
  std::string run_id;
  std::string spec;      // resolved, as text
  std::string topology;  // as text
  std::string status;    // "running", "completed", "failed", "stopped"
  std::string reason;
};

// A run that was handed in to a control plane for many runs.
struct SubmissionRecord {
  std::string run_id;
  uint64_t number = 0;  // in the order in which they came; starts at 1
  std::string name;     // of the spec
  std::string spec;     // resolved, as text, until it has begun
  std::string status;   // "waiting", "running", "completed", "failed", "stopped"
  std::string reason;
  uint64_t nodes = 0;
  uint64_t rounds = 0;       // committed, once it has ended
  std::string model_digest;  // of the last version that was stored
  std::string submitted;     // UTC, "2026-01-31T23:59:59Z"; empty: not yet, as the following
  std::string started;
  std::string ended;
};

struct AttachmentRecord {
  NodeId child;
  NodeId parent;  // empty for the coordinator
  Epoch epoch = 0;
  Incarnation incarnation = 0;
};

struct RoundRecord {
  uint64_t round = 0;
  uint32_t attempt = 0;
  std::string state;  // "open", "committed", "failed"
  VersionRef base;
  Roster participants;
  Seq seq_first = 0;
  uint32_t seq_count = 1;
  VersionRef version;  // once committed
  std::string digest;
  Roster contributors;
  std::string reason;
};

// Where the control plane keeps every decision before it acts on it. One implementation ships,
// SQLite; each implementation passes the conformance suite (skein/testing/run_store_conformance.h).
// All methods are synchronous and durable on return. One thread at a time. Errors: Unavailable or
// ResourceExhausted (disk full) with the file's name; FailedPrecondition for a schema that is newer
// than this program; DataLoss for a damaged file; NotFound for records of a run that was never put.
class RunStore {
 public:
  virtual ~RunStore() = default;
  virtual absl::Status PutRun(const RunRecord& run) = 0;  // insert or replace
  virtual absl::StatusOr<std::optional<RunRecord>> GetRun(const std::string& run_id) = 0;
  // All of them or, on an error, none: one write to the disk however many they are. AlreadyExists
  // if a child has had its epoch.
  virtual absl::Status PutAttachments(const std::string& run_id,
                                      std::span<const AttachmentRecord> records) = 0;
  absl::Status PutAttachment(const std::string& run_id, const AttachmentRecord& record) {
    return PutAttachments(run_id, {&record, 1});
  }
  virtual absl::StatusOr<std::vector<AttachmentRecord>> Attachments(const std::string& run_id) = 0;
  // Insert, or replace the same attempt at the same round.
  virtual absl::Status PutRound(const std::string& run_id, const RoundRecord& record) = 0;
  virtual absl::StatusOr<std::vector<RoundRecord>> Rounds(const std::string& run_id) = 0;
  // Insert or replace. AlreadyExists if another run has the number.
  virtual absl::Status PutSubmission(const SubmissionRecord& record) = 0;
  // By number.
  virtual absl::StatusOr<std::vector<SubmissionRecord>> Submissions() = 0;
};

// Opens or creates the database in WAL mode and brings its schema up to date. ":memory:" works.
absl::StatusOr<std::unique_ptr<RunStore>> OpenSqliteStore(const std::string& path);

}  // namespace skein

#endif  // SKEIN_CONTROL_RUN_STORE_H_
