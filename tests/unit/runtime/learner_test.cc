#include "skein/runtime/learner.h"

#include <cmath>
#include <cstring>
#include <future>
#include <limits>
#include <stdexcept>
#include <thread>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "unit/runtime/learner_requests.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

// A learner made of functions, so that each test says what is special about it.
struct Parts {
  std::function<absl::StatusOr<StateDict>(InitContext&)> initialize;
  std::function<absl::StatusOr<TrainResult>(const StateDict&, TrainContext&)> train;
  std::function<absl::StatusOr<EvalResult>(const StateDict&, EvalContext&)> evaluate;
};

class FunctionLearner : public Learner {
 public:
  explicit FunctionLearner(Parts parts) : parts_(std::move(parts)) {}
  absl::StatusOr<StateDict> Initialize(InitContext& context) override {
    return parts_.initialize(context);
  }
  absl::StatusOr<TrainResult> Train(const StateDict& global, TrainContext& context) override {
    return parts_.train(global, context);
  }
  absl::StatusOr<EvalResult> Evaluate(const StateDict& model, EvalContext& context) override {
    return parts_.evaluate(model, context);
  }

 private:
  const Parts parts_;
};

StateDict ModelOf(at::Tensor w, at::Tensor count) {
  StateDict model;
  EXPECT_TRUE(model.Add("w", std::move(w)).ok());
  EXPECT_TRUE(model.Add("count", std::move(count), TensorRole::kBuffer).ok());
  return model;
}

PackedTensors Base() {
  return ModelOf(at::arange(6, at::kFloat).reshape({2, 3}), at::full({}, 7, at::kLong))
      .Pack()
      .value();
}

class LearnerTest : public ::testing::Test {
 protected:
  // Registers `parts` under "test" and makes worker `leaf`'s trainer.
  std::unique_ptr<Trainer> Make(Parts parts, LearnerOptions options = {}, LeafIndex leaf = 3) {
    EXPECT_TRUE(registry_
                    .Register(
                        "test",
                        [parts](const WorkerContext&) -> absl::StatusOr<std::unique_ptr<Learner>> {
                          return std::make_unique<FunctionLearner>(parts);
                        },
                        std::move(options))
                    .ok());
    return MakeAnother(leaf);
  }
  std::unique_ptr<Trainer> MakeAnother(LeafIndex leaf, uint64_t seed = 1) {
    auto trainer = factory_(ConfigOf("test", seed), WorkerView(leaf));
    EXPECT_TRUE(trainer.ok()) << trainer.status();
    return *std::move(trainer);
  }
  // The message with which training fails.
  std::string TrainError(Parts parts, LearnerOptions options = {}) {
    auto output = Make(std::move(parts), std::move(options))->Train(Base(), RequestOf(5));
    EXPECT_FALSE(output.ok());
    return Message(output.status());
  }

  LearnerRegistry registry_;
  TrainerFactory factory_ = MakeLearnerTrainerFactory(registry_);
};

// Returns `w` and `count` as they are, plus something drawn.
Parts Drawing(std::function<at::Tensor(const at::Tensor& w, TrainContext&)> draw) {
  Parts parts;
  parts.train = [draw](const StateDict& global,
                       TrainContext& context) -> absl::StatusOr<TrainResult> {
    return TrainResult{ModelOf(draw(*global.Get("w"), context), *global.Get("count")), 10, {}};
  };
  return parts;
}

Parts Returning(at::Tensor w, at::Tensor count, uint64_t samples = 10) {
  Parts parts;
  parts.train = [=](const StateDict&, TrainContext&) -> absl::StatusOr<TrainResult> {
    return TrainResult{ModelOf(w, count), samples, {{"loss", 0.5}}};
  };
  return parts;
}

TEST_F(LearnerTest, UpdateIsTheDifferenceForParametersAndTheValueForBuffers) {
  auto trainer =
      Make(Returning(at::arange(6, at::kFloat).reshape({2, 3}) + 0.5, at::full({}, 9, at::kLong)));
  auto output = trainer->Train(Base(), RequestOf(1));
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(Floats(output->update, 0), std::vector<float>(6, 0.5F));
  int64_t count = 0;
  std::memcpy(&count, output->update.tensor(1).data(), sizeof(count));
  EXPECT_EQ(count, 9);
  EXPECT_EQ(output->num_samples, 10u);
  EXPECT_EQ(output->metrics.at("loss"), 0.5);
}

