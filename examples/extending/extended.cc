// The skein command line with a selector and a fold of its own:
//   extended run examples/extending/extended.yaml
#include <cstdio>

#include <skein/skein.h>

#include "capped_fedavg.h"
#include "every_nth.h"

int main(int argc, char** argv) {
  skein::App app;
  skein::StrategyRegistries& strategies = app.registries().strategies;
  for (const absl::Status& status :
       {RegisterEveryNth(strategies), RegisterCappedFedAvg(strategies)}) {
    if (status.ok()) continue;
    std::fprintf(stderr, "%s\n", skein::Message(status).c_str());
    return 2;
  }
  return app.Main(argc, argv);
}
