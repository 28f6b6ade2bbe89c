#include "strategy/linear/tile_queue.h"

#include <cmath>
#include <functional>
#include <utility>

#include <gtest/gtest.h>

#include "testing/fold_samples.h"

namespace skein {
namespace {

using testing::Filled;
using testing::MakeManifest;

constexpr int64_t kElements = 40;

// Kernels that tell how many runs a pass has, and let a test act in the middle of the first.
struct Passes {
  std::vector<int> runs;  // negative for a pass that takes out
  std::function<void()> during_first;
};
Passes& Seen() {
  static Passes passes;
  return passes;
}
void See(int runs) {
  Seen().runs.push_back(runs);
  if (auto during = std::exchange(Seen().during_first, nullptr)) during();
}
RunMask Add(std::span<const FloatRun> runs, float bound, std::span<uint64_t> acc) {
  See(static_cast<int>(runs.size()));
  return PortableFoldKernels().add_floats(runs, bound, acc);
}
RunMask Subtract(std::span<const FloatRun> runs, float bound, std::span<uint64_t> acc) {
  See(-static_cast<int>(runs.size()));
  return PortableFoldKernels().subtract_floats(runs, bound, acc);
}

class TileQueueTest : public ::testing::Test {
 protected:
  TileQueueTest() : model_(MakeManifest({{"w", DType::kFloat32, {kElements}}})) {
    Seen() = {};
    kernels_ = PortableFoldKernels();
    kernels_.add_floats = Add;
    kernels_.subtract_floats = Subtract;
    const NumericPlan plan{.max_update_weight = 16,
                           .max_total_weight = 1024,
                           .scales = {{.scale_bits = 20, .bound_log2 = 6}}};
    shape_ = std::make_unique<LinearShape>(*LinearShape::Create(
        model_, plan, IntegerRule::kMaximum, {.kernels = &kernels_, .tile_elements = kElements}));
    ring_ = std::make_unique<RingSums>(*shape_, buffers_);
    queue_ = std::make_unique<TileQueue>(*ring_, 1);
    for (size_t k = 0; k < 8; ++k) {
      tensors_.push_back(Filled(model_, [&](size_t, uint64_t i) {
        return std::sin(static_cast<double>(k * kElements + i));
      }));
      inputs_.push_back(std::make_unique<FoldingInput>(
          LinearInput{.bytes = tensors_[k].bytes(), .weight = static_cast<int64_t>(k) + 1}));
    }
  }

  FoldingInput& input(size_t k) { return *inputs_[k]; }

  // The sums are those of exactly these inputs.
  void ExpectSumsOf(const std::vector<size_t>& which) {
    std::vector<uint64_t> expected(kElements, 0);
    for (const size_t k : which) {
      const FloatRun run{tensors_[k].bytes().data(), std::ldexp(static_cast<double>(k + 1), 20)};
      PortableFoldKernels().add_floats({&run, 1}, 64, expected);
    }
    const uint64_t* sums = ring_->sums(0);
    EXPECT_EQ(std::vector<uint64_t>(sums, sums + kElements), expected);
  }

  const Manifest model_;
  FoldKernels kernels_;
  std::unique_ptr<LinearShape> shape_;
  BufferPool buffers_;
  std::unique_ptr<RingSums> ring_;
  std::unique_ptr<TileQueue> queue_;
  std::vector<PackedTensors> tensors_;
  std::vector<std::unique_ptr<FoldingInput>> inputs_;
};

TEST_F(TileQueueTest, AddsUpToFourThatWaitInOnePass) {
  Seen().during_first = [&] {
    for (size_t k = 1; k < 7; ++k) queue_->Add(0, input(k));
    EXPECT_EQ(input(3).unsettled, 1u);
  };
  queue_->Add(0, input(0));
  EXPECT_EQ(Seen().runs, (std::vector<int>{1, 4, 2}));
  for (size_t k = 0; k < 7; ++k) EXPECT_EQ(input(k).unsettled, 0u);
  ExpectSumsOf({0, 1, 2, 3, 4, 5, 6});
}

TEST_F(TileQueueTest, TakesOutOneByOneBetweenThoseItAdds) {
  for (const size_t k : {0, 1, 2}) queue_->Add(0, input(k));
  Seen().runs.clear();
  Seen().during_first = [&] {
    queue_->Subtract(0, input(0));
    queue_->Add(0, input(4));
    queue_->Subtract(0, input(1));
    queue_->Add(0, input(5));
    queue_->Add(0, input(6));
  };
  queue_->Add(0, input(3));
  EXPECT_EQ(Seen().runs, (std::vector<int>{1, -1, 3, -1}));
  ExpectSumsOf({2, 3, 4, 5, 6});
}

TEST_F(TileQueueTest, OneThatIsRefusedDoesNotSpoilThePass) {
  testing::SetValue(tensors_[2], 0, 33, -INFINITY);
  Seen().during_first = [&] {
    for (const size_t k : {1, 2, 3}) queue_->Add(0, input(k));
  };
  queue_->Add(0, input(0));
  EXPECT_EQ(Seen().runs, (std::vector<int>{1, 3, -1}));
  ExpectSumsOf({0, 1, 3});
  EXPECT_FALSE(queue_->OffenseOf(input(1)));
  ASSERT_TRUE(queue_->OffenseOf(input(2)));
  EXPECT_EQ(queue_->OffenseOf(input(2))->element, 33u);
  EXPECT_EQ(input(2).refused, std::vector<size_t>{0});
}

}  // namespace
}  // namespace skein
