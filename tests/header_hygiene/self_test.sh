#!/bin/bash
# self_test.sh COMPILER: shows that check.sh passes a good header and fails for each breach.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
compiler=$1
failures=0

# expect RULE TEXT [GUARD]: a tree with this one header breaks RULE (or is clean, for RULE "clean").
expect() {
  local rule=$1 text=$2 guard=${3:-SKEIN_A_H_} root out status
  root=$(mktemp -d)
  mkdir -p "$root/include/skein" "$root/other/grpcpp" "$root/other/google/protobuf" \
    "$root/other/torch" "$root/other/absl/status" "$root/other/absl/strings"
  touch "$root/other/grpcpp/grpcpp.h" "$root/other/google/protobuf/message.h" \
    "$root/other/torch/torch.h" "$root/other/run.pb.h" "$root/other/absl/status/status.h" \
    "$root/other/absl/strings/str_cat.h"
  echo '#include <grpcpp/grpcpp.h>' >"$root/other/innocent.h"
  printf '#ifndef %s\n#define %s\n%s\n#endif\n' "$guard" "$guard" "$text" >"$root/include/skein/a.h"
  out=$("$here/check.sh" "$compiler" "$root/include" "$root/other" 2>&1)
  status=$?
  rm -rf "$root"
  if [[ $rule == clean ]]; then
    [[ $status -eq 0 ]] && return
  elif [[ $status -ne 0 && $out == *"skein/a.h: $rule:"* ]]; then
    return
  fi
  echo "expected '$rule' for: $text; got status $status: $out"
  failures=$((failures + 1))
}

expect clean '#include <absl/status/status.h>
namespace absl { class Status; }
absl::Status F();'
expect reach '#include <grpcpp/grpcpp.h>'
expect reach '#include <innocent.h>'
expect reach '#include <google/protobuf/message.h>'
expect reach '#include <run.pb.h>'
expect reach '#include <torch/torch.h>'
expect compiles '#include "no/such/header.h"'
expect compiles 'std::string F();'
expect absl-include '#include <absl/strings/str_cat.h>'
expect absl-name 'namespace absl { class Cord; } void F(absl::Cord*);'
expect guard 'int F();' OTHER_H_
[[ $failures -eq 0 ]] || exit 1
echo "check.sh catches every kind of breach"
