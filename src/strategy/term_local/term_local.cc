#include "strategy/term_local/term_local.h"

#include <fnmatch.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "skein/strategy/client_term.h"

namespace skein {
namespace {

// "head.*, *.bias" as its parts.
std::vector<std::string> PatternsOf(const std::string& text) {
  std::vector<std::string> patterns;
  std::string pattern;
  for (const char c : text + ",") {
    if (c == ' ') continue;
    if (c != ',') {
      pattern += c;
    } else if (!pattern.empty()) {
      patterns.push_back(std::exchange(pattern, {}));
    }
  }
  return patterns;
}

}  // namespace

absl::Status RegisterLocalTerm(StrategyRegistries& registries) {
  return registries.terms.Register(
      {.name = "local",
       .summary = "keeps some tensors at the worker, as a head or all but an adapter",
       .source = "Arivazhagan et al. 2019, arXiv 1912.00818",
       .schema = ParamSchema({{.name = "keep",
                               .type = ParamSpec::Type::kString,
                               .default_value = "",
                               .doc = "tensors of these names stay, as in 'head.*, *.bias'"},
                              {.name = "share",
                               .type = ParamSpec::Type::kString,
                               .default_value = "",
                               .doc = "in place of keep: all others stay, as with '*lora*'"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const ClientTerm>> {
        const std::vector<std::string> keep = PatternsOf(params.String("keep"));
        const std::vector<std::string> share = PatternsOf(params.String("share"));
        if (keep.empty() == share.empty()) {
          return absl::InvalidArgumentError(
              "term 'local': 'keep' says which tensors stay at the worker, or 'share' which do "
              "not: give it one of the two");
        }
        const bool stays = share.empty();
        return std::make_shared<ClientTerm>(ClientTerm{
            .stays =
                [stays, patterns = stays ? keep : share](const Manifest& model, size_t tensor) {
                  const char* name = model[tensor].name.c_str();
                  const bool named = std::ranges::any_of(patterns, [&](const std::string& pattern) {
                    return fnmatch(pattern.c_str(), name, 0) == 0;
                  });
                  return named == stays;
                },
            .conflicts = {"fedbn", "scaffold", "feddyn", "ditto"}});
      });
}

}  // namespace skein
