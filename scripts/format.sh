#!/bin/bash
# Formats our C++ and protobuf files in place; with --check, says which are not formatted, exits 1.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

tool=$(command -v clang-format-14 || command -v clang-format) || {
  echo "clang-format-14 is not installed: run scripts/install-deps.sh" >&2
  exit 1
}
mapfile -d '' files < <(find include src tests examples bench \
  \( -name '*.h' -o -name '*.cc' \) -type f -print0 | sort -z)
case ${1:-} in
  --check) printf '%s\0' "${files[@]}" | xargs -0 -n 50 -P "$jobs" "$tool" --dry-run --Werror ;;
  '') printf '%s\0' "${files[@]}" | xargs -0 -n 50 -P "$jobs" "$tool" -i ;;
  *)
    echo "usage: scripts/format.sh [--check]" >&2
    exit 2
    ;;
esac
