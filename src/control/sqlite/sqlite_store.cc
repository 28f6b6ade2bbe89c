#include <utility>

#include "control/sqlite/database.h"
#include "control/sqlite/schema.h"
#include "skein/base/status.h"
#include "skein/control/run_store.h"
#include "skein/topology/topology.h"

namespace skein {
namespace {

using sqlite::Database;
using sqlite::Statement;

constexpr char kPutRun[] =
    "INSERT INTO runs (run_id, spec, topology, status, reason) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (run_id) DO UPDATE SET spec = excluded.spec, topology = excluded.topology, "
    "status = excluded.status, reason = excluded.reason";
constexpr char kGetRun[] = "SELECT spec, topology, status, reason FROM runs WHERE run_id = ?";
constexpr char kPutAttachment[] =
    "INSERT INTO attachments (run_id, child, epoch, parent, incarnation) VALUES (?, ?, ?, ?, ?)";
constexpr char kAttachments[] =
    "SELECT child, parent, epoch, incarnation FROM attachments WHERE run_id = ? "
    "ORDER BY child, epoch";
constexpr char kPutRound[] =
    "INSERT OR REPLACE INTO rounds (run_id, round, attempt, state, base_version, base_attempt, "
    "base_local_round, participants, seq_first, seq_count, version, version_attempt, "
    "version_local_round, digest, contributors, reason) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr char kRounds[] =
    "SELECT round, attempt, state, base_version, base_attempt, base_local_round, participants, "
    "seq_first, seq_count, version, version_attempt, version_local_round, digest, contributors, "
    "reason FROM rounds WHERE run_id = ? ORDER BY round, attempt";
constexpr char kPutSubmission[] =
    "INSERT INTO submissions (run_id, number, name, spec, status, reason, nodes, rounds, "
    "model_digest, submitted, started, ended) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (run_id) DO UPDATE SET number = excluded.number, name = excluded.name, "
    "spec = excluded.spec, status = excluded.status, reason = excluded.reason, "
    "nodes = excluded.nodes, rounds = excluded.rounds, model_digest = excluded.model_digest, "
    "submitted = excluded.submitted, started = excluded.started, ended = excluded.ended";
constexpr char kSubmissions[] =
    "SELECT run_id, number, name, spec, status, reason, nodes, rounds, model_digest, submitted, "
    "started, ended FROM submissions ORDER BY number";

// Resets a statement when its rows have been read.
struct Resetter {
  Statement* statement;
  ~Resetter() { statement->Reset(); }
};

void BindVersion(Statement& statement, const VersionRef& ref) {
  statement.BindUnsigned(ref.version).Bind(int64_t{ref.attempt}).Bind(int64_t{ref.local_round});
}

VersionRef ReadVersion(const Statement& row, int column) {
  return {row.Unsigned(column), static_cast<uint32_t>(row.Int(column + 1)),
          static_cast<uint32_t>(row.Int(column + 2))};
}

class SqliteStore : public RunStore {
 public:
  static absl::StatusOr<std::unique_ptr<RunStore>> Create(std::unique_ptr<Database> db) {
    auto store = std::unique_ptr<SqliteStore>(new SqliteStore(std::move(db)));
    const std::pair<std::unique_ptr<Statement>*, const char*> statements[] = {
        {&store->put_run_, kPutRun},
        {&store->get_run_, kGetRun},
        {&store->put_attachment_, kPutAttachment},
        {&store->attachments_, kAttachments},
        {&store->put_round_, kPutRound},
        {&store->rounds_, kRounds},
        {&store->put_submission_, kPutSubmission},
        {&store->submissions_, kSubmissions}};
    for (const auto& [statement, sql] : statements) {
      SKEIN_ASSIGN_OR_RETURN(*statement, store->db_->Prepare(sql));
    }
    return store;
  }

  absl::Status PutRun(const RunRecord& run) override {
    put_run_->Bind(run.run_id).Bind(run.spec).Bind(run.topology).Bind(run.status).Bind(run.reason);
    return put_run_->Run();
  }

  absl::StatusOr<std::optional<RunRecord>> GetRun(const std::string& run_id) override {
    const Resetter resetter{get_run_.get()};
    SKEIN_ASSIGN_OR_RETURN(const bool found, get_run_->Bind(run_id).Step());
    if (!found) return std::nullopt;
    return RunRecord{run_id, get_run_->Text(0), get_run_->Text(1), get_run_->Text(2),
                     get_run_->Text(3)};
  }

  absl::Status PutAttachments(const std::string& run_id,
                              std::span<const AttachmentRecord> records) override {
    SKEIN_RETURN_IF_ERROR(db_->Execute("BEGIN IMMEDIATE"));
    absl::Status status;
    for (const AttachmentRecord& record : records) {
      put_attachment_->Bind(run_id)
          .Bind(record.child)
          .BindUnsigned(record.epoch)
          .Bind(record.parent)
          .BindUnsigned(record.incarnation);
      status = put_attachment_->Run();
      if (!status.ok()) break;
    }
    if (status.ok()) status = db_->Execute("COMMIT");
    // What a full disk has rolled back already cannot be rolled back again.
    if (!status.ok()) db_->Execute("ROLLBACK").IgnoreError();
    return status;
  }

