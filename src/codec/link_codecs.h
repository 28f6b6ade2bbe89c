#ifndef SKEIN_SRC_CODEC_LINK_CODECS_H_
#define SKEIN_SRC_CODEC_LINK_CODECS_H_

#include <memory>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "skein/codec/pipeline.h"
#include "skein/strategy/strategy_spec.h"
#include "skein/topology/topology.h"

namespace skein {

// The pipelines of a run's links, by tier, made of its strategy: every node makes the same.
// Immutable; any thread.
class LinkCodecs {
 public:
  // InvalidArgument "strategy, tier 1: link.updates: ..." for users.
  static absl::StatusOr<std::shared_ptr<const LinkCodecs>> Create(
      const StrategySpec& spec, int num_tiers, const StrategyRegistries& registries);

  // Of the links between the nodes of an aggregating tier and their children: what workers send,
  // what aggregators send, what goes down. Null if tensors travel as they are.
  const CodecPipeline* updates(int tier) const { return At(tier).updates.get(); }
  const CodecPipeline* partials(int tier) const { return At(tier).partials.get(); }
  const CodecPipeline* models(int tier) const { return At(tier).models.get(); }

  // The one of this form, whatever its place: a node that is attached elsewhere sends what it has
  // encoded for its parent of before. Null if no link has it.
  const CodecPipeline* Find(const std::string& form) const;

  // Whether tensors like `manifest` can come as a payload of so many bytes of this form: asked
  // before memory is taken for it. InvalidArgument if not.
  absl::Status CheckPayload(const std::string& form, uint64_t bytes,
                            const Manifest& manifest) const;

  // For the record of a run, as "updates int4(512)|zstd, models delta|int8(512)", by tier where
  // tiers differ; empty if nothing is encoded.
  std::string Description() const;
  // Whether what arrives is added up exactly, in any tree. Not so where partials lose something.
  bool HasExactSums() const;

 private:
  using Pipeline = std::shared_ptr<const CodecPipeline>;
  struct Link {
    Pipeline updates;
    Pipeline partials;
    Pipeline models;
  };
  const Link& At(int tier) const { return tiers_[static_cast<size_t>(tier)]; }
  static std::string Describe(const Link& link);

  std::vector<Link> tiers_;
};

// Checks the codecs of a strategy against a tree, and the folds that would get means in place of
// sums. InvalidArgument for users, with the tier where it matters.
absl::Status ValidateLinks(const StrategySpec& spec, const Topology& topology,
                           const StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_CODEC_LINK_CODECS_H_
