#ifndef SKEIN_STRATEGY_CLIENT_TERM_H_
#define SKEIN_STRATEGY_CLIENT_TERM_H_

#include <functional>
#include <string>
#include <vector>

#include "skein/tensor/manifest.h"

namespace skein {

// What a strategy adds to the training of a learner, as numbers: w is the worker's model while it
// trains, x the global one that it began from, y what it ended with. LocalTerms applies it at the
// worker. To add a term: a folder of src/strategy/ that registers such a value, and a Register line
// in builtins. Immutable; shared by threads.
struct ClientTerm {
  // gradient += pull * (w - x) - k + c, for every trainable float parameter.
  double pull = 0;

  // k is kept by the worker from task to task, one tensor a parameter, and begins at 0. After
  // training, k += d with d = (x - y) * rate - c, where rate is
  enum class Keeps {
    kNothing,         // there is no k
    kMeanGradient,    // 1 / the sum of the learning rates
    kPulledGradient,  // `pull`
  };
  Keeps keeps = Keeps::kNothing;

  // c is of the model: one tensor a parameter travels with it, begins at 0, and takes
  // c += (participants / workers) * mean d when a round is over.
  bool has_companion = false;

  // There is a second model, of the worker alone, which begins as x. It trains like the first one,
  // with the pull towards x; the first one trains without.
  bool personal = false;

  // Tensors of the model that stay at the worker: it has its own, which begin as the model's, and
  // those of the model do not change. Null: all are shared.
  std::function<bool(const Manifest& model, size_t tensor)> stays = nullptr;

  // What else of the strategy it takes to be the paper's algorithm.
  bool needs_rounds = false;           // a barrier at every tier, and no local rounds
  std::vector<std::string> folds;      // one of these at every tier; empty: any
  std::string optimizer;               // that one; empty: any
  std::vector<std::string> conflicts;  // other terms it cannot stand beside
};

}  // namespace skein

#endif  // SKEIN_STRATEGY_CLIENT_TERM_H_
