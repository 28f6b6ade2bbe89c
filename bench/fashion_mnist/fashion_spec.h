#ifndef SKEIN_BENCH_FASHION_MNIST_FASHION_SPEC_H_
#define SKEIN_BENCH_FASHION_MNIST_FASHION_SPEC_H_

#include <absl/status/statusor.h>
#include <skein/skein.h>

// What a program of this folder is asked for: SPEC.yaml [PATH=VALUE ...], as in
// `fashion_mnist run SPEC.yaml --set PATH=VALUE`.
struct FashionSpec {
  skein::LearnerRegistry::Entry learner;
  skein::RunSpec run;
};

absl::StatusOr<FashionSpec> ReadFashionSpec(int argc, char** argv);

#endif  // SKEIN_BENCH_FASHION_MNIST_FASHION_SPEC_H_
