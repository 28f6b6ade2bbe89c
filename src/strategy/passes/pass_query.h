#ifndef SKEIN_SRC_STRATEGY_PASSES_PASS_QUERY_H_
#define SKEIN_SRC_STRATEGY_PASSES_PASS_QUERY_H_

#include <cstdint>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/tensor/packed_tensors.h"
#include "strategy/passes/pass_scope.h"

namespace skein {

// A fold that needs every contribution can be worked out where they are, by several sums over the
// tree: the node that finishes asks, those that hold contributions answer, and the nodes between
// add the answers up. Before the first question each says who has contributed.
//
// What is asked in a pass.
struct PassQuery {
  enum class Kind : int64_t {
    kCounts = 1,     // for each rank that is sought, how many values begin with which digit
    kBetween = 2,    // the sum and the number of the values between the two that were found
    kSums = 3,       // the weighted sum of each element
    kDistances = 4,  // how far each contribution is from a point, squared
  };
  Kind kind = Kind::kCounts;
  PassOver over = PassOver::kAll;
  uint64_t contributions = 0;   // of the whole tree
  uint64_t kept = 0;            // kBetween: values from the lower one to the higher one
  int searches = 1;             // kCounts: ranks that are sought, 1 or 2
  bool begins = false;          // kCounts: the first digit is asked for
  int scale_bits = 0;           // kSums: of the terms; see term_sums.h
  std::vector<uint8_t> digits;  // kCounts, kBetween: those found last; see RankPrefixes
  std::vector<double> weights;  // kSums: of each leaf
  std::vector<double> point;    // kDistances: an element for each of kAveraged
  friend bool operator==(const PassQuery&, const PassQuery&) = default;
};

// As it travels.
PackedTensors Pack(const PassQuery& query, BufferPool& buffers);
// InvalidArgument if it is none.
absl::StatusOr<PassQuery> ParsePassQuery(const PackedTensors& tensors);

// The tensors of an answer: integers all of them, which add up modulo their width.
//   before the first question: "leaves" (1 for those that have contributed), "samples", "largest"
//     (bits of a double, the largest magnitude of a float that is averaged), for each leaf
//   kCounts: "floats" [search][element], values whose next bit is 0, and "integers"
//     [search][digit 0 to 2][element]
//   kBetween: "sums" and "counts" of floats, "low" (the lower 32 bits of each, without sign),
//     "high" (the others) and "integer_counts"
//   kSums: "sums"
//   kDistances: "distances" (bits of a double) for each leaf
// `query`: null before the first one. `workers`: leaves of the tree.
Manifest AnswerLayout(const PassQuery* query, const Manifest& update, uint64_t workers);

// The names above, by position.
inline constexpr size_t kLeaves = 0, kSamples = 1, kLargest = 2;
inline constexpr size_t kFloatCounts = 0, kIntegerCounts = 1;
inline constexpr size_t kBetweenSums = 0, kBetweenCounts = 1, kBetweenLow = 2, kBetweenHigh = 3,
                        kBetweenIntegers = 4;

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_PASSES_PASS_QUERY_H_
