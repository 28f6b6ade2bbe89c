#include "federation/strategy_reader.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "codec/link_codecs.h"
#include "skein/base/names.h"
#include "skein/base/status.h"
#include "skein/topology/topology.h"
#include "topology/yaml_fields.h"

namespace skein {
namespace {

constexpr int64_t kMaxKappa = 10'000;

// The part with its parameters' defaults filled in and its paths made absolute; checked by making
// it.
template <typename Part>
absl::StatusOr<PartSpec> Resolve(const Registry<Part>& registry, const PartSpec& part,
                                 const PathResolver& absolute) {
  if (auto made = registry.Create(part); !made.ok()) return made.status();
  const ParamSchema& schema = registry.Find(part.name)->schema;
  SKEIN_ASSIGN_OR_RETURN(const Params params, schema.Resolve(part.params, part.name));
  return PartSpec{part.name, WithAbsolutePaths(params, schema, absolute)};
}

class StrategyReader {
 public:
  StrategyReader(const YamlDocument& document, const StrategyRegistries& registries,
                 const PathResolver& absolute)
      : document_(document), registries_(registries), absolute_(absolute) {}

  absl::StatusOr<StrategySpec> Read(const YamlNode& node) {
    SKEIN_RETURN_IF_ERROR(CheckMap(document_, node, "strategy",
                                   {"fold", "optimizer", "selector", "policy", "staleness",
                                    "mixing", "filters", "terms", "links", "tiers"}));
    StrategySpec spec;
    SKEIN_ASSIGN_OR_RETURN(spec.fold,
                           ReadDefaulted(node, "fold", registries_.folds, spec.fold.name));
    SKEIN_ASSIGN_OR_RETURN(spec.optimizer, ReadDefaulted(node, "optimizer", registries_.optimizers,
                                                         spec.optimizer.name));
    SKEIN_ASSIGN_OR_RETURN(
        spec.selector, ReadDefaulted(node, "selector", registries_.selectors, spec.selector.name));
    SKEIN_ASSIGN_OR_RETURN(spec.policy,
                           ReadDefaulted(node, "policy", registries_.policies, spec.policy.name));
    SKEIN_ASSIGN_OR_RETURN(spec.staleness, ReadDefaulted(node, "staleness", registries_.staleness,
                                                         spec.staleness.name));
    SKEIN_ASSIGN_OR_RETURN(spec.mixing,
                           ReadDefaulted(node, "mixing", registries_.mixing, spec.mixing.name));
    SKEIN_ASSIGN_OR_RETURN(spec.filters, ReadAll(node, "filters", registries_.filters));
    SKEIN_ASSIGN_OR_RETURN(spec.terms, ReadAll(node, "terms", registries_.terms));
    if (const YamlNode* links = FindValue(node, "links")) {
      SKEIN_ASSIGN_OR_RETURN(spec.links, ReadLink(*links, "strategy.links"));
    }
    if (const YamlNode* tiers = FindValue(node, "tiers")) {
      SKEIN_RETURN_IF_ERROR(CheckList(*tiers, "strategy.tiers"));
      for (size_t i = 0; i < tiers->entries.size(); ++i) {
        SKEIN_ASSIGN_OR_RETURN(TierSpec tier, ReadTier(*tiers->entries[i].value,
                                                       "strategy.tiers." + std::to_string(i)));
        spec.tiers.push_back(std::move(tier));
      }
    }
    return spec;
  }

 private:
  template <typename Part>
  absl::StatusOr<PartSpec> ReadNamed(const YamlNode& node, const std::string& what,
                                     const Registry<Part>& registry, const std::string& otherwise) {
    SKEIN_ASSIGN_OR_RETURN(const PartSpec part, ReadPart(document_, node, what, otherwise));
    auto resolved = Resolve(registry, part, absolute_);
    if (!resolved.ok()) return AtParameter(document_, node, resolved.status());
    return resolved;
  }

  // The part `otherwise` if the strategy does not say.
  template <typename Part>
  absl::StatusOr<PartSpec> ReadDefaulted(const YamlNode& strategy, const std::string& key,
                                         const Registry<Part>& registry,
                                         const std::string& otherwise) {
    if (const YamlNode* node = FindValue(strategy, key)) {
      return ReadNamed(*node, "strategy." + key, registry, otherwise);
    }
    auto resolved = Resolve(registry, PartSpec{otherwise, {}}, absolute_);
    if (!resolved.ok()) return document_.Error(strategy.mark, Message(resolved.status()));
    return resolved;
  }

