// The rounds of a run without the runtime: as many threads as Skein would train on call the
// learners of the spec one after the other, the models are averaged, the mean is evaluated. What
// `fashion_mnist run` needs beyond this is what the runtime costs.
//   fashion_bare_loop SPEC.yaml [PATH=VALUE ...]
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include "fashion_spec.h"

namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The mean of models, weighed by their samples. Any thread may add.
class Mean {
 public:
  void Add(const skein::TrainResult& result) {
    std::lock_guard lock(mutex_);
    const auto weight = static_cast<double>(result.num_samples);
    const auto& entries = result.model.entries();
    for (size_t i = 0; i < entries.size(); ++i) {
      const at::Tensor term = entries[i].tensor.to(at::kDouble).mul_(weight);
      if (sums_.size() == i) {
        sums_.push_back(term);
      } else {
        sums_[i].add_(term);
      }
    }
    weight_ += weight;
  }
  absl::StatusOr<skein::StateDict> Finish(const skein::StateDict& like) const {
    skein::StateDict mean;
    for (size_t i = 0; i < sums_.size(); ++i) {
      const auto& entry = like.entries()[i];
      SKEIN_RETURN_IF_ERROR(
          mean.Add(entry.name, sums_[i].div(weight_).to(entry.tensor.dtype()), entry.role));
    }
    return mean;
  }

 private:
  std::mutex mutex_;
  std::vector<at::Tensor> sums_;
  double weight_ = 0;
};

class BareLoop {
 public:
  explicit BareLoop(FashionSpec spec) : spec_(std::move(spec)), config_(spec_.run.config) {}

  // One JSON document.
  absl::StatusOr<std::string> Run() {
    const auto begin = Clock::now();
    const auto workers = static_cast<skein::LeafIndex>(spec_.run.topology.num_workers());
    for (skein::LeafIndex leaf = 0; leaf <= workers; ++leaf) {  // the last is the coordinator's
      skein::WorkerContext context;
      context.is_coordinator = leaf == workers;
      context.leaf = leaf;
      context.num_workers = workers;
      context.seed = config_.seed;
      SKEIN_ASSIGN_OR_RETURN(
          context.params, spec_.learner.options.schema->Resolve(config_.learner.params, "learner"));
      context.data = skein::Params(config_.data);
      SKEIN_ASSIGN_OR_RETURN(auto learner, spec_.learner.factory(context));
      learners_.push_back(std::move(learner));
    }
    skein::InitContext init{skein::MakeGenerator(skein::DeriveSeed(config_.seed, {0}))};
    SKEIN_ASSIGN_OR_RETURN(skein::StateDict model, learners_.back()->Initialize(init));
    const double startup_s = SecondsSince(begin);

    const auto rounds_begin = Clock::now();
    std::string seconds;
    skein::EvalResult evaluated;
    for (uint64_t round = 1; round <= config_.rounds; ++round) {
      const auto round_begin = Clock::now();
      SKEIN_ASSIGN_OR_RETURN(model, TrainAll(model, round));
      at::NoGradGuard no_grad;
      skein::EvalContext context{round, skein::MakeGenerator(0), never_};
      SKEIN_ASSIGN_OR_RETURN(evaluated, learners_.back()->Evaluate(model, context));
      seconds += (seconds.empty() ? "" : ",") + std::to_string(SecondsSince(round_begin));
    }
    const double run_s = SecondsSince(rounds_begin);
    char text[512];
    std::snprintf(text, sizeof(text),
                  R"({"workers":%u,"threads":%u,"rounds":%llu,"startup_s":%.6f,"run_s":%.6f,)"
                  R"("accuracy":%.4f,"loss":%.4f,"round_s":[)",
                  workers, Threads(), static_cast<unsigned long long>(config_.rounds), startup_s,
                  run_s, evaluated.metrics["accuracy"], evaluated.metrics["loss"]);
    return text + seconds + "]}";
  }

 private:
  static unsigned Threads() { return std::max(1u, std::thread::hardware_concurrency()); }

  absl::StatusOr<skein::StateDict> TrainAll(const skein::StateDict& model, uint64_t round) {
    Mean mean;
    std::atomic<skein::LeafIndex> next = 0;
    std::vector<absl::Status> statuses(Threads());
    std::vector<std::thread> threads;
    for (absl::Status& status : statuses) {
      threads.emplace_back([&] {
        at::set_num_threads(1);  // as the runtime does; a setting of the thread
        for (size_t leaf; status.ok() && (leaf = next++) + 1 < learners_.size();) {
          const uint64_t seed = skein::DeriveSeed(config_.seed, {leaf + 1, round});
          skein::TrainContext context{round, 0, skein::MakeGenerator(seed), never_};
          const auto result = learners_[leaf]->Train(model, context);
          status = result.status();
          if (result.ok()) mean.Add(*result);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const absl::Status& status : statuses) SKEIN_RETURN_IF_ERROR(status);
    return mean.Finish(model);
  }

  const FashionSpec spec_;
  const skein::RunConfig& config_;
  std::vector<std::unique_ptr<skein::Learner>> learners_;
  const std::shared_ptr<const std::atomic<bool>> never_ =
      std::make_shared<const std::atomic<bool>>(false);
};

absl::StatusOr<std::string> Measure(int argc, char** argv) {
  SKEIN_ASSIGN_OR_RETURN(FashionSpec spec, ReadFashionSpec(argc, argv));
  at::set_num_threads(1);
  return BareLoop(std::move(spec)).Run();
}

}  // namespace

int main(int argc, char** argv) {
  const absl::StatusOr<std::string> json = Measure(argc, argv);
  if (!json.ok()) {
    std::fprintf(stderr, "fashion_bare_loop: %s\n", skein::Message(json.status()).c_str());
    return 2;
  }
  std::puts(json->c_str());
  return 0;
}
