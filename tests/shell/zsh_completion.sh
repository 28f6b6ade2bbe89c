#!/bin/bash
# zsh_completion.sh PROGRAM: types in an interactive zsh and looks at what it makes of Tab.
set -euo pipefail
program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/functions" "$work/here"
"$program" help --completion zsh >"$work/functions/_skein"
zsh -n "$work/functions/_skein"
touch "$work/here/spec.yaml"
cat >"$work/type.zsh" <<'END'
# Runs zsh in a pseudo-terminal, sends each line of stdin with a Tab at its end, and prints what the
# line has become.
zmodload zsh/zpty
zpty shell zsh -f -i
expect() { zpty -r -m shell reply "*$1*" }  # until it has printed that
zpty -w shell "cd $WORK/here; PS1=; fpath=($WORK/functions \$fpath); autoload -Uz compinit; compinit -D -u; \
  zstyle ':completion:*' menu no; \
  report-line() { print -r -- \"LINE:\$BUFFER:END\"; BUFFER=; zle accept-line }; zle -N report-line; \
  bindkey '^X^P' report-line; print REA''DY"
expect READY
# No key may mean something to the terminal itself, which has them until zsh's editor is up.
while IFS= read -r line; do
  zpty -w -n shell "$line"$'\t'$'\x18\x10'
  expect 'LINE:*:END'
  print -r -- ${${reply##*LINE:}%%:END*}
done
zpty -d shell
END
# what is typed|what it becomes
cases='skein simu|skein simulate
skein run --roun|skein run --rounds=
skein run --events su|skein run --events summary
skein run sp|skein run spec.yaml
skein run --log-level inf|skein run --log-level info
skein topology sho|skein topology show
skein topology make rand|skein topology make random
skein topology draw --format d|skein topology draw --format dot
skein help --completion z|skein help --completion zsh
skein help simu|skein help simulate'
typed=$(cut -d'|' -f1 <<<"$cases")
expected=$(cut -d'|' -f2 <<<"$cases")
got=$(WORK=$work timeout 250 zsh -f "$work/type.zsh" <<<"$typed" | sed 's/ *$//')
diff -u --label expected --label got <(echo "$expected") <(echo "$got")
