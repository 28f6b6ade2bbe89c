#include "federation/run_office.h"

#include <utility>

#include <spdlog/spdlog.h>

#include "federation/cut_run.h"
#include "federation/recorded_result.h"
#include "skein/base/names.h"
#include "skein/base/status.h"

namespace skein {
namespace {

constexpr char kWaiting[] = "waiting";
constexpr char kRunning[] = "running";

std::string Now() { return UtcTime("%Y-%m-%dT%H:%M:%SZ"); }

std::vector<StartNodesMsg::Start> NodesOf(const Topology& topology) {
  std::vector<StartNodesMsg::Start> nodes;
  for (const TopologyNode& node : topology.nodes()) nodes.push_back({node.id, node.role});
  return nodes;
}

}  // namespace

RunOffice::RunOffice(std::string directory, const Dispatcher::Limits& limits,
                     std::unique_ptr<RunStore> store, ThreadPool& pool,
                     const Registries& registries)
    : directory_(std::move(directory)),
      strand_(pool.NewExecutor()),
      store_(std::move(store)),
      pool_(pool),
      registries_(registries),
      dispatcher_(limits) {}

absl::Status RunOffice::Open() {
  SKEIN_ASSIGN_OR_RETURN(std::vector<SubmissionRecord> records, store_->Submissions());
  for (SubmissionRecord& record : records) {
    Run& run = runs_[record.number];
    run.record = std::move(record);
    run.log = std::make_shared<RunLog>(DirectoryOf(run.record.run_id) + "/events.jsonl");
    if (run.record.status == kWaiting) {
      auto spec = ParseRunSpec(run.record.spec, run.record.name, directory_,
                               {.learner_elsewhere = true}, registries_);
      if (spec.ok()) {
        run.spec = *std::move(spec);
      } else {
        Conclude(run, "failed", Message(spec.status()));
      }
    } else if (run.record.status == kRunning) {
      ConcludeCut(run);
    } else {
      run.log->SetOver();
    }
  }
  strand_->Post([self = shared_from_this()] {
    for (auto& [number, run] : self->runs_) {
      if (!run.spec) continue;
      self->DoAll(self->dispatcher_.Queue(run.record.run_id, NodesOf(run.spec->topology)));
    }
  });
  return absl::OkStatus();
}

void RunOffice::Shutdown(std::string reason, std::function<void()> on_done) {
  strand_->Post([self = shared_from_this(), reason = std::move(reason),
                 on_done = std::move(on_done)]() mutable {
    self->closing_ = std::move(reason);
    self->on_done_ = std::move(on_done);
    for (auto& [number, run] : self->runs_) {
      if (run.host != nullptr) run.host->Stop(self->closing_);
    }
    self->CheckDone();
  });
}

void RunOffice::CheckDone() {
  if (on_done_ == nullptr) return;
  for (const auto& [number, run] : runs_) {
    if (run.host != nullptr) return;
  }
  SaveRest();
  std::exchange(on_done_, nullptr)();
}

// ---- messages ----

void RunOffice::OnMessage(std::shared_ptr<ControlSession> session, NodeMessage message) {
  std::shared_ptr<ControlPlane> plane;
  const auto* registration = std::get_if<RegisterMsg>(&message);
  {
    std::lock_guard lock(mutex_);
    const auto joined = joined_.find(session.get());
    if (joined != joined_.end()) {
      plane = joined->second;
    } else if (registration != nullptr) {
      const bool only = registration->run.empty() && planes_.size() == 1;
      const auto found = only ? planes_.begin() : planes_.find(registration->run);
      if (found != planes_.end()) plane = joined_[session.get()] = found->second;
    }
  }
  if (plane != nullptr) return plane->OnMessage(std::move(session), std::move(message));
  if (registration != nullptr) {
    return session->Close(absl::NotFoundError(
        registration->run.empty()
            ? "the control plane has several runs, or none, under way; name the run to join"
            : "run " + QuoteName(registration->run) + " is not under way"));
  }
  strand_->Post([self = shared_from_this(), session = std::move(session),
                 message = std::move(message)] { self->HostSays(session, message); });
}

void RunOffice::OnSessionClosed(std::shared_ptr<ControlSession> session, absl::Status status) {
  std::shared_ptr<ControlPlane> plane;
  {
    std::lock_guard lock(mutex_);
    const auto joined = joined_.find(session.get());
    if (joined != joined_.end()) {
      plane = std::move(joined->second);
      joined_.erase(joined);
    }
  }
  if (plane != nullptr) return plane->OnSessionClosed(std::move(session), std::move(status));
  strand_->Post(
      [self = shared_from_this(), session = std::move(session)] { self->HostGone(session.get()); });
}

void RunOffice::HostSays(const std::shared_ptr<ControlSession>& session,
                         const NodeMessage& message) {
  const auto known = numbers_.find(session.get());
  if (const auto* enlist = std::get_if<EnlistMsg>(&message)) {
    if (known != numbers_.end()) return;
    auto actions = dispatcher_.HostUp(++last_process_, *enlist);
    if (!actions.ok()) return session->Close(actions.status());
    numbers_[session.get()] = last_process_;
    processes_[last_process_] = session;
    session->Send(EnlistedMsg{});
    return DoAll(*std::move(actions));
  }
  if (known == numbers_.end()) {
    return session->Close(absl::FailedPreconditionError("the node is not registered"));
  }
  if (const auto* ended = std::get_if<NodeEndedMsg>(&message)) {
    const auto level = ended->code == 0 ? spdlog::level::info : spdlog::level::warn;
    spdlog::log(level, "node {} has left run {}{}", ended->node, ended->run,
                ended->code == 0 ? "" : ": " + ended->message);
  }
}

void RunOffice::HostGone(ControlSession* session) {
  const auto known = numbers_.find(session);
  if (known == numbers_.end()) return;
  const Dispatcher::Host number = known->second;
  numbers_.erase(known);
  processes_.erase(number);
  DoAll(dispatcher_.HostGone(number));
}

// ---- the desk ----

void RunOffice::Submit(std::string spec_yaml, Reply<RunInfo> reply) {
  strand_->Post([self = shared_from_this(), spec_yaml = std::move(spec_yaml),
                 reply = std::move(reply)] { reply(self->Take(spec_yaml)); });
}

absl::StatusOr<RunInfo> RunOffice::Take(const std::string& spec_yaml) {
  if (!closing_.empty()) return absl::FailedPreconditionError("the control plane is ending");
  SKEIN_ASSIGN_OR_RETURN(RunSpec spec, ParseRunSpec(spec_yaml, "the spec", directory_,
                                                    {.learner_elsewhere = true}, registries_));
  const std::vector<StartNodesMsg::Start> nodes = NodesOf(spec.topology);
  SKEIN_RETURN_IF_ERROR(dispatcher_.Check(nodes.size()));
  Run run;
  run.record.run_id = MakeRunId(spec.config.name);
  run.record.number = runs_.empty() ? 1 : runs_.rbegin()->first + 1;
  run.record.name = spec.config.name;
  run.record.spec = spec_yaml;
  run.record.status = kWaiting;
  run.record.nodes = nodes.size();
  run.record.submitted = Now();
  SKEIN_RETURN_IF_ERROR(store_->PutSubmission(run.record));
  run.spec = std::move(spec);
  run.log = std::make_shared<RunLog>(DirectoryOf(run.record.run_id) + "/events.jsonl");
  const std::string run_id = run.record.run_id;
  const auto placed = runs_.emplace(run.record.number, std::move(run)).first;
  SaveRest();  // there is room again
  DoAll(dispatcher_.Queue(run_id, nodes));
  return Info(placed->second);
}

void RunOffice::List(Reply<std::vector<RunInfo>> reply) {
  strand_->Post([self = shared_from_this(), reply = std::move(reply)] {
    std::vector<RunInfo> runs;
    for (const auto& [number, run] : self->runs_) runs.push_back(self->Info(run));
    reply(std::move(runs));
  });
}

void RunOffice::Stop(std::string run, Reply<RunInfo> reply) {
  strand_->Post([self = shared_from_this(), run = std::move(run), reply = std::move(reply)] {
    reply(self->StopRun(run));
  });
}

absl::StatusOr<RunInfo> RunOffice::StopRun(const std::string& name) {
  SKEIN_ASSIGN_OR_RETURN(const Runs::iterator found, Find(name));
  Run& run = found->second;
  if (run.host != nullptr) {
    run.host->Stop("stopped on request");
  } else if (run.record.status == kWaiting) {
    Conclude(run, "stopped", "taken from the queue");
    DoAll(dispatcher_.Over(run.record.run_id));
  } else {
    return absl::FailedPreconditionError("run " + QuoteName(run.record.run_id) +
                                         " is over: it has " + run.record.status);
  }
  return Info(run);
}

void RunOffice::Watch(std::string run, Reply<Watched> reply) {
  strand_->Post([self = shared_from_this(), run = std::move(run), reply = std::move(reply)] {
    const auto found = self->Find(run);
    if (!found.ok()) return reply(found.status());
    reply(Watched{(*found)->second.record.run_id, (*found)->second.log});
  });
}

absl::StatusOr<RunOffice::Runs::iterator> RunOffice::Find(const std::string& name) {
  auto found = runs_.end();
  bool several = false;
  for (auto it = runs_.begin(); it != runs_.end(); ++it) {
    const SubmissionRecord& record = it->second.record;
    if (record.run_id == name) return it;
    if (record.run_id.rfind(name, 0) != 0 || name.empty()) continue;
    several = found != runs_.end();
    found = it;
  }
  // The newest of that name goes before beginnings of ids.
  for (auto it = runs_.rbegin(); it != runs_.rend(); ++it) {
    if (it->second.record.name == name) return std::prev(it.base());
  }
  if (found == runs_.end()) {
    return absl::NotFoundError("there is no run " + QuoteName(name) + "; see skein ls");
  }
  if (several) {
    return absl::NotFoundError("several runs begin with " + QuoteName(name) +
                               "; name more of the id, see skein ls");
  }
  return found;
}

// ---- what the dispatcher decides ----

void RunOffice::DoAll(Dispatcher::Actions actions) {
  for (const Dispatcher::Action& action : actions) {
    std::visit([this](const auto& a) { Do(a); }, action);
  }
  TellWaits();
}

void RunOffice::Do(const Dispatcher::BeginRun& action) {
  Run& run = Named(action.run);
  const absl::Status status =
      closing_.empty() ? Begin(run) : absl::FailedPreconditionError("the control plane is ending");
  if (status.ok()) return;
  Conclude(run, "failed", Message(status));
  // The nodes are free again; after what else is being done.
  strand_->Post([self = shared_from_this(), run_id = action.run] {
    self->DoAll(self->dispatcher_.Over(run_id));
  });
}

absl::Status RunOffice::Begin(Run& run) {
  const std::string run_id = run.record.run_id;
  SKEIN_ASSIGN_OR_RETURN(run.host, RunHost::Create({.spec = *std::exchange(run.spec, std::nullopt),
                                                    .directory = DirectoryOf(run_id),
                                                    .events = run.log,
                                                    .serve = false,
                                                    .run_id = run_id},
                                                   pool_.NewExecutor(), registries_));
  run.record.spec.clear();
  run.record.status = kRunning;
  run.record.started = Now();
  Save(run);
  {
    std::lock_guard lock(mutex_);
    planes_[run_id] = run.host->plane();
  }
  run.log->SetWaits("");
  run.host->Start([weak = weak_from_this(), run_id] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->strand_->Post([self, run_id] { self->Ended(run_id); });
  });
  return absl::OkStatus();
}

