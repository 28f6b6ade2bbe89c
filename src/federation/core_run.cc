#include "federation/core_run.h"

#include <filesystem>
#include <utility>
#include <vector>

#include "codec/link_codecs.h"
#include "federation/run_directory.h"
#include "skein/base/status.h"
#include "skein/observe/fan_out.h"

namespace skein {
namespace {

// Events reach a federation's sink before there is one of its own.
class LateSink : public EventSink {
 public:
  void Set(std::shared_ptr<EventSink> sink) { sink_ = std::move(sink); }
  void OnEvent(const Event& event) override { sink_->OnEvent(event); }

 private:
  std::shared_ptr<EventSink> sink_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<CoreRun>> CoreRun::Create(CoreRunOptions options,
                                                         const Registries& registries) {
  if (!options.spec.steering.name.empty()) {
    return absl::InvalidArgumentError(
        "steering: not without training; leave it out, as in --set steering=null");
  }
  if (!options.spec.stop.targets.empty() || !options.spec.stop.plateaus.empty()) {
    return absl::InvalidArgumentError(
        "stop: without training there are no metrics; use time_s or bytes_mb");
  }
  SKEIN_ASSIGN_OR_RETURN(const auto codecs, LinkCodecs::Create(options.spec.config.strategy,
                                                               options.spec.topology.num_tiers(),
                                                               registries.strategies));
  if (!codecs->Description().empty()) {
    return absl::InvalidArgumentError(
        "strategy.links: without training there are no values to encode; leave them out, as in "
        "--set strategy.links=null, and set conditions.model_mb to what a model takes encoded");
  }
  for (const TierSpec& tier : options.spec.config.strategy.tiers) {
    if (!tier.passes) continue;
    return absl::InvalidArgumentError(
        "strategy.tiers: without training there are no contributions that tier " +
        std::to_string(tier.tier) + " could be asked about in passes; set collect there instead");
  }
  const std::string spec_text = ToYaml(options.spec);
  auto topology = std::make_shared<const Topology>(std::move(options.spec.topology));
  RunConfig config = std::move(options.spec.config);
  config.run_id = config.name + "-simulated";  // a function of the spec, as all the rest
  auto sink = std::make_shared<LateSink>();
  std::unique_ptr<CoreRun> run(new CoreRun());
  SKEIN_ASSIGN_OR_RETURN(run->federation_, CoreFederation::Create({std::move(config), topology,
                                                                   std::move(options.spec.stop),
                                                                   &registries.strategies, sink}));
  const std::string& directory = options.directory;
  if (!directory.empty()) SKEIN_RETURN_IF_ERROR(CreateRunDirectory(directory));
  auto recorder = RunRecorder::Create(directory, spec_text, topology, options.detail);
  if (!recorder.ok()) {
    std::error_code ignored;
    if (!directory.empty()) std::filesystem::remove_all(directory, ignored);
    return recorder.status();
  }
  run->recorder_ = *std::move(recorder);
  sink->Set(std::make_shared<FanOutSink>(
      std::vector<std::shared_ptr<EventSink>>{run->recorder_, std::move(options.events)}));
  return run;
}

RunResult CoreRun::Run() {
  const RunOutcome outcome = federation_->Run();
  RunResult result = recorder_->result();
  if (result.status.empty()) {
    result.status = outcome.status;
    result.reason = outcome.reason;
  }
  return result;
}

}  // namespace skein
