#!/bin/bash
# Makes the virtual environments of the peer in build/peers: setup.sh [--legacy|--current]
# Without an argument, both. Does nothing, at once, where they are there and up to date.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
python=/usr/bin/python3

fail() {
  echo "setup.sh: $*" >&2
  exit 1
}

case ${1:-} in
  '') names=(legacy current) ;;
  --legacy | --current) names=("${1#--}") ;;
  *) fail "usage: setup.sh [--legacy|--current]" ;;
esac

# torch comes from Debian, so that Flower and Skein train with the same library.
packages=(python3-venv python3-torch python3-numpy dataset-fashion-mnist)
missing=()
for package in "${packages[@]}"; do
  [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) == ii* ]] ||
    missing+=("$package")
done
if [[ ${#missing[@]} -gt 0 ]]; then
  [[ $(id -u) -eq 0 ]] ||
    fail "as root, run: apt-get install -y --no-install-recommends ${missing[*]}"
  DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "${missing[@]}" \
    </dev/null >/dev/null || fail "apt-get could not install ${missing[*]}"
fi

for name in "${names[@]}"; do
  venv=$root/build/peers/flower-$name
  pins=$here/requirements-$name.txt
  cmp -s "$pins" "$venv/installed.txt" && continue
  rm -rf "$venv"
  mkdir -p "${venv%/*}"
  "$python" -m venv --system-site-packages "$venv" || fail "cannot make $venv"
  log=$venv/pip.log
  "$venv/bin/pip" install --quiet --no-deps --requirement "$pins" >"$log" 2>&1 ||
    fail "$(grep ERROR "$log" | tail -n1) (all of it: $log)"
  "$venv/bin/python" -c 'import flwr, numpy, torch; torch.zeros(1).numpy()' >>"$log" 2>&1 ||
    fail "$(tail -n1 "$log") (all of it: $log)"
  cp "$pins" "$venv/installed.txt"
  echo "$name: $("$venv/bin/python" -c 'import flwr; print("flwr", flwr.__version__)')"
done
