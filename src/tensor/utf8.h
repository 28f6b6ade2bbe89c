#ifndef SKEIN_SRC_TENSOR_UTF8_H_
#define SKEIN_SRC_TENSOR_UTF8_H_

#include <string>

namespace skein {

// Whether `text` is well-formed UTF-8 (Unicode, table 3-7): no overlong forms, no surrogates.
// Names of tensors must be, since JSON and protobuf carry nothing else.
bool IsUtf8(const std::string& text);

// Appends a code point, at most 0x10FFFF.
void AppendUtf8(std::string& out, unsigned code_point);

}  // namespace skein

#endif  // SKEIN_SRC_TENSOR_UTF8_H_
