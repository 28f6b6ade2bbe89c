#!/bin/bash
# check.sh COMPILER INCLUDE_DIR [SYSTEM_INCLUDE_DIR ...]
#
# Holds every header under INCLUDE_DIR/skein against the rules for the public surface:
#   compiles     it compiles alone, at least up to libtorch (headers that reach ATen are only
#                preprocessed, since parsing it costs seconds each)
#   reach        no gRPC, protobuf, generated or <torch/torch.h> header is reachable from it
#   absl-include of Abseil, it includes only absl/status/status.h and absl/status/statusor.h
#   absl-name    of Abseil, it names only Status, StatusOr and what makes or describes a Status
#   guard        its include guard is made of its path
# Prints one line for each breach, "path: rule: detail", and exits 1 if there is any.
set -u
compiler=$1 include=$2
shift 2
flags=(-std=c++20 -x c++ -I "$include")
for dir in "$@"; do
  # The compiler searches it anyway; named again it would hide the C++ library's own wrappers. By its
  # real path: packages spell it /usr/lib/x86_64-linux-gnu/../../include, too.
  [[ -z $dir || $(realpath -m "$dir") == /usr/include ]] || flags+=(-isystem "$dir")
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

readonly forbidden='(^|/)(grpcpp|grpc|grpc\+\+|google/protobuf)/|\.pb\.h$|(^|/)torch/(torch|all|nn)\.h$'
readonly absl_names='^absl::(Status|StatusOr|StatusCode|OkStatus|[A-Z][A-Za-z]*Error)$'

check() {
  local header=$1 path=${1#"$include"/} id deps bad guard
  id=$(tr '/.' '__' <<<"$path")
  deps=$work/$id.d
  if ! "$compiler" "${flags[@]}" -M -MF "$deps" "$header" 2>"$work/$id.err"; then
    echo "$path: compiles: $(grep -m1 error "$work/$id.err")"
    return
  fi
  bad=$(sed 's/^[^ ]*:[ ]//; s/\\$//' "$deps" | tr ' ' '\n' | grep -Em1 "$forbidden")
  [[ -z $bad ]] || echo "$path: reach: $bad"
  if ! grep -q '/ATen/' "$deps" &&
     ! "$compiler" "${flags[@]}" -fsyntax-only -Wall -Wextra \
         "$header" 2>"$work/$id.err"; then
    echo "$path: compiles: $(grep -m1 error "$work/$id.err")"
  fi
  grep -oE '#include [<"]absl/[^>"]*' "$header" | sed 's/.*[<"]//' |
    grep -vxE 'absl/status/(status|statusor)\.h' | sed "s|^|$path: absl-include: |"
  sed 's|//.*||' "$header" | grep -oE '\babsl::[A-Za-z_]+' | sort -u | grep -vE "$absl_names" |
    sed "s|^|$path: absl-name: |"
  guard=$(tr 'a-z/.' 'A-Z__' <<<"$path")_
  grep -qx "#ifndef $guard" "$header" || echo "$path: guard: expected $guard"
}

mapfile -t headers < <(find "$include/skein" -name '*.h' | sort)
if [[ ${#headers[@]} -eq 0 ]]; then
  echo "no headers under $include/skein" >&2
  exit 1
fi
# Two at a time; each writes to its own file, so that lines do not mix.
running=0
for header in "${headers[@]}"; do
  check "$header" >"$work/$(tr '/.' '__' <<<"${header#"$include"/}").out" &
  if ((++running >= 2)); then
    wait -n
    ((running--))
  fi
done
wait
cat "$work"/*.out
if [[ -n $(cat "$work"/*.out) ]]; then exit 1; fi
echo "${#headers[@]} headers are clean"
