#!/bin/bash
# bash_completion.sh PROGRAM: sources the completion and asks it for candidates, as bash does.
set -uo pipefail
program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$program" help --completion bash >"$work/skein" || exit 1
source "$work/skein" || exit 1
complete -p skein >/dev/null || { echo "nothing completes skein" >&2; exit 1; }
mkdir "$work/here" && cd "$work/here" || exit 1
mkdir 'some runs' runs
touch spec.yaml 'my spec.yaml'
failed=0

# expect 'WORD ...' 'CANDIDATE ...': what is offered for the last word; words and candidates are
# separated by '|', since they may have blanks.
expect() {
  IFS='|' read -ra COMP_WORDS <<<"$1"
  [[ $1 == *'|' ]] && COMP_WORDS+=('')
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  COMPREPLY=(stale)
  _skein || { echo "the function failed for: $1" >&2; failed=1; }
  local got
  got=$(printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd '|')
  if [[ $got != "$2" ]]; then
    printf 'for   %s\ngot   %s\nnot   %s\n' "$1" "$got" "$2" >&2
    failed=1
  fi
}

# expect_among 'WORD ...' CANDIDATE: the candidate is among them.
expect_among() {
  IFS='|' read -ra COMP_WORDS <<<"$1"
  [[ $1 == *'|' ]] && COMP_WORDS+=('')
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _skein
  printf '%s\n' "${COMPREPLY[@]}" | grep -qxF -- "$2" || {
    printf 'for   %s\ngot   %s\nnot   %s\n' "$1" "${COMPREPLY[*]}" "$2" >&2
    failed=1
  }
}

expect 'skein|si' 'simulate'
expect_among 'skein|' 'run'
expect_among 'skein|' 'sweep'
expect 'skein|run|--ro' '--rounds'
expect 'skein|run|--lo' '--log-level'                   # of the program
expect 'skein|--log-level|inf' 'info'
expect 'skein|run|spec.yaml|--log-level|inf' 'info'
expect 'skein|run|--events|' 'all|auto|summary'
expect 'skein|run|--events|=|su' 'summary'              # --events=su
expect 'skein|run|--events|=' 'all|auto|summary'        # --events=
expect 'skein|run|--rounds|' ''                         # a number: nobody can guess it
expect 'skein|run|' 'my spec.yaml|runs|some runs|spec.yaml'
expect 'skein|run|sp' 'spec.yaml'
expect 'skein|run|--out|' 'runs|some runs'
expect 'skein|run|-o' ''
expect 'skein|topology|s' 'show|stats'
expect 'skein|topology|draw|--format|d' 'dot'
expect 'skein|topology|make|rand' 'random'
expect_among 'skein|topology|make|random|--' '--workers'
expect 'skein|help|simu' 'simulate'
expect 'skein|help|--completion|' 'bash|zsh'
exit "$failed"
