// Folds rows of numbers, for comparison with other implementations. A case on standard input is
//   NAME KEY=VALUE,...|- N D, then N numbers of samples, then N rows of D floats,
// and a line of D floats on standard output is what the fold makes of them above a base of zeros.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "skein/base/status.h"
#include "skein/builtins/strategies.h"

namespace skein {
namespace {

class PlainStep : public ServerOptimizer {
 public:
  void BeginStep(const Manifest&) override {}
  void Step(size_t, uint64_t, std::span<const double> x, std::span<const double> mean_delta,
            std::span<double> next) override {
    for (size_t i = 0; i < x.size(); ++i) next[i] = x[i] + mean_delta[i];
  }
};

Value ValueOf(const std::string& text) {
  char* end = nullptr;
  const long long integer = std::strtoll(text.c_str(), &end, 10);
  if (*end == '\0') return Value(static_cast<int64_t>(integer));
  const double real = std::strtod(text.c_str(), &end);
  return *end == '\0' ? Value(real) : Value(text);
}

ValueMap ParamsOf(const std::string& text) {
  ValueMap params;
  std::stringstream list(text == "-" ? "" : text);
  for (std::string item; std::getline(list, item, ',');) {
    const size_t equals = item.find('=');
    params[item.substr(0, equals)] = ValueOf(item.substr(equals + 1));
  }
  return params;
}

absl::Status RunCase(const StrategyRegistries& strategies, const PartSpec& spec, std::istream& in) {
  size_t count = 0;
  size_t width = 0;
  in >> count >> width;
  std::vector<uint64_t> samples(count);
  for (uint64_t& n : samples) in >> n;
  SKEIN_ASSIGN_OR_RETURN(const auto fold, strategies.folds.Create(spec));
  SKEIN_ASSIGN_OR_RETURN(Manifest manifest,
                         Manifest::Create({{"x", DType::kFloat32, {static_cast<int64_t>(width)}}}));
  PackedTensors base(manifest);
  std::memset(base.mutable_bytes().data(), 0, base.bytes().size());
  SKEIN_ASSIGN_OR_RETURN(const NumericPlan plan,
                         MakeNumericPlan(base, fold->MaxUpdateWeight(1 << 20), count, 1 << 20));
  const auto accumulator = fold->NewAccumulator(manifest, plan);
  for (size_t k = 0; k < count; ++k) {
    std::vector<float> row(width);
    for (float& value : row) in >> value;
    PackedTensors update(manifest);
    std::memcpy(update.mutable_bytes().data(), row.data(), width * sizeof(float));
    UpdateHeader header;
    header.leaf = static_cast<LeafIndex>(k);
    header.num_samples = samples[k];
    SKEIN_RETURN_IF_ERROR(accumulator->Add(header, update));
  }
  if (!in) return absl::InvalidArgumentError("the input ends too soon, or is no number");
  PlainStep step;
  SKEIN_ASSIGN_OR_RETURN(const PackedTensors next, accumulator->Finish(base, step));
  for (size_t i = 0; i < width; ++i) {
    float value = 0;
    std::memcpy(&value, next.bytes().data() + i * sizeof(float), sizeof(float));
    std::printf("%.9g ", static_cast<double>(value));
  }
  std::printf("\n");
  return absl::OkStatus();
}

int Main() {
  StrategyRegistries strategies;
  RegisterBuiltinStrategies(strategies);
  std::string name;
  std::string params;
  while (std::cin >> name >> params) {
    const absl::Status status = RunCase(strategies, {name, ParamsOf(params)}, std::cin);
    if (status.ok()) continue;
    std::fprintf(stderr, "%s\n", Message(status).c_str());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace skein

int main() { return skein::Main(); }
