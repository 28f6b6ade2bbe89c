#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>

#include "app/bench/round_bench.h"
#include "app/command.h"
#include "app/signals.h"

namespace skein {
namespace {

class BenchCommand : public Command {
 public:
  void Define(CLI::App& root) override {
    command_ = root.add_subcommand("bench", "Measure this machine");
    command_->require_subcommand(1);
    CLI::App* round = command_->add_subcommand(
        "round", "Rounds without training over real gRPC, beside a plain socket and memcpy");
    round->add_option("--topology", options_.topology, "The tree: flat:128, tree:16x16, or a file")
        ->type_name("SHAPE|FILE")
        ->capture_default_str();
    round->add_option("--params", options_.params, "Float32 elements of the model")
        ->type_name("P")
        ->check(CLI::Range(uint64_t{1}, uint64_t{10'000'000'000}))  // as the learner 'echo'
        ->capture_default_str();
    round
        ->add_option("--workers-per-process", options_.workers_per_process,
                     "Workers that share a process (default: all in two processes)")
        ->type_name("K")
        ->check(CLI::Range(1, 1'000'000));
    round->add_option("--rounds", options_.rounds, "Number of rounds")
        ->type_name("R")
        ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000}))
        ->capture_default_str();
    round
        ->add_option("--links", options_.links,
                     "Codecs of links, as strategy.links of a spec: '{partials: [fp32]}'")
        ->type_name("YAML");
    round->add_option("--out", options_.directory, "Keep the run directory here")->type_name("DIR");
    round->add_flag("--json", json_, "Print the result as one JSON document");
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    StopSignals signals;
    const auto result = RunRoundBench(options_, signals, context);
    if (!result.ok()) return Complain(context, result.status(), kBadInput);
    if (result->code == kBadInput) return kBadInput;  // nothing was started, and it was said why
    context.out << (json_ ? result->json : result->text) << std::endl;
    return result->ok ? kSuccess : kRunFailed;
  }

 private:
  CLI::App* command_ = nullptr;
  RoundBenchOptions options_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeBenchCommand() { return std::make_unique<BenchCommand>(); }

}  // namespace skein
