#!/bin/bash
# links.sh SOURCE_DIR: every relative link in the Markdown files leads to a file, and every path of
# this tree that they name in code quotes exists. Code blocks are left out.
set -uo pipefail
cd "$1"
failed=0
for document in *.md docs/*.md docs/*/*.md examples/*/*.md; do
  [[ $document == CHANGELOG.md ]] && continue
  folder=$(dirname "$document")
  prose=$(awk '/^```/ { code = !code; next } !code' "$document")
  while read -r link; do
    [[ -e $folder/${link%%#*} ]] || { echo "$document: dead link: $link"; failed=1; }
  done < <(grep -oE '\]\([^)]+\)' <<<"$prose" | sed 's/^](//; s/)$//' | grep -vE '^(https?:|#|mailto:)')
  while read -r path; do
    [[ -e $path ]] || { echo "$document: no such path: $path"; failed=1; }
  done < <(grep -oE '`(include|src|tests|proto|scripts|examples|cmake|docs)/[A-Za-z0-9_./-]*`' \
    <<<"$prose" | tr -d '`' | sort -u)
done
exit "$failed"