void RunOffice::Do(const Dispatcher::StartNodes& action) {
  if (Named(action.message.run).host == nullptr) return;  // it could not begin
  processes_.at(action.host)->Send(action.message);
}

void RunOffice::Do(const Dispatcher::Notify& action) {
  processes_.at(action.host)->Send(action.message);
}

void RunOffice::Ended(const std::string& run_id) {
  {
    std::lock_guard lock(mutex_);
    planes_.erase(run_id);
  }
  Run& run = Named(run_id);
  const RunResult result = run.host->Wait();
  run.host.reset();
  run.record.rounds = result.rounds;
  run.record.model_digest = result.model_digest;
  Conclude(run, result.status, result.reason);
  DoAll(dispatcher_.Over(run_id));
  CheckDone();
}

// What was under way when the control plane ended. The run may have ended before it was recorded.
void RunOffice::ConcludeCut(Run& run) {
  const std::string directory = DirectoryOf(run.record.run_id);
  RecordedResult result{.status = "failed",
                        .reason = "the control plane ended while it was under way"};
  if (auto recorded = ReadResult(directory)) {
    result = *std::move(recorded);
  } else if (auto cut = ConcludeCutRun(directory, run.record.run_id, result.reason); cut.ok()) {
    result = *std::move(cut);
  } else {
    spdlog::warn("run {}: {}", run.record.run_id, Message(cut.status()));
  }
  run.record.rounds = result.rounds;
  run.record.model_digest = result.model_digest;
  Conclude(run, result.status, result.reason);
}

