#include "federation/run_office.h"

#include <atomic>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "skein/builtins/builtins.h"
#include "unit/federation/temp_dir.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

// A store on a disk that is full at times.
class FullStore : public RunStore {
 public:
  FullStore(std::shared_ptr<RunStore> store, std::shared_ptr<std::atomic<bool>> full)
      : store_(std::move(store)), full_(std::move(full)) {}
  absl::Status PutRun(const RunRecord& run) override { return store_->PutRun(run); }
  absl::StatusOr<std::optional<RunRecord>> GetRun(const std::string& run_id) override {
    return store_->GetRun(run_id);
  }
  absl::Status PutAttachments(const std::string& run_id,
                              std::span<const AttachmentRecord> records) override {
    return store_->PutAttachments(run_id, records);
  }
  absl::StatusOr<std::vector<AttachmentRecord>> Attachments(const std::string& run_id) override {
    return store_->Attachments(run_id);
  }
  absl::Status PutRound(const std::string& run_id, const RoundRecord& record) override {
    return store_->PutRound(run_id, record);
  }
  absl::StatusOr<std::vector<RoundRecord>> Rounds(const std::string& run_id) override {
    return store_->Rounds(run_id);
  }
  absl::Status PutSubmission(const SubmissionRecord& record) override {
    if (*full_) return absl::ResourceExhaustedError("full; free some space");
    return store_->PutSubmission(record);
  }
  absl::StatusOr<std::vector<SubmissionRecord>> Submissions() override {
    return store_->Submissions();
  }

 private:
  const std::shared_ptr<RunStore> store_;
  const std::shared_ptr<std::atomic<bool>> full_;
};

class RunOfficeTest : public ::testing::Test {
 protected:
  RunOfficeTest() {
    RegisterBuiltins(registries_);
    Open();
  }
  ~RunOfficeTest() override {
    Close();
    pool_.Shutdown();
  }
  void Open() {
    office_ =
        std::make_shared<RunOffice>(dir_.path(), Dispatcher::Limits{},
                                    std::make_unique<FullStore>(store_, full_), pool_, registries_);
    EXPECT_TRUE(office_->Open().ok());
  }
  void Close() {
    std::promise<void> closed;
    office_->Shutdown("the test is over", [&closed] { closed.set_value(); });
    closed.get_future().wait();
  }
  absl::StatusOr<RunInfo> Submit() {
    return Answer(
        [&](auto reply) { office_->Submit("topology: flat:1\nlearner: far\n", std::move(reply)); });
  }
  absl::StatusOr<RunInfo> Stop(const std::string& run) {
    return Answer([&](auto reply) { office_->Stop(run, std::move(reply)); });
  }
  template <typename Ask>
  static absl::StatusOr<RunInfo> Answer(const Ask& ask) {
    auto answer = std::make_shared<std::promise<absl::StatusOr<RunInfo>>>();
    ask([answer](absl::StatusOr<RunInfo> info) { answer->set_value(std::move(info)); });
    return answer->get_future().get();
  }
  std::string Recorded(const std::string& run) const {
    const auto records = store_->Submissions().value();
    for (const SubmissionRecord& record : records) {
      if (record.run_id == run) return record.status + ": " + record.reason;
    }
    return "";
  }

  TempDir dir_;
  Registries registries_;
  ThreadPool pool_{1};
  const std::shared_ptr<RunStore> store_ = OpenSqliteStore(":memory:").value();
  const std::shared_ptr<std::atomic<bool>> full_ = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<RunOffice> office_;
};

TEST_F(RunOfficeTest, WhatCouldNotBeWrittenIsWrittenWhenThereIsRoom) {
  const std::string first = Submit()->record.run_id;
  *full_ = true;
  EXPECT_EQ(Stop(first)->record.status, "stopped") << "a list that cannot be kept ends nothing";
  EXPECT_THAT(Message(Submit().status()), HasSubstr("free some space"));
  EXPECT_EQ(Recorded(first), "waiting: ");
  *full_ = false;
  const std::string second = Submit()->record.run_id;
  EXPECT_EQ(Recorded(first), "stopped: taken from the queue");
  // Or when the control plane ends.
  *full_ = true;
  EXPECT_TRUE(Stop(second).ok());
  *full_ = false;
  Close();
  EXPECT_EQ(Recorded(second), "stopped: taken from the queue");
  Open();
}

}  // namespace
}  // namespace skein
