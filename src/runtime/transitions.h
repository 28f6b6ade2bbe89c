#ifndef SKEIN_SRC_RUNTIME_TRANSITIONS_H_
#define SKEIN_SRC_RUNTIME_TRANSITIONS_H_

#include <algorithm>
#include <cstdlib>
#include <span>

namespace skein {

// `to`, if the table of a core declares the step from `from`; anything else is a bug in the core.
template <typename Transition, typename Phase>
Phase Declared(std::span<const Transition> table, Phase from, Phase to) {
  const bool declared =
      std::ranges::any_of(table, [&](const Transition& t) { return t.from == from && t.to == to; });
  if (!declared) std::abort();
  return to;
}

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_TRANSITIONS_H_
