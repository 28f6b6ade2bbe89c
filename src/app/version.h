#ifndef SKEIN_SRC_APP_VERSION_H_
#define SKEIN_SRC_APP_VERSION_H_

namespace skein {

// Of this library: "0.1.0".
const char* Version();

}  // namespace skein

#endif  // SKEIN_SRC_APP_VERSION_H_