TEST_F(LearnerTest, IsToldHowManyStepsToTrain) {
  uint32_t told = 0;
  auto trainer = Make(Drawing([&](const at::Tensor& w, TrainContext& context) {
    told = context.steps;
    return w;
  }));
  TrainRequest request = RequestOf(1);
  ASSERT_TRUE(trainer->Train(Base(), request).ok());
  EXPECT_EQ(told, 0u) << "as many as it likes";
  request.steps = 35;
  ASSERT_TRUE(trainer->Train(Base(), request).ok());
  EXPECT_EQ(told, 35u);
}

TEST_F(LearnerTest, TrainingInPlaceDoesNotTouchTheBase) {
  auto trainer = Make(Drawing([](const at::Tensor& w, TrainContext&) {
    at::Tensor mine = w;
    return mine.add_(1);
  }));
  const PackedTensors base = Base();
  auto output = trainer->Train(base, RequestOf(1));
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(Floats(output->update, 0), std::vector<float>(6, 1.0F));
  EXPECT_EQ(Floats(base, 0), Floats(Base(), 0));
}

// Memory of a model: the learner's becomes the update's, unless the learner has kept something.
TEST_F(LearnerTest, TrainingInPlaceTakesTheMemoryOfOneModel) {
  const auto pool = std::make_shared<BufferPool>();
  factory_ = MakeLearnerTrainerFactory(registry_, pool);
  auto kept = std::make_shared<at::Tensor>();
  auto keeps = std::make_shared<bool>(false);
  auto trainer = Make(Drawing([=](const at::Tensor& w, TrainContext&) {
    at::Tensor mine = w;
    mine.add_(1);
    if (*keeps) *kept = mine.select(0, 1);
    return mine;
  }));
  auto output = trainer->Train(Base(), RequestOf(1));
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(Floats(output->update, 0), std::vector<float>(6, 1.0F));
  EXPECT_EQ(pool->idle_bytes(), 0u);
  output = absl::CancelledError("gone");
  const uint64_t one = pool->idle_bytes();  // all that was taken

  *keeps = true;
  output = trainer->Train(Base(), RequestOf(2));
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(Floats(output->update, 0), std::vector<float>(6, 1.0F));
  output = absl::CancelledError("gone");
  kept->add_(0);
  EXPECT_GT(pool->idle_bytes(), 0u) << "the update had a block of its own";
  EXPECT_LT(pool->idle_bytes(), one) << "the learner's is still held";
  EXPECT_TRUE(kept->equal(at::arange(4, 7, at::kFloat))) << "it is the learner's";
}

TEST_F(LearnerTest, AcceptsTensorsInAnyOrderAndWithGradients) {
  Parts parts;
  parts.train = [](const StateDict& global, TrainContext&) -> absl::StatusOr<TrainResult> {
    TrainResult result;
    EXPECT_TRUE(result.model.Add("count", *global.Get("count")).ok());
    at::Tensor w = global.Get("w")->requires_grad_(true);
    w.square().sum().backward();
    EXPECT_TRUE(result.model.Add("w", w + w.grad()).ok());
    result.num_samples = 1;
    return result;
  };
  auto output = Make(parts)->Train(Base(), RequestOf(1));
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(Floats(output->update, 0), (std::vector<float>{0, 2, 4, 6, 8, 10}));
}

TEST_F(LearnerTest, RandomNumbersDependOnSeedLeafAndTaskAlone) {
  auto train = [](Trainer& trainer, uint64_t seq) {
    auto output = trainer.Train(Base(), RequestOf(seq));
    EXPECT_TRUE(output.ok()) << output.status();
    return Floats(output->update, 0);
  };
  auto trainer = Make(Drawing([](const at::Tensor& w, TrainContext& context) {
    return w + at::randn({2, 3}, context.generator, at::kFloat);
  }));
  const auto first = train(*trainer, 1), second = train(*trainer, 2);
  EXPECT_NE(first, second);
  EXPECT_EQ(train(*trainer, 1), first);            // whatever was drawn in between
  EXPECT_EQ(train(*MakeAnother(3), 2), second);    // another life of the worker
  EXPECT_NE(train(*MakeAnother(4), 1), first);     // another leaf
  EXPECT_NE(train(*MakeAnother(3, 2), 1), first);  // another seed
}