  absl::StatusOr<std::vector<AttachmentRecord>> Attachments(const std::string& run_id) override {
    const Resetter resetter{attachments_.get()};
    attachments_->Bind(run_id);
    std::vector<AttachmentRecord> records;
    while (true) {
      SKEIN_ASSIGN_OR_RETURN(const bool row, attachments_->Step());
      if (!row) return records;
      records.push_back({attachments_->Text(0), attachments_->Text(1), attachments_->Unsigned(2),
                         attachments_->Unsigned(3)});
    }
  }

  absl::Status PutRound(const std::string& run_id, const RoundRecord& record) override {
    Statement& put = *put_round_;
    put.Bind(run_id).BindUnsigned(record.round).Bind(int64_t{record.attempt}).Bind(record.state);
    BindVersion(put, record.base);
    put.BindBlob(record.participants.Encode())
        .BindUnsigned(record.seq_first)
        .Bind(int64_t{record.seq_count});
    BindVersion(put, record.version);
    put.Bind(record.digest).BindBlob(record.contributors.Encode()).Bind(record.reason);
    return put.Run();
  }

  absl::StatusOr<std::vector<RoundRecord>> Rounds(const std::string& run_id) override {
    const Resetter resetter{rounds_.get()};
    rounds_->Bind(run_id);
    std::vector<RoundRecord> records;
    while (true) {
      SKEIN_ASSIGN_OR_RETURN(const bool row, rounds_->Step());
      if (!row) return records;
      RoundRecord record;
      record.round = rounds_->Unsigned(0);
      record.attempt = static_cast<uint32_t>(rounds_->Int(1));
      record.state = rounds_->Text(2);
      record.base = ReadVersion(*rounds_, 3);
      SKEIN_ASSIGN_OR_RETURN(record.participants, ReadRoster(6));
      record.seq_first = rounds_->Unsigned(7);
      record.seq_count = static_cast<uint32_t>(rounds_->Int(8));
      record.version = ReadVersion(*rounds_, 9);
      record.digest = rounds_->Text(12);
      SKEIN_ASSIGN_OR_RETURN(record.contributors, ReadRoster(13));
      record.reason = rounds_->Text(14);
      records.push_back(std::move(record));
    }
  }

  absl::Status PutSubmission(const SubmissionRecord& record) override {
    put_submission_->Bind(record.run_id)
        .BindUnsigned(record.number)
        .Bind(record.name)
        .Bind(record.spec)
        .Bind(record.status)
        .Bind(record.reason)
        .BindUnsigned(record.nodes)
        .BindUnsigned(record.rounds)
        .Bind(record.model_digest)
        .Bind(record.submitted)
        .Bind(record.started)
        .Bind(record.ended);
    return put_submission_->Run();
  }

  absl::StatusOr<std::vector<SubmissionRecord>> Submissions() override {
    const Resetter resetter{submissions_.get()};
    const Statement& row = *submissions_;
    std::vector<SubmissionRecord> records;
    while (true) {
      SKEIN_ASSIGN_OR_RETURN(const bool found, submissions_->Step());
      if (!found) return records;
      records.push_back({row.Text(0), row.Unsigned(1), row.Text(2), row.Text(3), row.Text(4),
                         row.Text(5), row.Unsigned(6), row.Unsigned(7), row.Text(8), row.Text(9),
                         row.Text(10), row.Text(11)});
    }
  }

 private:
  explicit SqliteStore(std::unique_ptr<Database> db) : db_(std::move(db)) {}

  absl::StatusOr<Roster> ReadRoster(int column) {
    auto roster =
        Roster::Decode(rounds_->Blob(column), static_cast<LeafIndex>(Topology::kMaxNodes));
    if (roster.ok()) return roster;
    return absl::DataLossError("run store '" + db_->file() + "': " + Message(roster.status()));
  }

  const std::unique_ptr<Database> db_;  // outlives the statements
  std::unique_ptr<Statement> put_run_;
  std::unique_ptr<Statement> get_run_;
  std::unique_ptr<Statement> put_attachment_;
  std::unique_ptr<Statement> attachments_;
  std::unique_ptr<Statement> put_round_;
  std::unique_ptr<Statement> rounds_;
  std::unique_ptr<Statement> put_submission_;
  std::unique_ptr<Statement> submissions_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RunStore>> OpenSqliteStore(const std::string& path) {
  SKEIN_ASSIGN_OR_RETURN(auto db, Database::Open(path));
  SKEIN_RETURN_IF_ERROR(sqlite::Migrate(*db, sqlite::SchemaSteps()));
  SKEIN_RETURN_IF_ERROR(sqlite::CheckPages(*db));
  return SqliteStore::Create(std::move(db));
}

}  // namespace skein
