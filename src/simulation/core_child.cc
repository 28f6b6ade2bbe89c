#include "simulation/core_child.h"

#include "simulation/core_parent.h"
#include "skein/base/random.h"

namespace skein {

void CoreChild::Attach(CoreParent* parent, Epoch epoch) {
  link_.Cut();
  parent_ = parent;
  epoch_ = epoch;
  link_.Open(&parent->links(), DeriveSeed(world_->config.seed, {node_, epoch}));
  SendUp(world_->sizes.hello, [this] { parent_->Feed(agg_event::ChildUp{id(), epoch_}); });
}

void CoreChild::Hangup() {
  if (!link_.up()) return;
  link_.Cut();
  parent_->Feed(agg_event::ChildDown{id(), epoch_});
}

void CoreChild::OnWelcome() {
  world_->control->Tell(node_, AttachedMsg{epoch_});
  OnLinked();
}

}  // namespace skein
