#ifndef EXTENDING_MEMORY_STORE_H_
#define EXTENDING_MEMORY_STORE_H_

#include <map>
#include <utility>

#include <skein/control/run_store.h>

// A store that forgets everything at its end: for runs of which only the result is wanted.
class MemoryStore : public skein::RunStore {
 public:
  absl::Status PutRun(const skein::RunRecord& run) override;
  absl::StatusOr<std::optional<skein::RunRecord>> GetRun(const std::string& run_id) override;
  absl::Status PutAttachments(const std::string& run_id,
                              std::span<const skein::AttachmentRecord> records) override;
  absl::StatusOr<std::vector<skein::AttachmentRecord>> Attachments(
      const std::string& run_id) override;
  absl::Status PutRound(const std::string& run_id, const skein::RoundRecord& record) override;
  absl::StatusOr<std::vector<skein::RoundRecord>> Rounds(const std::string& run_id) override;
  absl::Status PutSubmission(const skein::SubmissionRecord& record) override;
  absl::StatusOr<std::vector<skein::SubmissionRecord>> Submissions() override;

 private:
  struct Run {
    skein::RunRecord record;
    std::map<std::pair<skein::NodeId, skein::Epoch>, skein::AttachmentRecord> attachments;
    std::map<std::pair<uint64_t, uint32_t>, skein::RoundRecord> rounds;  // by round and attempt
  };
  // NotFound if the run was never put.
  absl::StatusOr<Run*> Find(const std::string& run_id);

  std::map<std::string, Run> runs_;
  std::map<uint64_t, skein::SubmissionRecord> submissions_;  // by number
};

#endif  // EXTENDING_MEMORY_STORE_H_
