#include "memory_store.h"

#include <skein/base/status.h>

absl::StatusOr<MemoryStore::Run*> MemoryStore::Find(const std::string& run_id) {
  const auto run = runs_.find(run_id);
  if (run == runs_.end()) return absl::NotFoundError("no run '" + run_id + "' in this store");
  return &run->second;
}

absl::Status MemoryStore::PutRun(const skein::RunRecord& run) {
  runs_[run.run_id].record = run;  // what belongs to the run stays
  return absl::OkStatus();
}

absl::StatusOr<std::optional<skein::RunRecord>> MemoryStore::GetRun(const std::string& run_id) {
  const auto run = runs_.find(run_id);
  if (run == runs_.end()) return std::optional<skein::RunRecord>();
  return std::optional(run->second.record);
}

// All or none: they go into a copy first.
absl::Status MemoryStore::PutAttachments(const std::string& run_id,
                                         std::span<const skein::AttachmentRecord> records) {
  SKEIN_ASSIGN_OR_RETURN(Run * run, Find(run_id));
  auto attachments = run->attachments;
  for (const skein::AttachmentRecord& record : records) {
    if (attachments.try_emplace({record.child, record.epoch}, record).second) continue;
    return absl::AlreadyExistsError("node '" + record.child + "' has had the epoch " +
                                    std::to_string(record.epoch));
  }
  run->attachments = std::move(attachments);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<skein::AttachmentRecord>> MemoryStore::Attachments(
    const std::string& run_id) {
  std::vector<skein::AttachmentRecord> attachments;
  const auto run = runs_.find(run_id);
  if (run == runs_.end()) return attachments;
  for (const auto& [key, record] : run->second.attachments) attachments.push_back(record);
  return attachments;
}

absl::Status MemoryStore::PutRound(const std::string& run_id, const skein::RoundRecord& record) {
  SKEIN_ASSIGN_OR_RETURN(Run * run, Find(run_id));
  run->rounds[{record.round, record.attempt}] = record;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<skein::RoundRecord>> MemoryStore::Rounds(const std::string& run_id) {
  std::vector<skein::RoundRecord> rounds;
  const auto run = runs_.find(run_id);
  if (run == runs_.end()) return rounds;
  for (const auto& [key, record] : run->second.rounds) rounds.push_back(record);
  return rounds;
}

absl::Status MemoryStore::PutSubmission(const skein::SubmissionRecord& record) {
  const auto taken = submissions_.find(record.number);
  if (taken != submissions_.end() && taken->second.run_id != record.run_id) {
    return absl::AlreadyExistsError("another run has the number " + std::to_string(record.number));
  }
  std::erase_if(submissions_, [&](const auto& s) { return s.second.run_id == record.run_id; });
  submissions_[record.number] = record;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<skein::SubmissionRecord>> MemoryStore::Submissions() {
  std::vector<skein::SubmissionRecord> submissions;
  for (const auto& [number, record] : submissions_) submissions.push_back(record);
  return submissions;
}
