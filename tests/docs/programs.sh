#!/bin/bash
# programs.sh SOURCE_DIR: a document that says `<!-- the program is FILE: ... -->` shows that file,
# letter by letter, in its next C++ block.
set -euo pipefail
cd "$1"
checked=0
while IFS=: read -r document line text; do
  file=$(sed 's/.*<!-- the program is \([^ :]*\).*/\1/' <<<"$text")
  shown=$(tail -n "+$line" "$document" |
    awk '/^```cpp$/ { inside = 1; next } /^```$/ && inside { exit } inside')
  if ! diff -u --label "$file" --label "$document" "$file" - <<<"$shown"; then
    echo "$document does not show $file as it is" >&2
    exit 1
  fi
  checked=$((checked + 1))
done < <(grep -n '<!-- the program is ' docs/*.md)
if ((checked == 0)); then
  echo "no document shows a program; was the marker changed?" >&2
  exit 1
fi
echo "$checked programs are shown as they are"