  // A list of parts; empty if the strategy does not say.
  template <typename Part>
  absl::StatusOr<std::vector<PartSpec>> ReadAll(const YamlNode& strategy, const std::string& key,
                                                const Registry<Part>& registry) {
    std::vector<PartSpec> parts;
    const YamlNode* list = FindValue(strategy, key);
    if (list == nullptr) return parts;
    return ReadList(*list, "strategy." + key, registry);
  }

  template <typename Part>
  absl::StatusOr<std::vector<PartSpec>> ReadList(const YamlNode& list, const std::string& what,
                                                 const Registry<Part>& registry) {
    std::vector<PartSpec> parts;
    SKEIN_RETURN_IF_ERROR(CheckList(list, what));
    for (size_t i = 0; i < list.entries.size(); ++i) {
      SKEIN_ASSIGN_OR_RETURN(
          PartSpec part,
          ReadNamed(*list.entries[i].value, what + "." + std::to_string(i), registry, ""));
      parts.push_back(std::move(part));
    }
    return parts;
  }

  absl::StatusOr<LinkSpec> ReadLink(const YamlNode& node, const std::string& what) {
    SKEIN_RETURN_IF_ERROR(CheckMap(document_, node, what, {"updates", "partials", "models"}));
    LinkSpec link;
    for (const auto& [key, codecs] :
         {std::pair("updates", &link.updates), std::pair("partials", &link.partials),
          std::pair("models", &link.models)}) {
      const YamlNode* list = FindValue(node, key);
      if (list == nullptr) continue;
      SKEIN_ASSIGN_OR_RETURN(*codecs, ReadList(*list, what + "." + key, registries_.codecs));
    }
    return link;
  }

  absl::StatusOr<TierSpec> ReadTier(const YamlNode& node, const std::string& what) {
    SKEIN_RETURN_IF_ERROR(CheckMap(
        document_, node, what, {"tier", "policy", "fold", "kappa", "collect", "passes", "link"}));
    TierSpec spec;
    const YamlNode* tier = FindValue(node, "tier");
    if (tier == nullptr) {
      return document_.Error(node.mark,
                             what + ": the key 'tier' is missing: add it (0 is the root)");
    }
    SKEIN_ASSIGN_OR_RETURN(const int64_t number,
                           ReadInt(document_, *tier, what + ".tier", 0, Topology::kMaxDepth));
    spec.tier = static_cast<int>(number);
    if (const YamlNode* policy = FindValue(node, "policy")) {
      SKEIN_ASSIGN_OR_RETURN(spec.policy,
                             ReadNamed(*policy, what + ".policy", registries_.policies, ""));
    }
    if (const YamlNode* fold = FindValue(node, "fold")) {
      SKEIN_ASSIGN_OR_RETURN(spec.fold, ReadNamed(*fold, what + ".fold", registries_.folds, ""));
    }
    if (const YamlNode* kappa = FindValue(node, "kappa")) {
      SKEIN_ASSIGN_OR_RETURN(const int64_t rounds,
                             ReadInt(document_, *kappa, what + ".kappa", 1, kMaxKappa));
      spec.kappa = static_cast<int>(rounds);
    }
    for (const auto& [key, flag] :
         {std::pair("collect", &spec.collect), std::pair("passes", &spec.passes)}) {
      const YamlNode* given = FindValue(node, key);
      if (given == nullptr) continue;
      SKEIN_ASSIGN_OR_RETURN(*flag, ReadFlag(*given, what + "." + key));
    }
    if (const YamlNode* link = FindValue(node, "link")) {
      SKEIN_ASSIGN_OR_RETURN(spec.link, ReadLink(*link, what + ".link"));
    }
    return spec;
  }

  absl::StatusOr<bool> ReadFlag(const YamlNode& node, const std::string& what) {
    SKEIN_ASSIGN_OR_RETURN(const std::string text, ReadString(document_, node, what));
    if (text == "true" || text == "false") return text == "true";
    return document_.Error(node.mark, what + ": expected true or false, got '" + text + "'");
  }

  absl::Status CheckList(const YamlNode& node, const std::string& what) const {
    if (node.kind == YamlNode::Kind::kList) return absl::OkStatus();
    return document_.Error(node.mark, what + ": expected a list, got " + Describe(node));
  }