TEST_F(LearnerTest, InitialModelDependsOnTheSeedAlone) {
  Parts parts;
  parts.initialize = [](InitContext& context) -> absl::StatusOr<StateDict> {
    // One from our generator, one from libtorch's global one, as default initializers draw it.
    return ModelOf(at::randn({4}, context.generator, at::kFloat), at::randn({4}));
  };
  Make(parts);
  auto initial = [&](uint64_t seed) {
    at::randn({17});  // the global generator is somewhere
    auto trainer = factory_(ConfigOf("test", seed), CoordinatorView());
    auto model = (*trainer)->Initialize();
    EXPECT_TRUE(model.ok()) << model.status();
    return std::pair(Floats(*model, 0), Floats(*model, 1));
  };
  const auto one = initial(1);
  EXPECT_EQ(initial(1), one);
  EXPECT_NE(initial(2).first, one.first);
  EXPECT_NE(initial(2).second, one.second);
}

TEST_F(LearnerTest, GlobalGeneratorRepeatsForLearnersThatDeclareIt) {
  LearnerOptions options;
  options.uses_global_rng = true;
  auto trainer = Make(Drawing([](const at::Tensor& w, TrainContext&) {
                        at::Tensor sum = w;
                        for (int i = 0; i < 50; ++i) {
                          sum = sum + at::dropout(at::ones({2, 3}), 0.5, /*train=*/true);
                          std::this_thread::yield();
                        }
                        return sum;
                      }),
                      options);
  auto train = [](Trainer& which) {
    std::vector<std::vector<float>> updates;
    for (uint64_t seq = 1; seq <= 5; ++seq) {
      auto output = which.Train(Base(), RequestOf(seq));
      EXPECT_TRUE(output.ok()) << output.status();
      updates.push_back(Floats(output->update, 0));
    }
    return updates;
  };
  const auto alone = train(*trainer);
  EXPECT_NE(alone[0], alone[1]);
  // Now with others that draw at the same time.
  std::vector<std::unique_ptr<Trainer>> trainers;
  std::vector<std::future<std::vector<std::vector<float>>>> results;
  for (LeafIndex leaf = 2; leaf < 6; ++leaf) {
    factory_ = MakeLearnerTrainerFactory(registry_);  // every node may have a factory of its own
    trainers.push_back(MakeAnother(leaf));
  }
  for (auto& one : trainers) {
    results.push_back(std::async(std::launch::async, [&] { return train(*one); }));
  }
  for (size_t i = 0; i < results.size(); ++i) {
    const auto updates = results[i].get();
    if (i == 1) {
      EXPECT_EQ(updates, alone);  // leaf 3
    } else {
      EXPECT_NE(updates, alone);
    }
  }
}

TEST_F(LearnerTest, CancelledWhileWaitingForTheGlobalGenerator) {
  LearnerOptions options;
  options.uses_global_rng = true;
  std::promise<void> training, release;
  auto holder = Make(Drawing([&](const at::Tensor& w, TrainContext& context) {
                       if (context.round == 1) {
                         training.set_value();
                         release.get_future().wait();
                       }
                       return w;
                     }),
                     options);
  auto other = MakeAnother(4);
  auto held = std::async(std::launch::async, [&] { return holder->Train(Base(), RequestOf(1)); });
  training.get_future().wait();
  auto cancelled = std::make_shared<std::atomic<bool>>(false);
  TrainRequest request = RequestOf(2);
  request.cancelled = cancelled;
  auto waiting = std::async(std::launch::async, [&] { return other->Train(Base(), request); });
  *cancelled = true;
  EXPECT_EQ(waiting.get().status().code(), absl::StatusCode::kCancelled);
  release.set_value();
  EXPECT_TRUE(held.get().ok());
}

