#!/bin/bash
# readme_snippet.sh SOURCE_DIR: the program in README.md is examples/quickstart, letter by letter,
# and shorter than the 60 lines that README.md promises.
set -euo pipefail
cd "$1"
file=examples/quickstart/quickstart.cc
# The first C++ block after the line that names the file.
snippet=$(awk -v file="$file" '
  index($0, file) { named = 1 }
  /^```$/ && inside { exit }
  inside { print }
  named && /^```cpp$/ { inside = 1 }' README.md)
if ! diff -u --label "$file" --label README.md "$file" <(printf '%s\n' "$snippet"); then
  echo "README.md does not show $file as it is" >&2
  exit 1
fi
lines=$(wc -l <"$file")
if ((lines >= 60)); then
  echo "$file has $lines lines; README.md promises less than 60" >&2
  exit 1
fi
