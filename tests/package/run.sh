#!/bin/bash
# run.sh [--dev] [PACKAGE_DIR]: makes a fresh root of Debian, installs the packages there as a user
# would, with what they depend on and nothing else, and runs them in it. --dev: libskein-dev too,
# with a program built against it. PACKAGE_DIR: where scripts/package.sh has put them.
#
# Needs root, debootstrap and the mirror that apt knows here; fetches some 500 MB (a whole compiler
# more with --dev), so it is a part of scripts/soak.sh and not of scripts/test.sh. SKEIN_MIRROR names
# another mirror, SKEIN_ROOT a directory for the root, which is kept, and used again.
set -euo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
dev=
if [[ ${1:-} == --dev ]]; then
  dev=yes
  shift
fi
packages=$(cd "${1:-$source/build/packages}" && pwd)

fail() {
  echo "package: $*" >&2
  exit 1
}

[[ $(id -u) -eq 0 ]] || fail "a fresh root needs root"
command -v debootstrap >/dev/null || fail "install debootstrap first"
shopt -s nullglob
program_deb=("$packages"/skein_*.deb)
dev_deb=("$packages"/libskein-dev_*.deb)
[[ ${#program_deb[@]} -eq 1 && ${#dev_deb[@]} -eq 1 ]] ||
  fail "$packages has no packages, or several; run scripts/package.sh"

suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
# What apt here gets that suite from; --print-uris and the like would need a package to fetch.
mirror=${SKEIN_MIRROR:-$(apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' \
  'Created-By: Packages' | awk -v suite="$suite" '$2 == suite && $3 == "main" { print $1; exit }')}
[[ -n $mirror ]] || fail "apt has no mirror of $suite; name one in SKEIN_MIRROR"

if [[ -n ${SKEIN_ROOT:-} ]]; then
  root=$SKEIN_ROOT
  mkdir -p "$root"
else
  root=$(mktemp -d)
  trap 'rm -rf --one-file-system "$root"' EXIT
fi
[[ -e $root/etc/debian_version ]] || {
  echo "--- a fresh root of $suite"
  debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$root.log" 2>&1 || {
    tail -n 20 "$root.log" >&2
    fail "debootstrap failed"
  }
  rm -f "$root.log"
}

# in_root COMMAND ...: in the root, in namespaces of its own, with /proc, and with the network of this
# machine for apt. Mounts go with the command, whatever becomes of it.
in_root() {
  unshare --mount --pid --fork --uts --ipc bash -ec '
    root=$1
    shift
    mount --make-rprivate /
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/tmp"
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
      DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy=$http_proxy} \
      ${https_proxy:+https_proxy=$https_proxy} chroot "$root" "$@"' in_root "$root" "$@"
}

cp -L /etc/resolv.conf "$root/etc/resolv.conf"
rm -rf "$root/packages" "$root"/var/tmp/*  # of a run before, if the root was kept
mkdir -p "$root/packages"
cp "${program_deb[0]}" "${dev_deb[0]}" "$root/packages/"
program="/packages/$(basename "${program_deb[0]}")"
library="/packages/$(basename "${dev_deb[0]}")"

echo "--- installing skein"
# A mirror may have no list of updates: those that it has are enough here.
in_root apt-get -q -y update >/dev/null
in_root apt-get -q -y install "$program" >/dev/null || fail "it does not install"
[[ -z $(in_root dpkg --audit) ]] || fail "dpkg --audit complains"
in_root sh -c 'dpkg -V skein' || fail "installed files are not those of the package"
for package in libtorch-dev cmake g++; do
  [[ ! -e $root/var/lib/dpkg/info/$package.list ]] || fail "the program has brought $package along"
done
if in_root ldd /usr/bin/skein | grep 'not found'; then fail "a library is missing"; fi

echo "--- skein doctor, skein run, skein sweep"
in_root skein doctor || fail "doctor finds that runs would fail"
in_root skein doctor --json | grep -q openblas || fail "it computes with another BLAS than openblas"
examples=/usr/share/doc/skein/examples/specs
for example in three_tiers hospitals; do
  in_root skein run "$examples/$example.yaml" --out "/var/tmp/$example" || fail "$example failed"
  grep -q '"status":"completed"' "$root/var/tmp/$example/result.json" || fail "$example: no result"
  digest=$(sha256sum "$root/var/tmp/$example/model.safetensors")
  grep -qF "${digest%% *}" "$root/var/tmp/$example/result.json" || fail "$example: another digest"
done
in_root skein run "$examples/three_tiers.yaml" --processes --quiet --topology flat:2 --rounds 2 \
  --out /var/tmp/processes || fail "processes failed"
in_root skein simulate "$examples/stragglers.yaml" --quiet --out /var/tmp/stragglers ||
  fail "stragglers failed"
in_root skein sweep "$examples/three_tiers.yaml" --grid seed=1,2 --rounds 2 --quiet \
  --out /var/tmp/sweep || fail "the sweep failed"
in_root test -s /usr/share/man/man1/skein-run.1.gz || fail "no man page"
in_root bash -c 'source /usr/share/bash-completion/completions/skein && complete -p skein' \
  >/dev/null || fail "no completion"

if [[ -n $dev ]]; then
  echo "--- installing libskein-dev"
  in_root apt-get -q -y install "$library" >/dev/null || fail "libskein-dev does not install"
  cp -r "$source/tests/install_consumer/device" "$root/packages/"
  in_root sh -c 'cd /packages/device && g++ -std=c++20 device.cc -o with-pkg-config \
    $(pkg-config --cflags --libs skein-worker) && ./with-pkg-config' || fail "pkg-config failed"
  in_root sh -c 'cp -r /usr/share/doc/libskein-dev/examples/quickstart /packages/ &&
    cd /packages/quickstart && cmake -B build -DCMAKE_BUILD_TYPE=Release >/dev/null &&
    cmake --build build && build/quickstart run quickstart.yaml --rounds 2 --quiet \
      --out /var/tmp/quickstart' || fail "quickstart does not build or run"
fi

echo "--- removing them"
in_root apt-get -q -y purge skein >/dev/null || fail "skein cannot be removed"
! in_root sh -c 'ls -d /usr/bin/skein /usr/share/doc/skein/examples' 2>/dev/null ||
  fail "files are left"
echo "the packages install, run and go"