TEST_F(LearnerTest, TrainsWithOneIntraOpThread) {
  int threads = 0;
  auto trainer = Make(Drawing([&](const at::Tensor& w, TrainContext&) {
    threads = at::get_num_threads();
    return w;
  }));
  std::thread([&] {
    at::set_num_threads(2);
    EXPECT_TRUE(trainer->Train(Base(), RequestOf(1)).ok());
  }).join();
  EXPECT_EQ(threads, 1);
}

TEST_F(LearnerTest, ExceptionsBecomeErrorsThatNameNodeAndRound) {
  Parts parts;
  parts.train = [](const StateDict&, TrainContext& context) -> absl::StatusOr<TrainResult> {
    if (context.round == 1) throw std::runtime_error("disk is full");
    if (context.round == 2) at::mm(at::ones({2, 3}), at::ones({2, 3}));
    throw 42;
  };
  auto trainer = Make(parts);
  const auto text = [&](uint64_t seq) {
    return Message(trainer->Train(Base(), RequestOf(seq)).status());
  };
  EXPECT_EQ(text(1), "worker 'w3', learner 'test', round 1: exception: disk is full");
  EXPECT_THAT(text(2), HasSubstr("round 2: libtorch: mat1 and mat2 shapes cannot be multiplied"));
  EXPECT_THAT(text(2), Not(HasSubstr("frame #")));  // no backtrace
  EXPECT_THAT(text(3), HasSubstr("round 3: exception that is no std::exception"));
}

TEST_F(LearnerTest, StatusOfTheLearnerKeepsItsCode) {
  Parts parts;
  parts.train = [](const StateDict&, TrainContext&) -> absl::StatusOr<TrainResult> {
    return absl::UnavailableError("no battery");
  };
  auto status = Make(parts)->Train(Base(), RequestOf(4)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Message(status), "worker 'w3', learner 'test', round 4: no battery");
}

