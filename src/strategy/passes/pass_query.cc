#include "strategy/passes/pass_query.h"

#include <array>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "skein/base/status.h"

namespace skein {
namespace {

enum Number : size_t { kKind, kOver, kContributions, kKept, kSearches, kBegins, kScale, kNumbers };
constexpr int64_t kMaxScaleBits = 1100;

TensorInfo Row(const char* name, DType dtype, std::vector<uint64_t> shape) {
  return {name, dtype, {shape.begin(), shape.end()}, TensorRole::kBuffer};
}

template <typename T>
void Put(const std::vector<T>& values, std::span<std::byte> out) {
  if (!values.empty()) std::memcpy(out.data(), values.data(), out.size());
}

template <typename T>
std::vector<T> Get(std::span<const std::byte> bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

// Wide enough for a count of all contributions.
DType CountType(uint64_t contributions) {
  if (contributions <= UINT8_MAX) return DType::kUint8;
  return contributions <= INT16_MAX ? DType::kInt16 : DType::kInt32;
}

}  // namespace

PackedTensors Pack(const PassQuery& query, BufferPool& buffers) {
  std::vector<int64_t> numbers(kNumbers);
  numbers[kKind] = static_cast<int64_t>(query.kind);
  numbers[kOver] = static_cast<int64_t>(query.over);
  numbers[kContributions] = static_cast<int64_t>(query.contributions);
  numbers[kKept] = static_cast<int64_t>(query.kept);
  numbers[kSearches] = query.searches;
  numbers[kBegins] = query.begins ? 1 : 0;
  numbers[kScale] = query.scale_bits;
  PackedTensors tensors(*Manifest::Create({Row("numbers", DType::kInt64, {kNumbers}),
                                           Row("digits", DType::kUint8, {query.digits.size()}),
                                           Row("weights", DType::kFloat64, {query.weights.size()}),
                                           Row("point", DType::kFloat64, {query.point.size()})}),
                        buffers);
  Put(numbers, tensors.mutable_tensor(0));
  Put(query.digits, tensors.mutable_tensor(1));
  Put(query.weights, tensors.mutable_tensor(2));
  Put(query.point, tensors.mutable_tensor(3));
  return tensors;
}

absl::StatusOr<PassQuery> ParsePassQuery(const PackedTensors& tensors) {
  constexpr std::array kTypes = {DType::kInt64, DType::kUint8, DType::kFloat64, DType::kFloat64};
  const Manifest& manifest = tensors.manifest();
  bool sound = manifest.size() == kTypes.size();
  for (size_t t = 0; sound && t < kTypes.size(); ++t) sound = manifest[t].dtype == kTypes[t];
  sound = sound && manifest[0].NumElements() == kNumbers;
  PassQuery query;
  if (sound) {
    const auto numbers = Get<int64_t>(tensors.tensor(0));
    query = {.kind = static_cast<PassQuery::Kind>(numbers[kKind]),
             .over = static_cast<PassOver>(numbers[kOver]),
             .contributions = static_cast<uint64_t>(numbers[kContributions]),
             .kept = static_cast<uint64_t>(numbers[kKept]),
             .searches = static_cast<int>(numbers[kSearches]),
             .begins = numbers[kBegins] != 0,
             .scale_bits = static_cast<int>(numbers[kScale]),
             .digits = Get<uint8_t>(tensors.tensor(1)),
             .weights = Get<double>(tensors.tensor(2)),
             .point = Get<double>(tensors.tensor(3))};
    sound = numbers[kKind] >= 1 && numbers[kKind] <= 4 && numbers[kOver] >= 1 &&
            numbers[kOver] <= 3 && numbers[kContributions] >= 1 &&
            numbers[kContributions] <= INT32_MAX && numbers[kKept] >= 0 &&
            numbers[kKept] <= numbers[kContributions] && numbers[kSearches] >= 1 &&
            numbers[kSearches] <= 2 && numbers[kScale] >= -kMaxScaleBits &&
            numbers[kScale] <= kMaxScaleBits;
  }
  if (!sound) return absl::InvalidArgumentError("this is no question about contributions");
  return query;
}

Manifest AnswerLayout(const PassQuery* query, const Manifest& update, uint64_t workers) {
  std::vector<TensorInfo> rows;
  if (query == nullptr) {
    rows = {Row("leaves", DType::kInt64, {workers}), Row("samples", DType::kInt64, {workers}),
            Row("largest", DType::kInt64, {workers})};
  } else {
    const PassScope scope(update, query->over);
    const DType count = CountType(query->contributions);
    const auto searches = static_cast<uint64_t>(query->searches);
    switch (query->kind) {
      case PassQuery::Kind::kCounts:
        rows = {Row("floats", count, {searches, scope.floats()}),
                Row("integers", count, {searches, 3, scope.integers()})};
        break;
      case PassQuery::Kind::kBetween:
        rows = {Row("sums", DType::kInt64, {scope.floats()}),
                Row("counts", count, {scope.floats()}),
                Row("low", DType::kInt64, {scope.integers()}),
                Row("high", DType::kInt64, {scope.integers()}),
                Row("integer_counts", count, {scope.integers()})};
        break;
      case PassQuery::Kind::kSums:
        rows = {Row("sums", DType::kInt64, {scope.floats()})};
        break;
      case PassQuery::Kind::kDistances:
        rows = {Row("distances", DType::kInt64, {workers})};
        break;
    }
  }
  // An update's elements, or twice as many, are within any manifest's limits.
  return *Manifest::Create(std::move(rows));
}

}  // namespace skein
