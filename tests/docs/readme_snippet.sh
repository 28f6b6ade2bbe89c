#!/bin/bash
# readme_snippet.sh SOURCE_DIR [--update]: the program in README.md is examples/quickstart, letter by
# letter, and shorter than the 60 lines that README.md promises. --update copies it there.
set -euo pipefail
cd "$1"
readonly file=examples/quickstart/quickstart.cc

# The first C++ block after the quickstart marker. PRINT=inside: the block; PRINT=replaced: the
# document with the file in its place.
readme() {
  awk -v file="$file" -v print_what="$1" '
    /^<!-- quickstart:/ { marked = 1 }
    inside && /^```$/ { inside = 0; marked = 0 }
    { if (print_what == "inside" ? inside : !inside) print }
    marked && /^```cpp$/ {
      inside = 1
      if (print_what == "replaced") while ((getline line <file) > 0) print line
    }' README.md
}

if [[ ${2:-} == --update ]]; then
  updated=$(readme replaced)
  printf '%s\n' "$updated" >README.md
fi
if ! diff -u --label "$file" --label README.md "$file" <(readme inside); then
  echo "README.md does not show $file as it is; $0 SOURCE_DIR --update copies it" >&2
  exit 1
fi
lines=$(wc -l <"$file")
if ((lines >= 60)); then
  echo "$file has $lines lines; README.md promises less than 60" >&2
  exit 1
fi
