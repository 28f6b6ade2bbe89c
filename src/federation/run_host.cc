#include "federation/run_host.h"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <random>
#include <utility>

#include "control/only_run.h"
#include "federation/run_directory.h"
#include "skein/base/status.h"
#include "skein/observe/fan_out.h"

namespace skein {

std::string UtcTime(const char* format) {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof(text), format, &utc);
  return text;
}

std::string MakeRunId(const std::string& name) {
  char suffix[16];
  std::snprintf(suffix, sizeof(suffix), "%08x", static_cast<unsigned>(std::random_device{}()));
  return name + '-' + UtcTime() + '-' + suffix;
}

absl::StatusOr<std::unique_ptr<RunHost>> RunHost::Create(RunHostOptions options,
                                                         std::shared_ptr<Executor> executor,
                                                         const Registries& registries) {
  const std::string directory = options.directory;
  if (!directory.empty()) SKEIN_RETURN_IF_ERROR(CreateRunDirectory(directory));
  std::unique_ptr<RunHost> host(new RunHost());
  const absl::Status status = host->Open(std::move(options), std::move(executor), registries);
  if (status.ok()) return host;
  host.reset();
  if (!directory.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  }
  return status;
}

absl::Status RunHost::Open(RunHostOptions options, std::shared_ptr<Executor> executor,
                           const Registries& registries) {
  const std::string& directory = options.directory;
  const RunSpec& spec = options.spec;
  const std::string spec_text = ToYaml(spec);
  SKEIN_ASSIGN_OR_RETURN(
      recorder_,
      RunRecorder::Create(directory, spec_text, std::make_shared<const Topology>(spec.topology),
                          options.detail));
  SKEIN_ASSIGN_OR_RETURN(
      std::shared_ptr<RunStore> store,
      OpenSqliteStore(directory.empty() ? ":memory:" : directory + "/control.db"));
  config_ = spec.config;
  if (options.limits) config_.limits = *options.limits;
  config_.run_id = options.run_id.empty() ? MakeRunId(config_.name) : options.run_id;
  // Absolute: nodes may have another working directory.
  if (!directory.empty()) config_.output_dir = std::filesystem::absolute(directory).string();
  if (options.keeps_for_workers && !directory.empty() && config_.worker_state.empty()) {
    config_.worker_state = config_.output_dir + "/workers";
  }
  auto sink = std::make_shared<FanOutSink>(
      std::vector<std::shared_ptr<EventSink>>{recorder_, std::move(options.events)});
  std::shared_ptr<Steering> steering;
  if (!spec.steering.name.empty()) {
    SKEIN_ASSIGN_OR_RETURN(steering, registries.steering.Create(spec.steering));
  }
  SKEIN_ASSIGN_OR_RETURN(
      plane_,
      ControlPlane::Create(
          {config_, spec.topology, spec_text, spec.topology_text, spec.stop, std::move(steering)},
          std::move(executor), std::move(store), std::move(sink), &registries.strategies));
  if (options.serve) {
    SKEIN_ASSIGN_OR_RETURN(server_, StartControlServer(MakeOnlyRun(plane_, config_.run_id),
                                                       options.listen_address, options.insecure));
  }
  return absl::OkStatus();
}

void RunHost::Start(std::function<void()> on_end) {
  auto promise = std::make_shared<std::promise<RunOutcome>>();
  outcome_ = promise->get_future();
  plane_->Start([promise, on_end = std::move(on_end)](RunOutcome outcome) {
    promise->set_value(std::move(outcome));
    if (on_end != nullptr) on_end();
  });
}

bool RunHost::ended() const {
  return outcome_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

RunResult RunHost::Wait() {
  const RunOutcome outcome = outcome_.get();
  RunResult result = recorder_->result();
  if (result.status.empty()) {  // ended before there was anything to record
    result.status = outcome.status;
    result.reason = outcome.reason;
  }
  return result;
}

}  // namespace skein