TEST_F(LearnerTest, ALearnersOwnInvalidArgumentIsNotARefusedResult) {
  Parts parts;
  parts.train = [](const StateDict&, TrainContext&) -> absl::StatusOr<TrainResult> {
    return absl::InvalidArgumentError("bad batch");
  };
  auto status = Make(parts)->Train(Base(), RequestOf(4)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(Message(status), HasSubstr("bad batch"));
}

TEST_F(LearnerTest, AResultThatIsNoUpdateIsInvalidArgument) {
  const auto output =
      Make(Returning(at::zeros({3, 2}), at::zeros({}, at::kLong)))->Train(Base(), RequestOf(4));
  EXPECT_EQ(output.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(LearnerTest, WrongShapeNamesTheTensor) {
  EXPECT_THAT(TrainError(Returning(at::zeros({3, 2}), at::zeros({}, at::kLong))),
              HasSubstr("\"w\": expected F32[2,3], got F32[3,2]"));
}

TEST_F(LearnerTest, WrongTypeNamesTheTensor) {
  EXPECT_THAT(TrainError(Returning(at::zeros({2, 3}), at::zeros({}, at::kInt))),
              HasSubstr("\"count\": expected I64[], got I32[]"));
}

TEST_F(LearnerTest, MissingTensorIsNamed) {
  Parts parts;
  parts.train = [](const StateDict& global, TrainContext&) -> absl::StatusOr<TrainResult> {
    TrainResult result;
    EXPECT_TRUE(result.model.Add("w", *global.Get("w")).ok());
    result.num_samples = 1;
    return result;
  };
  EXPECT_THAT(TrainError(parts), HasSubstr("did not return tensor 'count'"));
}

TEST_F(LearnerTest, UnknownTensorIsNamed) {
  Parts parts;
  parts.train = [](const StateDict& global, TrainContext&) -> absl::StatusOr<TrainResult> {
    TrainResult result{global, 1, {}};
    EXPECT_TRUE(result.model.Add("momentum", at::zeros({1})).ok());
    return result;
  };
  EXPECT_THAT(TrainError(parts), HasSubstr("returned tensor 'momentum'"));
}

TEST_F(LearnerTest, NumSamplesMustBeWithinTheDeclaredBound) {
  const at::Tensor w = at::zeros({2, 3}), count = at::zeros({}, at::kLong);
  LearnerOptions options;
  options.max_samples = 100;
  EXPECT_THAT(TrainError(Returning(w, count, 101), options), HasSubstr("101; it must be 1 to 100"));
  EXPECT_TRUE(registry_
                  .Register("zero",
                            [&](const WorkerContext&) -> absl::StatusOr<std::unique_ptr<Learner>> {
                              return std::make_unique<FunctionLearner>(Returning(w, count, 0));
                            })
                  .ok());
  auto trainer = factory_(ConfigOf("zero"), WorkerView(0));
  EXPECT_THAT(Message((*trainer)->Train(Base(), RequestOf(1)).status()),
              HasSubstr("num_samples 0"));
}

TEST_F(LearnerTest, CancelledRequestDoesNotCallTheLearner) {
  bool called = false;
  auto trainer = Make(Drawing([&](const at::Tensor& w, TrainContext&) {
    called = true;
    return w;
  }));
  EXPECT_EQ(trainer->Train(Base(), RequestOf(1, /*cancelled=*/true)).status().code(),
            absl::StatusCode::kCancelled);
  EXPECT_FALSE(called);
}

TEST_F(LearnerTest, LearnerSeesCancellationAndItsResultIsDropped) {
  auto flag = std::make_shared<std::atomic<bool>>(false);
  auto trainer = Make(Drawing([&](const at::Tensor& w, TrainContext& context) {
    EXPECT_FALSE(context.Cancelled());
    *flag = true;
    EXPECT_TRUE(context.Cancelled());
    return w;
  }));
  TrainRequest request = RequestOf(1);
  request.cancelled = flag;
  EXPECT_EQ(trainer->Train(Base(), request).status().code(), absl::StatusCode::kCancelled);
}

TEST_F(LearnerTest, EvaluatesWithoutGradients) {
  Parts parts;
  parts.evaluate = [](const StateDict& model, EvalContext&) -> absl::StatusOr<EvalResult> {
    EXPECT_FALSE(at::GradMode::is_enabled());
    return EvalResult{5, {{"loss", model.Get("w")->sum().item<double>()}}};
  };
  auto output = Make(parts)->Evaluate(Base(), RequestOf(1));
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(output->num_samples, 5u);
  EXPECT_EQ(output->metrics.at("loss"), 15.0);
  EXPECT_TRUE(at::GradMode::is_enabled());
}

TEST_F(LearnerTest, FactoryIsToldOfItsWorkerAndItsErrorsNameIt) {
  WorkerContext seen;
  LearnerOptions options;
  options.schema = std::make_shared<ParamSchema>(std::vector<ParamSpec>{
      {.name = "lr", .type = ParamSpec::Type::kReal, .default_value = 0.25, .min = 0}});
  ASSERT_TRUE(
      registry_
          .Register(
              "picky",
              [&](const WorkerContext& context) -> absl::StatusOr<std::unique_ptr<Learner>> {
                seen = context;
                return absl::NotFoundError("no data here");
              },
              options)
          .ok());
  RunConfig config = ConfigOf("picky", 77);
  config.data = {{"path", "somewhere"}};
  NodeView view = WorkerView(5);
  view.attributes = {{"site", "north"}};
  auto status = factory_(config, view).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Message(status), "worker 'w5', learner 'picky': no data here");
  EXPECT_EQ(seen.leaf, 5u);
  EXPECT_EQ(seen.num_workers, 8u);
  EXPECT_EQ(seen.seed, 77u);
  EXPECT_FALSE(seen.is_coordinator);
  EXPECT_EQ(seen.params.Real("lr"), 0.25);
  EXPECT_EQ(seen.data.String("path"), "somewhere");
  EXPECT_EQ(*seen.attributes.at("site").AsString(), "north");

  config.learner.params = {{"rl", 0.5}};
  EXPECT_THAT(Message(factory_(config, view).status()), HasSubstr("learner 'picky'"));
  config.learner.name = "pikcy";
  EXPECT_THAT(Message(factory_(config, view).status()), HasSubstr("picky"));
}

TEST_F(LearnerTest, NamesAreTakenOnce) {
  Make({});
  EXPECT_EQ(registry_.Register("test", nullptr).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(registry_.Names(), std::vector<std::string>{"test"});
}

}  // namespace
}  // namespace skein
