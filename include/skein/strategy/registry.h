#ifndef SKEIN_STRATEGY_REGISTRY_H_
#define SKEIN_STRATEGY_REGISTRY_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/base/status.h"
#include "skein/strategy/client_term.h"
#include "skein/strategy/fold.h"
#include "skein/strategy/mixing.h"
#include "skein/strategy/params.h"
#include "skein/strategy/round_policy.h"
#include "skein/strategy/selector.h"
#include "skein/strategy/server_optimizer.h"
#include "skein/strategy/staleness.h"
#include "skein/strategy/update_filter.h"

namespace skein {

// What users can be told of a part.
struct PartDescriptor {
  std::string name;     // in specs and on the command line; a compatibility contract
  std::string summary;  // one line
  std::string source;   // paper or "Skein"
  ParamSchema schema;
};

// InvalidArgument "unknown <kind> '<name>'", with the nearest known one, else the list.
absl::Status UnknownPart(const std::string& kind, const std::string& name,
                         const std::vector<std::string>& known);

// The parts of one kind, by name. Owned by the app or federation, filled before use, read-only
// after that (then any thread may call the const methods).
template <typename Part>
class Registry {
 public:
  using Factory = std::function<absl::StatusOr<std::shared_ptr<Part>>(const Params&)>;

  // `kind` names what it holds, for messages: "fold".
  explicit Registry(std::string kind) : kind_(std::move(kind)) {}

  // AlreadyExists if the name is taken.
  absl::Status Register(PartDescriptor descriptor, Factory factory) {
    std::string name = descriptor.name;
    if (!entries_.try_emplace(name, Entry{std::move(descriptor), std::move(factory)}).second) {
      return absl::AlreadyExistsError(kind_ + " '" + name + "' is registered already");
    }
    return absl::OkStatus();
  }

  // Checks the parameters and makes the part. InvalidArgument with a message for users.
  absl::StatusOr<std::shared_ptr<Part>> Create(const PartSpec& spec) const {
    auto it = entries_.find(spec.name);
    if (it == entries_.end()) return UnknownPart(kind_, spec.name, Names());
    SKEIN_ASSIGN_OR_RETURN(Params params, it->second.descriptor.schema.Resolve(
                                              spec.params, kind_ + " '" + spec.name + "'"));
    return it->second.factory(params);
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& [name, entry] : entries_) names.push_back(name);
    return names;
  }
  const PartDescriptor* Find(const std::string& name) const {
    auto it = entries_.find(name);
    return it == entries_.end() ? nullptr : &it->second.descriptor;
  }

 private:
  struct Entry {
    PartDescriptor descriptor;
    Factory factory;
  };
  std::string kind_;
  std::map<std::string, Entry> entries_;
};

class Codec;

// Every kind of strategy part.
struct StrategyRegistries {
  Registry<const Fold> folds{"fold"};
  Registry<ServerOptimizer> optimizers{"optimizer"};
  Registry<Selector> selectors{"selector"};
  Registry<const RoundPolicy> policies{"policy"};
  Registry<const UpdateFilter> filters{"filter"};
  Registry<const Staleness> staleness{"staleness"};
  Registry<const Mixing> mixing{"mixing"};
  Registry<const ClientTerm> terms{"term"};
  Registry<const Codec> codecs{"codec"};  // of links; skein/codec/registry.h
};

}  // namespace skein

#endif  // SKEIN_STRATEGY_REGISTRY_H_
