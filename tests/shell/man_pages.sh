#!/bin/bash
# man_pages.sh PROGRAM: every command has a man page, and no page has an error in it.
set -euo pipefail
program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "man_pages: $*" >&2
  exit 1
}

"$program" help --man-dir "$work/man1"
commands=$("$program" --help | sed -n '/^Subcommands:/,$p' | awk '/^  [a-z]/ { print $1 }')
[[ $commands == *simulate* ]] || fail "the commands were not found in --help"
for command in $commands; do
  [[ -s $work/man1/skein-$command.1 ]] || fail "no page for $command"
done
# Their own --help and their pages speak of the same options.
for command in run topology; do
  for option in $("$program" "$command" --help | grep -oE '^ +(-[a-z],)?--[a-z-]+' | grep -oE '\-\-[a-z-]+'); do
    grep -qF -- "${option//-/\\-}" "$work/man1/skein-$command.1" ||
      fail "the page of $command does not have $option"
  done
done
# A page has no date, so that it is the same whenever it was made, and refers to pages that are not
# installed yet.
found=$(mandoc -T lint -W warning "$work"/man1/*.1 2>&1 | grep -v 'missing date') || true
[[ -z $found ]] || fail "$found"
for page in "$work"/man1/*.1; do
  shown=$(mandoc -T ascii "$page" | sed 's/.\x08//g')  # without overstrikes
  [[ $shown == *'EXIT STATUS'* ]] || fail "$page does not show"
done
# A page is for people who have no program at hand: no path of this machine.
! grep -l "$(dirname "$program")" "$work"/man1/* || fail "a page has a path of the build"