void RunOffice::Conclude(Run& run, const std::string& status, const std::string& reason) {
  run.spec.reset();
  run.record.spec.clear();
  run.record.status = status;
  run.record.reason = reason;
  run.record.ended = Now();
  Save(run);
  run.log->SetOver();
}

// What the run itself does is in its directory; so a list that cannot be kept ends nothing. What
// could not be written is tried again with the next record, and when the control plane ends.
void RunOffice::Save(const Run& run) {
  const absl::Status status = store_->PutSubmission(run.record);
  if (!status.ok()) {
    spdlog::error("run {}: {}", run.record.run_id, Message(status));
    unsaved_.insert(run.record.number);
    return;
  }
  unsaved_.erase(run.record.number);
  SaveRest();
}

void RunOffice::SaveRest() {
  std::erase_if(unsaved_, [&](uint64_t number) {
    return store_->PutSubmission(runs_.at(number).record).ok();
  });
}

void RunOffice::TellWaits() {
  for (auto& [number, run] : runs_) {
    if (!run.spec) continue;
    std::string why = dispatcher_.WhyWaiting(run.record.run_id);
    if (why != run.log->state().waits) run.log->SetWaits(std::move(why));
  }
}

RunOffice::Run& RunOffice::Named(const std::string& run_id) {
  for (auto it = runs_.rbegin(); it != runs_.rend(); ++it) {
    if (it->second.record.run_id == run_id) return it->second;
  }
  spdlog::critical("no run {}", run_id);
  std::abort();  // only runs that are here are queued
}

RunInfo RunOffice::Info(const Run& run) const {
  RunInfo info{run.record, run.spec ? dispatcher_.WhyWaiting(run.record.run_id) : ""};
  if (run.host != nullptr) {
    const RunResult result = run.host->result();
    info.record.rounds = result.rounds;
    info.record.model_digest = result.model_digest;
  }
  return info;
}

std::string RunOffice::DirectoryOf(const std::string& run_id) const {
  return directory_ + "/runs/" + run_id;
}

}  // namespace skein
