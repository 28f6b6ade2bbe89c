#include "skein/testing/run_store_checks.h"

#include <limits>
#include <tuple>
#include <vector>

namespace skein::testing {
namespace {

auto Fields(const RunRecord& r) {
  return std::tuple(r.run_id, r.spec, r.topology, r.status, r.reason);
}
auto Fields(const AttachmentRecord& a) {
  return std::tuple(a.child, a.parent, a.epoch, a.incarnation);
}
auto Fields(const RoundRecord& r) {
  return std::tuple(r.round, r.attempt, r.state, r.base, r.participants, r.seq_first, r.seq_count,
                    r.version, r.digest, r.contributors, r.reason);
}

auto Fields(const SubmissionRecord& s) {
  return std::tuple(s.run_id, s.number, s.name, s.spec, s.status, s.reason, s.nodes, s.rounds,
                    s.model_digest, s.submitted, s.started, s.ended);
}

template <typename Record>
auto AllFields(const absl::StatusOr<std::vector<Record>>& records) {
  EXPECT_TRUE(records.ok()) << records.status();
  std::vector<decltype(Fields(std::declval<Record>()))> fields;
  if (!records.ok()) return fields;
  for (const Record& record : *records) fields.push_back(Fields(record));
  return fields;
}

RunRecord SomeRun(const std::string& id) { return {id, "rounds: 3\n", "flat:2", "running", ""}; }

SubmissionRecord SomeSubmission(const std::string& id, uint64_t number) {
  return {id, number, "night", "rounds: 3\n", "running", "because", 7, 3, "00ff", "s", "b", "e"};
}

RoundRecord SomeRound(uint64_t round, uint32_t attempt) {
  RoundRecord record;
  record.round = round;
  record.attempt = attempt;
  record.state = "open";
  record.base = {round - 1, 0, 0};
  record.participants = Roster::Of({0, 1, 2, 7});
  record.seq_first = 10 * round;
  record.seq_count = 4;
  return record;
}

}  // namespace

void RunStoreConformance::SetUp() {
  const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
  id_ = std::string(info->name());
  for (char& c : id_) {
    if (c == '/') c = '-';
  }
  auto store = GetParam().open(id_);
  ASSERT_TRUE(store.ok()) << store.status();
  store_ = *std::move(store);
}

void RunStoreConformance::Reopen() {
  if (!GetParam().persistent) return;
  store_.reset();
  auto store = GetParam().open(id_);
  ASSERT_TRUE(store.ok()) << store.status();
  store_ = *std::move(store);
}

void RunStoreConformance::FindsNothingInAFreshStore() {
  const auto run = store_->GetRun("r");
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_FALSE(run->has_value());
  EXPECT_TRUE(AllFields(store_->Attachments("r")).empty());
  EXPECT_TRUE(AllFields(store_->Rounds("r")).empty());
}

void RunStoreConformance::KeepsARun() {
  ASSERT_TRUE(store_->PutRun(SomeRun("r")).ok());
  Reopen();
  const auto run = store_->GetRun("r");
  ASSERT_TRUE(run.ok() && run->has_value()) << run.status();
  EXPECT_EQ(Fields(**run), Fields(SomeRun("r")));
}

void RunStoreConformance::ReplacesARun() {
  RunRecord record = SomeRun("r");
  ASSERT_TRUE(store_->PutRun(record).ok());
  ASSERT_TRUE(store_->PutRound("r", SomeRound(1, 0)).ok());
  record.status = "failed";
  record.reason = "a disk was full";
  ASSERT_TRUE(store_->PutRun(record).ok());
  Reopen();
  const auto run = store_->GetRun("r");
  ASSERT_TRUE(run.ok() && run->has_value()) << run.status();
  EXPECT_EQ(Fields(**run), Fields(record));
  EXPECT_EQ(AllFields(store_->Rounds("r")).size(), 1u);  // what belongs to the run stays
}

void RunStoreConformance::KeepsRunsApart() {
  ASSERT_TRUE(store_->PutRun(SomeRun("r")).ok());
  ASSERT_TRUE(store_->PutRun(SomeRun("s")).ok());
  ASSERT_TRUE(store_->PutRound("r", SomeRound(1, 0)).ok());
  ASSERT_TRUE(store_->PutAttachment("r", {"w0", "root", 1, 5}).ok());
  ASSERT_TRUE(store_->PutAttachment("s", {"w0", "root", 1, 6}).ok());
  Reopen();
  EXPECT_TRUE(AllFields(store_->Rounds("s")).empty());
  const std::vector expected = {Fields(AttachmentRecord{"w0", "root", 1, 6})};
  EXPECT_EQ(AllFields(store_->Attachments("s")), expected);
}

void RunStoreConformance::KeepsAttachmentsInOrder() {
  const std::vector<AttachmentRecord> records = {
      {"a0", "root", 1, 11}, {"root", "", 1, 1}, {"w0", "a0", 1, 21}, {"w0", "a1", 2, 21}};
  ASSERT_TRUE(store_->PutRun(SomeRun("r")).ok());
  for (const size_t i : {1u, 2u, 0u, 3u}) {
    ASSERT_TRUE(store_->PutAttachment("r", records[i]).ok());
  }
  Reopen();
  std::vector<decltype(Fields(records[0]))> expected;
  for (const auto& record : records) expected.push_back(Fields(record));
  EXPECT_EQ(AllFields(store_->Attachments("r")), expected);
}

void RunStoreConformance::RefusesAnEpochUsedBefore() {
  ASSERT_TRUE(store_->PutRun(SomeRun("r")).ok());
  ASSERT_TRUE(store_->PutAttachment("r", {"w0", "a0", 1, 5}).ok());
  Reopen();
  EXPECT_EQ(store_->PutAttachment("r", {"w0", "a1", 1, 5}).code(),
            absl::StatusCode::kAlreadyExists);
  const std::vector expected = {Fields(AttachmentRecord{"w0", "a0", 1, 5})};
  EXPECT_EQ(AllFields(store_->Attachments("r")), expected);
}

void RunStoreConformance::KeepsAttachmentsThatCameTogether() {
  std::vector<AttachmentRecord> records;
  for (int i = 10; i < 50; ++i) records.push_back({"w" + std::to_string(i), "root", 1, 5});
  ASSERT_TRUE(store_->PutRun(SomeRun("r")).ok());
  ASSERT_TRUE(store_->PutAttachments("r", records).ok());
  ASSERT_TRUE(store_->PutAttachments("r", {}).ok());
  Reopen();
  std::vector<decltype(Fields(records[0]))> expected;
  for (const auto& record : records) expected.push_back(Fields(record));
  EXPECT_EQ(AllFields(store_->Attachments("r")), expected);
}

void RunStoreConformance::OneBadAttachmentKeepsTheOthersOutToo() {
  ASSERT_TRUE(store_->PutRun(SomeRun("r")).ok());
  ASSERT_TRUE(store_->PutAttachment("r", {"w1", "root", 1, 5}).ok());
  const std::vector<AttachmentRecord> records = {
      {"w0", "root", 1, 5}, {"w1", "root", 1, 5}, {"w2", "root", 1, 5}};
  EXPECT_EQ(store_->PutAttachments("r", records).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(AllFields(store_->Attachments("r")).size(), 1u);
  // And the store is as good as before.
  ASSERT_TRUE(store_->PutAttachment("r", records[0]).ok());
  Reopen();
  EXPECT_EQ(AllFields(store_->Attachments("r")).size(), 2u);
}

void RunStoreConformance::KeepsEveryFieldOfARound() {
  RoundRecord record = SomeRound(3, 2);
  record.state = "committed";
  record.base = {2, 1, 4};
  record.version = {3, 2, 5};
  record.digest = "00ff";
  record.contributors = Roster::Of({1, 7});
  record.reason = "closed short";
  ASSERT_TRUE(store_->PutRun(SomeRun("r")).ok());
  ASSERT_TRUE(store_->PutRound("r", record).ok());
  Reopen();
  EXPECT_EQ(AllFields(store_->Rounds("r")), std::vector{Fields(record)});
}

void RunStoreConformance::ReplacesARoundByAttempt() {
  RoundRecord first = SomeRound(1, 0);
  ASSERT_TRUE(store_->PutRun(SomeRun("r")).ok());
  ASSERT_TRUE(store_->PutRound("r", first).ok());
  ASSERT_TRUE(store_->PutRound("r", SomeRound(2, 0)).ok());
  first.state = "failed";
  first.reason = "too few workers";
  ASSERT_TRUE(store_->PutRound("r", first).ok());
  ASSERT_TRUE(store_->PutRound("r", SomeRound(1, 1)).ok());
  Reopen();
  const std::vector expected = {Fields(first), Fields(SomeRound(1, 1)), Fields(SomeRound(2, 0))};
  EXPECT_EQ(AllFields(store_->Rounds("r")), expected);
}

void RunStoreConformance::KeepsExtremeNumbersAndAnyText() {
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  RunRecord run = SomeRun("r");
  run.spec = std::string("a\0b'\"\n\xc3\xa9", 8);
  ASSERT_TRUE(store_->PutRun(run).ok());
  const AttachmentRecord attachment{"w0", "root", kMax, kMax - 1};
  ASSERT_TRUE(store_->PutAttachment("r", attachment).ok());
  RoundRecord round = SomeRound(1, std::numeric_limits<uint32_t>::max());
  round.seq_first = kMax;
  round.seq_count = std::numeric_limits<uint32_t>::max();
  round.base.version = kMax;
  ASSERT_TRUE(store_->PutRound("r", round).ok());
  Reopen();
  EXPECT_EQ(Fields(**store_->GetRun("r")), Fields(run));
  EXPECT_EQ(AllFields(store_->Attachments("r")), std::vector{Fields(attachment)});
  EXPECT_EQ(AllFields(store_->Rounds("r")), std::vector{Fields(round)});
}

void RunStoreConformance::RefusesRecordsOfAnUnknownRun() {
  EXPECT_EQ(store_->PutAttachment("r", {"w0", "root", 1, 1}).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->PutRound("r", SomeRound(1, 0)).code(), absl::StatusCode::kNotFound);
}

void RunStoreConformance::KeepsSubmissionsByNumber() {
  const std::vector records = {SomeSubmission("b", 1), SomeSubmission("a", 2)};
  ASSERT_TRUE(store_->PutSubmission(records[1]).ok());
  ASSERT_TRUE(store_->PutSubmission(records[0]).ok());
  // Of runs that have not begun there is no other record.
  EXPECT_FALSE(store_->GetRun("a").value().has_value());
  EXPECT_EQ(store_->PutSubmission(SomeSubmission("c", 2)).code(), absl::StatusCode::kAlreadyExists);
  Reopen();
  EXPECT_EQ(AllFields(store_->Submissions()),
            (std::vector{Fields(records[0]), Fields(records[1])}));
}

void RunStoreConformance::ReplacesASubmission() {
  ASSERT_TRUE(store_->PutSubmission({.run_id = "a", .number = 1}).ok());
  const SubmissionRecord later = SomeSubmission("a", 1);
  ASSERT_TRUE(store_->PutSubmission(later).ok());
  Reopen();
  EXPECT_EQ(AllFields(store_->Submissions()), std::vector{Fields(later)});
}

}  // namespace skein::testing
