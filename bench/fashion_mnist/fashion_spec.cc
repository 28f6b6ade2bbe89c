#include "fashion_spec.h"

#include <memory>
#include <string>

#include <skein/federation/run_spec.h>

#include "fashion_cnn.h"
#include "fashion_data.h"

absl::StatusOr<FashionSpec> ReadFashionSpec(int argc, char** argv) {
  if (argc < 2) return absl::InvalidArgumentError("usage: SPEC.yaml [PATH=VALUE ...]");
  skein::SpecOverrides overrides;
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
    const size_t equals = word.find('=');
    if (equals == std::string::npos) return absl::InvalidArgumentError(word + ": no PATH=VALUE");
    overrides.set.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  skein::Registries registries;
  skein::RegisterBuiltins(registries);
  SKEIN_RETURN_IF_ERROR(registries.learners.Register(
      "fashion-cnn", MakeFashionCnn(std::make_shared<FashionData>()), FashionCnnOptions()));
  SKEIN_ASSIGN_OR_RETURN(skein::RunSpec run, skein::ReadRunSpec(argv[1], overrides, registries));
  SKEIN_ASSIGN_OR_RETURN(skein::LearnerRegistry::Entry learner,
                         registries.learners.Find(run.config.learner.name));
  return FashionSpec{std::move(learner), std::move(run)};
}
