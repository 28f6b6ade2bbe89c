#ifndef SKEIN_SRC_STRATEGY_PASSES_PASS_SCOPE_H_
#define SKEIN_SRC_STRATEGY_PASSES_PASS_SCOPE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "skein/tensor/manifest.h"

namespace skein {

// Which elements of an update a pass goes over.
enum class PassOver : int64_t {
  kAll = 1,
  kAveraged = 2,  // floats of which a mean is taken: all but buffers
  kRest = 3,      // all others
};

// Those elements one after another, floats and the others (integers, bools) each in a row of their
// own.
class PassScope {
 public:
  struct Piece {
    size_t tensor = 0;
    bool floats = true;
    uint64_t first = 0;  // where its elements begin in their row
    uint64_t count = 0;
  };

  PassScope(const Manifest& update, PassOver over);

  // In the order of the tensors.
  const std::vector<Piece>& pieces() const { return pieces_; }
  uint64_t floats() const { return floats_; }
  uint64_t integers() const { return integers_; }

 private:
  std::vector<Piece> pieces_;
  uint64_t floats_ = 0;
  uint64_t integers_ = 0;
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_PASSES_PASS_SCOPE_H_