  const YamlDocument& document_;
  const StrategyRegistries& registries_;
  const PathResolver& absolute_;
};

// An override in it, which is newer than what stands around it; else where it begins.
YamlMark NewestMark(const YamlNode& node) {
  YamlMark newest = node.mark;
  for (const YamlNode::Entry& entry : node.entries) {
    const YamlMark mark = NewestMark(*entry.value);
    if (mark.source > newest.source) newest = mark;
  }
  return newest;
}

// Null if tier `number` has no entry of its own.
const YamlNode* FindTier(const YamlNode* tiers, const std::string& number) {
  if (tiers == nullptr) return nullptr;
  for (const YamlNode::Entry& entry : tiers->entries) {
    const YamlNode* tier = FindValue(*entry.value, "tier");
    if (tier != nullptr && tier->text == number) return entry.value.get();
  }
  return nullptr;
}

// Where what ValidateStrategy and ValidateLinks have said belongs: "strategy, tier 1: fold ..." to
// the tier's entry, or to the part that it inherits; "strategy: selector ..." to that.
YamlMark PlaceOf(const YamlNode& strategy, const std::string& complaint) {
  const auto part_of = [&](std::string_view text) -> const YamlNode* {
    for (const char* part : {"fold", "policy", "mixing", "selector", "optimizer", "links"}) {
      if (text.starts_with(part)) return FindValue(strategy, part);
    }
    return nullptr;
  };
  const std::string_view text = complaint;
  constexpr std::string_view kTerm = "strategy, term ", kTier = "strategy, tier ";
  const size_t colon = text.find(": ");
  const std::string_view rest = colon == text.npos ? "" : text.substr(colon + 2);
  const YamlNode* place = nullptr;
  if (text.starts_with(kTerm)) {
    place = FindValue(strategy, "terms");
  } else if (text.starts_with(kTier)) {
    const std::string number(text.substr(kTier.size(), colon - kTier.size()));
    place = FindTier(FindValue(strategy, "tiers"), number);
  }
  if (place == nullptr) place = part_of(rest);
  if (place == nullptr) place = FindValue(strategy, "tiers");
  return NewestMark(place != nullptr ? *place : strategy);
}

}  // namespace

absl::StatusOr<PartSpec> ReadPart(const YamlDocument& document, const YamlNode& node,
                                  const std::string& what, const std::string& otherwise) {
  PartSpec part;
  if (node.kind == YamlNode::Kind::kScalar) {
    part.name = node.text;
    return part;
  }
  if (node.kind != YamlNode::Kind::kMap) {
    return document.Error(
        node.mark, what + ": expected a name or {name: ..., parameters}, got " + Describe(node));
  }
  const YamlNode* name = FindValue(node, "name");
  if (name == nullptr && otherwise.empty()) {
    return document.Error(node.mark, what + ": the key 'name' is missing: add it");
  }
  part.name = otherwise;
  if (name != nullptr) {
    SKEIN_ASSIGN_OR_RETURN(part.name, ReadString(document, *name, what + ".name"));
  }
  SKEIN_ASSIGN_OR_RETURN(part.params, ReadParams(document, node, "name"));
  return part;
}

absl::StatusOr<StrategySpec> ReadStrategy(const YamlDocument& document, const YamlNode& root,
                                          const YamlNode* node, const Topology& topology,
                                          const StrategyRegistries& registries,
                                          const PathResolver& absolute) {
  YamlNode empty;
  empty.kind = YamlNode::Kind::kMap;
  empty.mark = root.mark;
  const YamlNode& strategy = node == nullptr ? empty : *node;
  SKEIN_ASSIGN_OR_RETURN(StrategySpec spec,
                         StrategyReader(document, registries, absolute).Read(strategy));
  absl::Status valid = ValidateStrategy(spec, topology, registries);
  if (valid.ok()) valid = ValidateLinks(spec, topology, registries);
  if (!valid.ok()) return document.Error(PlaceOf(strategy, Message(valid)), Message(valid));
  return spec;
}

absl::Status AtParameter(const YamlDocument& document, const YamlNode& node,
                         const absl::Status& status) {
  const std::string message = Message(status);
  // The one that is named first: others may be what was meant.
  const YamlNode::Entry* named = nullptr;
  size_t first = message.npos;
  for (const YamlNode::Entry& entry : node.entries) {
    const size_t at = entry.key == "name" ? message.npos : message.find("'" + entry.key + "'");
    if (at < first) {
      first = at;
      named = &entry;
    }
  }
  if (named != nullptr) return document.Error(MarkOf(*named), message);
  const YamlNode* name = FindValue(node, "name");
  return document.Error((name != nullptr ? *name : node).mark, message);
}

absl::StatusOr<ValueMap> ReadParams(const YamlDocument& document, const YamlNode& node,
                                    const std::string& except) {
  ValueMap params;
  for (const YamlNode::Entry& entry : node.entries) {
    if (entry.key == except || entry.value->kind == YamlNode::Kind::kNull) continue;
    SKEIN_ASSIGN_OR_RETURN(Value value, ToValue(document, *entry.value));
    params.emplace(entry.key, std::move(value));
  }
  return params;
}

}  // namespace skein
