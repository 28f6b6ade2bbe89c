// A federation inside a program: no command line, no spec file, no console of Skein's.
//
//   embedded_api DIRECTORY
//
// Six sites fit a line together, each from points that it keeps. The program starts the run on one
// thread, shows each round as its events come in, and stops the run from another thread once the
// model is good enough; then it reads the model from DIRECTORY/model.safetensors.
//
// To look at:
//   - Line: a learner, the same class that a command line would take.
//   - Progress: an EventSink. It is called on a thread of the run, one call at a time, and must
//     return soon: it hands over what it is told and leaves the work to others.
//   - Federation::Stop: any thread may call it. Run returns with the status "stopped", and the
//   model
//     is that of the round committed last.
#include <condition_variable>
#include <cstdio>
#include <future>
#include <mutex>
#include <optional>

#include <ATen/ATen.h>
#include <skein/skein.h>

namespace {

// Least squares by gradient descent; the points lie around y = 3 x - 1.
class Line : public skein::Learner {
 public:
  explicit Line(const skein::WorkerContext& context) {
    const uint64_t place = context.is_coordinator ? 0 : context.leaf + 1;
    at::Generator generator = skein::MakeGenerator(skein::DeriveSeed(context.seed, {place}));
    x_ = at::empty({kPoints}).uniform_(-1, 1, generator);
    y_ = x_ * 3 - 1 + at::empty({kPoints}).normal_(0, 0.05, generator);
  }

  absl::StatusOr<skein::StateDict> Initialize(skein::InitContext&) override {
    return Model(at::zeros({}), at::zeros({}));
  }

  absl::StatusOr<skein::TrainResult> Train(const skein::StateDict& global,
                                           skein::TrainContext& context) override {
    SKEIN_ASSIGN_OR_RETURN(at::Tensor slope, global.Get("slope"));
    SKEIN_ASSIGN_OR_RETURN(at::Tensor offset, global.Get("offset"));
    for (int step = 0; step < 5 && !context.Cancelled(); ++step) {
      const at::Tensor error = x_ * slope + offset - y_;
      slope = slope - 0.05 * (error * x_).mean();
      offset = offset - 0.05 * error.mean();
    }
    SKEIN_ASSIGN_OR_RETURN(skein::StateDict model, Model(slope, offset));
    return skein::TrainResult{std::move(model), kPoints, {}};
  }

  absl::StatusOr<skein::EvalResult> Evaluate(const skein::StateDict& model,
                                             skein::EvalContext&) override {
    SKEIN_ASSIGN_OR_RETURN(const at::Tensor slope, model.Get("slope"));
    SKEIN_ASSIGN_OR_RETURN(const at::Tensor offset, model.Get("offset"));
    const at::Tensor error = x_ * slope + offset - y_;
    return skein::EvalResult{kPoints, {{"loss", (error * error).mean().item<double>()}}};
  }

 private:
  static constexpr int64_t kPoints = 200;

  static absl::StatusOr<skein::StateDict> Model(const at::Tensor& slope, const at::Tensor& offset) {
    skein::StateDict model;
    SKEIN_RETURN_IF_ERROR(model.Add("slope", slope));
    SKEIN_RETURN_IF_ERROR(model.Add("offset", offset));
    return model;
  }

  at::Tensor x_, y_;
};

// Hands the losses of evaluations over to another thread.
class Progress : public skein::EventSink {
 public:
  struct News {
    uint64_t round = 0;
    double loss = 0;
  };

  void OnEvent(const skein::Event& event) override {
    std::lock_guard lock(mutex_);
    if (event.type == skein::event::kEvaluated) {
      const auto loss = event.fields.find("loss");
      if (loss == event.fields.end() || loss->second.AsDouble() == nullptr) return;
      news_ = {event.round, *loss->second.AsDouble()};
    } else if (event.type == skein::event::kRunEnded) {
      over_ = true;
    }
    changed_.notify_all();
  }

  // The newest; nothing once the run is over.
  std::optional<News> Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return over_ || news_.has_value(); });
    return std::exchange(news_, std::nullopt);
  }
  // For a run that could not even begin.
  void NoMore() {
    std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<News> news_;
  bool over_ = false;
};

absl::Status Train(const std::string& directory) {
  auto progress = std::make_shared<Progress>();
  skein::StrategySpec strategy;  // FedAvg of everyone ...
  strategy.policy = {"quorum", {{"fraction", 0.5}, {"deadline_s", 30.0}}};  // ... who is in time
  skein::FederationOptions options;
  options.name = "line";
  options.rounds = 100'000;  // more than are needed: the program decides when it is enough
  options.seed = 1;
  options.run_directory = directory;
  options.events = progress;
  SKEIN_ASSIGN_OR_RETURN(
      const std::unique_ptr<skein::Federation> federation,
      skein::Federation::Create(
          "tree:2x3", strategy,
          [](const skein::WorkerContext& context) { return std::make_unique<Line>(context); },
          options));

  auto running = std::async(std::launch::async, [&federation, &progress] {
    auto result = federation->Run();
    progress->NoMore();
    return result;
  });
  while (const auto news = progress->Wait()) {
    std::printf("round %llu: loss %.5f\n", static_cast<unsigned long long>(news->round),
                news->loss);
    if (news->loss < 0.01) federation->Stop();
  }

  SKEIN_ASSIGN_OR_RETURN(const skein::RunResult result, running.get());
  if (result.status == "failed") return absl::InternalError(result.reason);
  SKEIN_ASSIGN_OR_RETURN(const skein::PackedTensors file,
                         skein::ReadSafetensors(directory + "/model.safetensors"));
  const skein::StateDict model = skein::StateDict::Unpack(file);
  SKEIN_ASSIGN_OR_RETURN(const at::Tensor slope, model.Get("slope"));
  SKEIN_ASSIGN_OR_RETURN(const at::Tensor offset, model.Get("offset"));
  std::printf("%s: y = %.2f x %+.2f, from %llu updates\n", result.status.c_str(),
              slope.item<double>(), offset.item<double>(),
              static_cast<unsigned long long>(result.contributions));
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: embedded_api DIRECTORY\n");
    return 2;
  }
  const absl::Status status = Train(argv[1]);
  if (!status.ok()) std::fprintf(stderr, "%s\n", skein::Message(status).c_str());
  return status.ok() ? 0 : 1;
}
