#include "strategy/linear/fold_kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "skein/base/random.h"
#include "support/iterations.h"

namespace skein {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kTiny = std::numeric_limits<float>::denorm_min();

// Numbers in memory at an address that need not be theirs.
template <typename T>
std::vector<std::byte> Packed(const std::vector<T>& values, size_t misaligned = 0) {
  std::vector<std::byte> bytes(misaligned + values.size() * sizeof(T));
  if (!values.empty()) {
    std::memcpy(bytes.data() + misaligned, values.data(), values.size() * sizeof(T));
  }
  return bytes;
}

double Factor(double weight, int scale_bits) { return std::ldexp(weight, scale_bits); }

// ---- each kind of kernels by itself ----

class FoldKernelsTest : public ::testing::TestWithParam<const FoldKernels*> {
 protected:
  void SetUp() override {
    if (GetParam() == nullptr) GTEST_SKIP() << "this processor has no AVX2";
  }
  const FoldKernels& kernels() const { return *GetParam(); }

  // q of a value, wherever it stands in a run.
  int64_t One(float value, double weight, int scale_bits, bool wide) const {
    const std::vector<std::byte> bytes = Packed(std::vector<float>(11, value));
    const FloatRun run{bytes.data(), Factor(weight, scale_bits)};
    std::vector<uint64_t> acc(11, 0);
    (wide ? kernels().add_floats_wide : kernels().add_floats)({&run, 1}, kInf, acc);
    EXPECT_EQ(acc, std::vector<uint64_t>(11, acc[0]));
    return static_cast<int64_t>(acc[0]);
  }
};

TEST_P(FoldKernelsTest, RoundsHalfToEven) {
  const std::vector<std::pair<float, int64_t>> cases = {{0.5f, 0},  {1.5f, 2},   {2.5f, 2},
                                                        {-0.5f, 0}, {-1.5f, -2}, {-2.5f, -2},
                                                        {0.75f, 1}, {-0.75f, -1}};
  for (const auto& [value, q] : cases) {
    EXPECT_EQ(One(value, 1, 0, false), q) << value;
    EXPECT_EQ(One(value, 1, 0, true), q) << value;
  }
}

TEST_P(FoldKernelsTest, FastAndWideAgreeWithRounding) {
  Rng rng(3);
  for (int i = 0; i < FuzzIterations(20000); ++i) {
    const int scale_bits = static_cast<int>(rng.Below(40));
    const double weight = static_cast<double>(1 + rng.Below(600));
    const auto value = static_cast<float>(2 * rng.Uniform() - 1);  // |q| <= 2^50
    const double exact = static_cast<double>(value) * weight * std::ldexp(1.0, scale_bits);
    ASSERT_EQ(One(value, weight, scale_bits, false), std::llrint(exact));
    ASSERT_EQ(One(value, weight, scale_bits, true), std::llrint(exact));
    // Up to 2^62, and where the halves of the wide conversion meet.
    const int more = static_cast<int>(rng.Below(62));
    const double large = static_cast<double>(value) * std::ldexp(1.0, more);
    ASSERT_EQ(One(value, 1, more, true), std::llrint(large));
  }
}

TEST_P(FoldKernelsTest, IsRightAtTheBound) {
  const int64_t bound = int64_t{1} << 50;
  EXPECT_EQ(One(1, 1, 50, false), bound);
  EXPECT_EQ(One(-1, 1, 50, false), -bound);
  EXPECT_EQ(One(kTiny, 1, 50, false), 0);
  EXPECT_EQ(One(1, 0x1p12, 50, true), int64_t{1} << 62);
  EXPECT_EQ(One(-1, 0x1p12, 50, true), -(int64_t{1} << 62));
  EXPECT_EQ(One(0x1.8p31f, 1, 0, true), int64_t{3} << 30);
  EXPECT_EQ(One(-0x1p-1f, 1, 0, true), 0);
}

TEST_P(FoldKernelsTest, AddsToWhatIsThereForAnyLength) {
  for (size_t length = 0; length <= 67; ++length) {
    std::vector<float> values(length);
    std::vector<uint64_t> acc(length + 1, 1000);
    for (size_t i = 0; i < length; ++i) values[i] = static_cast<float>(i) - 5;
    const std::vector<std::byte> bytes = Packed(values, 1);
    const FloatRun run{bytes.data() + 1, Factor(3, 1)};
    EXPECT_EQ(kernels().add_floats({&run, 1}, 100, std::span(acc).first(length)), 0u);
    for (size_t i = 0; i < length; ++i) {
      ASSERT_EQ(static_cast<int64_t>(acc[i]), 1000 + 6 * (static_cast<int64_t>(i) - 5));
    }
    EXPECT_EQ(acc[length], 1000u) << "one past the end";
  }
}

TEST_P(FoldKernelsTest, NamesTheRunsWithAnElementBeyondItsBound) {
  for (const size_t length : {1, 7, 8, 100}) {
    for (const float bad : {NAN, -NAN, kInf, -kInf, std::nextafter(8.0f, 9.0f), -8.5f}) {
      for (size_t at = 0; at < length; at += 3) {
        std::vector<float> good(length, 8.0f), other(length, -8.0f);  // the bound is allowed
        other[at] = bad;
        const auto a = Packed(good), b = Packed(other);
        std::vector<uint64_t> acc(length, 42);
        const std::vector<FloatRun> runs = {{a.data(), 2}, {b.data(), 2}, {a.data(), 1}};
        EXPECT_EQ(kernels().add_floats(runs, 8, acc), 0b010u) << bad << " at " << at;
        kernels().subtract_floats(runs, 8, acc);
        EXPECT_EQ(kernels().add_floats_wide(runs, 8, acc), 0b010u) << bad << " at " << at;
        kernels().subtract_floats_wide(runs, 8, acc);
        EXPECT_EQ(acc, std::vector<uint64_t>(length, 42)) << "taken out again";
      }
    }
  }
}

TEST_P(FoldKernelsTest, NamesTheSumsOutOfTheirRange) {
  for (const size_t length : {1, 3, 4, 50}) {
    for (const int64_t bad : {int64_t{-6}, int64_t{8}, INT64_MIN, INT64_MAX}) {
      std::vector<int64_t> good(length, -5), other(length, 7);
      other[length - 1] = bad;
      const auto a = Packed(good), b = Packed(other, 3);
      std::vector<uint64_t> acc(length, 42);
      const std::vector<SumRun> runs = {{a.data(), -5, 7}, {b.data() + 3, -5, 7}};
      EXPECT_EQ(kernels().add_sums(runs, acc), 0b10u) << bad;
      EXPECT_EQ(acc[length - 1], 37 + static_cast<uint64_t>(bad));
      kernels().subtract_sums(runs, acc);
      EXPECT_EQ(acc, std::vector<uint64_t>(length, 42));
    }
  }
}

TEST_P(FoldKernelsTest, MeansAreRoundedOnceAllOverTheRange) {
  std::vector<uint64_t> acc;
  for (int bit = 0; bit < 64; ++bit) {
    for (const int64_t around : {-3, -2, -1, 0, 1, 2, 3}) {
      acc.push_back((uint64_t{1} << bit) + static_cast<uint64_t>(around));
      acc.push_back(0 - acc.back());
      // Halfway between two doubles, and just beside.
      if (bit > 54) acc.push_back(acc.back() + (uint64_t{1} << (bit - 53)));
    }
  }
  std::vector<double> means(acc.size());
  kernels().means(acc.data(), 3.0, means);
  for (size_t i = 0; i < acc.size(); ++i) {
    ASSERT_EQ(means[i], static_cast<double>(static_cast<int64_t>(acc[i])) / 3.0) << acc[i];
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, FoldKernelsTest,
                         ::testing::Values(&PortableFoldKernels(), Avx2FoldKernels()),
                         [](const auto& tested) {
                           return std::string(tested.param == &PortableFoldKernels() ? "Portable"
                                                                                     : "Avx2");
                         });

// ---- all kinds against each other ----

// Any float, with those that go wrong most easily more often than others.
float AnyFloat(Rng& rng) {
  const float special[] = {0.0f,
                           -0.0f,
                           kTiny,
                           -kTiny,
                           0x1p-126f,
                           0.5f,
                           1.5f,
                           -2.5f,
                           1.0f,
                           0x1p50f,
                           kInf,
                           -kInf,
                           NAN,
                           -NAN,
                           std::bit_cast<float>(0x7f800001u),
                           std::numeric_limits<float>::max()};
  switch (rng.Below(4)) {
    case 0:
      return special[rng.Below(std::size(special))];
    case 1:
      return std::bit_cast<float>(static_cast<uint32_t>(rng.Below(uint64_t{1} << 32)));
    case 2:
      return std::ldexp(static_cast<float>(rng.Below(64)) - 32, -1);  // halves
    default:
      return static_cast<float>(rng.Normal());
  }
}

class BothKernels : public ::testing::Test {
 protected:
  void SetUp() override {
    if (other_ == nullptr) GTEST_SKIP() << "this processor has no AVX2";
  }
  const FoldKernels& portable_ = PortableFoldKernels();
  const FoldKernels* other_ = Avx2FoldKernels();
};

TEST_F(BothKernels, GiveTheSameBitsForAnyFloats) {
  Rng rng(77);
  for (int i = 0; i < FuzzIterations(3000); ++i) {
    const size_t length = rng.Below(68), count = 1 + rng.Below(kMaxRuns);
    const bool harmless = rng.Below(2) == 0;
    std::vector<std::vector<std::byte>> bytes;
    std::vector<FloatRun> runs;
    for (size_t k = 0; k < count; ++k) {
      std::vector<float> values(length);
      for (float& v : values) v = harmless ? static_cast<float>(rng.Normal()) : AnyFloat(rng);
      const size_t misaligned = rng.Below(8);
      bytes.push_back(Packed(values, misaligned));
      const int scale_bits = static_cast<int>(rng.Below(100)) - 30;
      runs.push_back({bytes.back().data() + misaligned,
                      Factor(static_cast<double>(1 + rng.Below(1000)), scale_bits)});
    }
    std::vector<uint64_t> start(length);
    for (uint64_t& sum : start) sum = rng.Below(UINT64_MAX);
    const float bound = std::ldexp(1.0f, static_cast<int>(rng.Below(6)));
    for (const auto kernel : {&FoldKernels::add_floats, &FoldKernels::subtract_floats,
                              &FoldKernels::add_floats_wide, &FoldKernels::subtract_floats_wide}) {
      std::vector<uint64_t> a = start, b = start, one_by_one = start;
      ASSERT_EQ((portable_.*kernel)(runs, bound, a), (other_->*kernel)(runs, bound, b)) << i;
      ASSERT_EQ(a, b) << i;
      for (const FloatRun& run : runs) (other_->*kernel)({&run, 1}, bound, one_by_one);
      ASSERT_EQ(a, one_by_one) << i;
    }
    std::vector<uint64_t> undone = start;
    portable_.add_floats(runs, bound, undone);
    other_->subtract_floats(runs, bound, undone);
    other_->add_floats_wide(runs, bound, undone);
    portable_.subtract_floats_wide(runs, bound, undone);
    ASSERT_EQ(undone, start) << i;
  }
}

TEST_F(BothKernels, GiveTheSameBitsForAnySums) {
  Rng rng(78);
  for (int i = 0; i < FuzzIterations(3000); ++i) {
    const size_t length = rng.Below(68), count = 1 + rng.Below(kMaxRuns);
    std::vector<std::vector<std::byte>> bytes;
    std::vector<SumRun> runs;
    for (size_t k = 0; k < count; ++k) {
      std::vector<uint64_t> values(length);
      for (uint64_t& v : values) v = rng.Below(UINT64_MAX) >> rng.Below(64);
      const size_t misaligned = rng.Below(8);
      bytes.push_back(Packed(values, misaligned));
      const int64_t limit = INT64_MAX >> rng.Below(64);
      runs.push_back({bytes.back().data() + misaligned, -limit, limit});
    }
    std::vector<uint64_t> start(length);
    for (uint64_t& sum : start) sum = rng.Below(UINT64_MAX);
    for (const auto kernel : {&FoldKernels::add_sums, &FoldKernels::subtract_sums}) {
      std::vector<uint64_t> a = start, b = start;
      ASSERT_EQ((portable_.*kernel)(runs, a), (other_->*kernel)(runs, b)) << i;
      ASSERT_EQ(a, b) << i;
    }
    const double denominator = std::ldexp(static_cast<double>(1 + rng.Below(100000)), 30);
    std::vector<double> a(length), b(length);
    portable_.means(start.data(), denominator, a);
    other_->means(start.data(), denominator, b);
    ASSERT_EQ(a, b) << i;
  }
}

}  // namespace
}  // namespace skein
