#ifndef SKEIN_SRC_FEDERATION_RUN_OFFICE_H_
#define SKEIN_SRC_FEDERATION_RUN_OFFICE_H_

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "control/dispatcher.h"
#include "control/run_desk.h"
#include "federation/run_host.h"
#include "skein/base/thread_pool.h"
#include "skein/control/control_plane.h"

namespace skein {

// The inside of a RunService: shell around the Dispatcher, on a strand of its own. It gives nodes'
// messages to the control plane of their run, and keeps the record of what was handed in.
class RunOffice : public ControlReceiver,
                  public RunDesk,
                  public std::enable_shared_from_this<RunOffice> {
 public:
  // `directory` is there, and is of nobody else; `pool` and `registries` outlive it.
  RunOffice(std::string directory, const Dispatcher::Limits& limits,
            std::unique_ptr<RunStore> store, ThreadPool& pool, const Registries& registries);

  // Takes up what the store has. Once, before anything else.
  absl::Status Open();
  // Ends what is under way and calls `on_done` then; nothing is taken any more.
  void Shutdown(std::string reason, std::function<void()> on_done);

  // ControlReceiver.
  void OnMessage(std::shared_ptr<ControlSession> session, NodeMessage message) override;
  void OnSessionClosed(std::shared_ptr<ControlSession> session, absl::Status status) override;
  // RunDesk.
  void Submit(std::string spec_yaml, Reply<RunInfo> reply) override;
  void List(Reply<std::vector<RunInfo>> reply) override;
  void Stop(std::string run, Reply<RunInfo> reply) override;
  void Watch(std::string run, Reply<Watched> reply) override;

 private:
  struct Run {
    SubmissionRecord record;
    std::optional<RunSpec> spec;    // until it has begun
    std::unique_ptr<RunHost> host;  // while it is under way
    std::shared_ptr<RunLog> log;
  };
  using Runs = std::map<uint64_t, Run>;  // by number

  // ---- everything below on the strand ----
  absl::StatusOr<RunInfo> Take(const std::string& spec_yaml);
  absl::StatusOr<RunInfo> StopRun(const std::string& name);
  absl::StatusOr<Runs::iterator> Find(const std::string& name);
  void HostSays(const std::shared_ptr<ControlSession>& session, const NodeMessage& message);
  void HostGone(ControlSession* session);
  void DoAll(Dispatcher::Actions actions);
  void Do(const Dispatcher::BeginRun& action);
  void Do(const Dispatcher::StartNodes& action);
  void Do(const Dispatcher::Notify& action);
  absl::Status Begin(Run& run);
  void Ended(const std::string& run_id);
  void Conclude(Run& run, const std::string& status, const std::string& reason);
  void ConcludeCut(Run& run);
  void Save(const Run& run);
  void SaveRest();
  void TellWaits();
  void CheckDone();
  Run& Named(const std::string& run_id);
  RunInfo Info(const Run& run) const;
  std::string DirectoryOf(const std::string& run_id) const;

  const std::string directory_;
  const std::shared_ptr<Executor> strand_;
  const std::unique_ptr<RunStore> store_;
  ThreadPool& pool_;
  const Registries& registries_;
  Dispatcher dispatcher_;
  Runs runs_;
  std::set<uint64_t> unsaved_;  // whose last record could not be written
  std::map<Dispatcher::Host, std::shared_ptr<ControlSession>> processes_;
  std::map<ControlSession*, Dispatcher::Host> numbers_;  // of those
  Dispatcher::Host last_process_ = 0;
  std::string closing_;            // why nothing is taken any more
  std::function<void()> on_done_;  // once nothing is under way

  // Where a node's messages go, off the strand.
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<ControlPlane>> planes_;  // of runs that are under way
  std::map<ControlSession*, std::shared_ptr<ControlPlane>> joined_;
};

}  // namespace skein

#endif  // SKEIN_SRC_FEDERATION_RUN_OFFICE_H_
