#ifndef SKEIN_APP_APP_H_
#define SKEIN_APP_APP_H_

#include <string>

#include "skein/builtins/builtins.h"

namespace skein {

// The skein command line as a library: a program that registers its learners and calls Main is the
// whole `skein` program with those learners in it, and runs as any node of a federation.
// Owns the registries. One thread.
class App {
 public:
  App();  // with everything that RegisterBuiltins knows

  // Aborts with a message if the name is taken.
  void RegisterLearner(const std::string& name, LearnerFactory factory,
                       LearnerOptions options = {});
  Registries& registries() { return registries_; }

  // Runs a command: run, topology, control, aggregator, worker, ... Returns the exit code: 0
  // success; 2 bad usage or input, nothing was created; 1 a run that failed.
  int Main(int argc, char** argv);

 private:
  Registries registries_;
};

}  // namespace skein

#endif  // SKEIN_APP_APP_H_
