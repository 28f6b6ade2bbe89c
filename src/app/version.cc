#include "app/version.h"

namespace skein {

const char* Version() { return SKEIN_VERSION; }

}  // namespace skein
