#ifndef SKEIN_SRC_APP_PLOT_NATURAL_ORDER_H_
#define SKEIN_SRC_APP_PLOT_NATURAL_ORDER_H_

#include <string>

namespace skein::plot {

// Whether `a` comes before `b` for a person: "w2" before "w10". A strict weak order.
bool NaturallyBefore(const std::string& a, const std::string& b);

}  // namespace skein::plot

#endif  // SKEIN_SRC_APP_PLOT_NATURAL_ORDER_H_
