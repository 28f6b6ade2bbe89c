#!/bin/bash
# Builds the reference of the public headers, build/docs/html/index.html, and fails if Doxygen has
# anything to say about them.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if ! command -v doxygen >/dev/null; then
  echo "doxygen is not installed: run scripts/install-deps.sh" >&2
  exit 1
fi
out=${1:-build/docs}
mkdir -p "$out"
(cat docs/doxygen/Doxyfile; echo "OUTPUT_DIRECTORY = \"$out\"") | doxygen -
echo "the reference is in $out/html/index.html"
