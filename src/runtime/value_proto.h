#ifndef SKEIN_SRC_RUNTIME_VALUE_PROTO_H_
#define SKEIN_SRC_RUNTIME_VALUE_PROTO_H_

#include <google/protobuf/struct.pb.h>

#include "skein/base/value.h"

namespace skein {

// Plain data as google.protobuf.Struct, which knows one kind of number. A number without fraction
// comes back as an integer, so a real 2.0 becomes the integer 2 (parts take an integer where a real
// is due); integers beyond 2^53 lose their last bits.
google::protobuf::Struct ToProto(const ValueMap& values);
ValueMap FromProto(const google::protobuf::Struct& proto);

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_VALUE_PROTO_H_
