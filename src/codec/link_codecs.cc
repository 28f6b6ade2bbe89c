#include "codec/link_codecs.h"

#include <algorithm>
#include <utility>

#include "skein/base/status.h"
#include "skein/codec/registry.h"

namespace skein {
namespace {

// "strategy, tier 1: link.updates"; of the strategy's own, "strategy: links.updates".
std::string PlaceOf(const StrategySpec& spec, int tier, const char* what,
                    LinkSpec::Codecs LinkSpec::*codecs) {
  const auto own = std::ranges::find(spec.tiers, tier, &TierSpec::tier);
  if (own != spec.tiers.end() && own->link.*codecs) {
    return "strategy, tier " + std::to_string(tier) + ": link." + what;
  }
  return std::string("strategy: links.") + what;
}

// Null if there are no codecs.
absl::StatusOr<std::shared_ptr<const CodecPipeline>> Make(const LinkSpec::Codecs& codecs,
                                                          const std::string& place,
                                                          const StrategyRegistries& registries) {
  if (!codecs || codecs->empty()) return nullptr;
  auto made = MakePipeline(registries.codecs, *codecs);
  if (!made.ok()) return Annotate(made.status(), place);
  return made;
}

absl::Status CheckUp(const CodecPipeline* pipeline, const std::string& place) {
  if (pipeline == nullptr || !pipeline->has_delta()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      place + ": 'delta' is for models; what goes up is a difference already, so leave it out");
}

absl::Status CheckDown(const CodecPipeline* pipeline, const std::string& place) {
  if (pipeline == nullptr || pipeline->has_delta()) return absl::OkStatus();
  if (pipeline->sparsifies()) {
    return absl::InvalidArgumentError(place + ": '" + pipeline->form() +
                                      "' would send models that are mostly zeros; put 'delta' "
                                      "before it");
  }
  if (pipeline->keeps_error()) {
    return absl::InvalidArgumentError(
        place +
        ": error_feedback is for what goes up; put 'delta' first, with which each "
        "difference contains what the one before has lost");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const LinkCodecs>> LinkCodecs::Create(
    const StrategySpec& spec, int num_tiers, const StrategyRegistries& registries) {
  auto codecs = std::make_shared<LinkCodecs>();
  for (int tier = 0; tier < num_tiers - 1; ++tier) {
    const LinkSpec of_tier = LinksOf(spec, tier);
    const std::string updates = PlaceOf(spec, tier, "updates", &LinkSpec::updates);
    const std::string partials = PlaceOf(spec, tier, "partials", &LinkSpec::partials);
    const std::string models = PlaceOf(spec, tier, "models", &LinkSpec::models);
    Link link;
    SKEIN_ASSIGN_OR_RETURN(link.updates, Make(of_tier.updates, updates, registries));
    SKEIN_ASSIGN_OR_RETURN(link.partials, Make(of_tier.partials, partials, registries));
    SKEIN_ASSIGN_OR_RETURN(link.models, Make(of_tier.models, models, registries));
    SKEIN_RETURN_IF_ERROR(CheckUp(link.updates.get(), updates));
    SKEIN_RETURN_IF_ERROR(CheckUp(link.partials.get(), partials));
    SKEIN_RETURN_IF_ERROR(CheckDown(link.models.get(), models));
    codecs->tiers_.push_back(std::move(link));
  }
  return codecs;
}

const CodecPipeline* LinkCodecs::Find(const std::string& form) const {
  for (const Link& link : tiers_) {
    for (const Pipeline* pipeline : {&link.updates, &link.partials, &link.models}) {
      if (*pipeline != nullptr && (*pipeline)->form() == form) return pipeline->get();
    }
  }
  return nullptr;
}

absl::Status LinkCodecs::CheckPayload(const std::string& form, uint64_t bytes,
                                      const Manifest& manifest) const {
  const CodecPipeline* codec = Find(form);
  if (codec == nullptr) {
    return absl::InvalidArgumentError("it is encoded by '" + form + "', as on no link of this run");
  }
  const uint64_t most = codec->MaxBytes(manifest);
  if (bytes > 0 && bytes <= most) return absl::OkStatus();
  return absl::InvalidArgumentError("its payload has " + std::to_string(bytes) + " bytes, and '" +
                                    form + "' makes " + std::to_string(most) + " at most");
}

std::string LinkCodecs::Describe(const Link& link) {
  std::string text;
  for (const auto& [name, pipeline] :
       {std::pair("updates", &link.updates), std::pair("partials", &link.partials),
        std::pair("models", &link.models)}) {
    if (*pipeline == nullptr) continue;
    text += (text.empty() ? "" : ", ") + std::string(name) + " " + (*pipeline)->form();
  }
  return text;
}

std::string LinkCodecs::Description() const {
  const auto differs = [&](const Link& link) { return Describe(link) != Describe(tiers_[0]); };
  if (std::ranges::none_of(tiers_, differs)) return Describe(tiers_[0]);
  std::string text;
  for (size_t tier = 0; tier < tiers_.size(); ++tier) {
    const std::string link = Describe(tiers_[tier]);
    if (link.empty()) continue;
    text += (text.empty() ? "" : "; ") + ("tier " + std::to_string(tier) + ": " + link);
  }
  return text;
}

bool LinkCodecs::HasExactSums() const {
  // There are no partials on the links of the lowest tier.
  return std::all_of(tiers_.begin(), tiers_.end() - 1, [](const Link& link) {
    return link.partials == nullptr || !link.partials->lossy();
  });
}

absl::Status ValidateLinks(const StrategySpec& spec, const Topology& topology,
                           const StrategyRegistries& registries) {
  const int num_tiers = topology.num_tiers();
  SKEIN_ASSIGN_OR_RETURN(const auto codecs, LinkCodecs::Create(spec, num_tiers, registries));
  const int lowest = num_tiers - 2;
  for (const TierSpec& tier : spec.tiers) {
    if (tier.tier != lowest || !tier.link.partials || tier.link.partials->empty()) continue;
    return absl::InvalidArgumentError("strategy, tier " + std::to_string(lowest) +
                                      ": link.partials: its nodes have workers below them, which "
                                      "send updates; say it of a tier above, or of 'updates'");
  }
  for (const TierSpec& tier : spec.tiers) {
    if (!tier.link.updates || tier.link.updates->empty()) continue;
    const bool has_workers = std::ranges::any_of(topology.nodes(), [&](const TopologyNode& node) {
      return node.role == NodeRole::kWorker && node.tier == tier.tier + 1;
    });
    if (has_workers) continue;
    return absl::InvalidArgumentError("strategy, tier " + std::to_string(tier.tier) +
                                      ": link.updates: its nodes have aggregators below them, "
                                      "which send partials; say it of tier " +
                                      std::to_string(lowest) + ", or of 'partials'");
  }
  for (int tier = 0; tier < lowest; ++tier) {
    const CodecPipeline* partials = codecs->partials(tier);
    if (partials == nullptr || !partials->lossy()) continue;
    const std::string place = PlaceOf(spec, tier, "partials", &LinkSpec::partials);
    SKEIN_ASSIGN_OR_RETURN(const TierParts above, MakeTierParts(spec, tier, num_tiers, registries));
    SKEIN_ASSIGN_OR_RETURN(const TierParts below,
                           MakeTierParts(spec, tier + 1, num_tiers, registries));
    const std::string which = "tier " + std::to_string(tier + 1);
    if (below.collects || below.answers_passes) {
      return absl::InvalidArgumentError(
          place + ": '" + partials->form() + "' loses something, and " + which +
          (below.collects ? " passes contributions on as they are (collect)"
                          : " answers with counts and sums (passes)") +
          "; leave out one of the two");
    }
    if (!above.fold->TakesSubtrees()) {
      return absl::InvalidArgumentError(
          place + ": '" + partials->form() + "' makes means of the sums of " + which +
          ", and the fold above goes by what single workers say; use another fold, or codecs "
          "that lose nothing");
    }
  }
  return absl::OkStatus();
}

}  // namespace skein
