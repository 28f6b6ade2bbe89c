#!/bin/bash
# run.sh BUILD_DIR: installs the build, moves the installed tree elsewhere, builds projects against
# it that know nothing of this source tree, and runs them.
set -euo pipefail
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source=$(cd "$here/../.." && pwd)
work=$build/install_consumer
rm -rf "$work"
mkdir -p "$work"

fail() {
  echo "install_consumer: $*" >&2
  exit 1
}

cmake --install "$build" --prefix "$work/first" >"$work/install.log" || fail "see $work/install.log"
# The package must not depend on where it was installed first.
mv "$work/first" "$work/moved"
prefix=$work/moved

# Its description must not speak of this tree or of how we compile our own code.
if grep -rnE -- "-Werror|-fsanitize|-fuse-ld|-Wshadow" "$prefix" --include='*.cmake' ||
   grep -rnF -e "$source" -e "$build" "$prefix" --include='*.cmake'; then
  fail "the exported targets carry settings or paths of the build"
fi
for file in include/skein/skein.h share/skein/proto/skein/v1/data_plane.proto \
    share/doc/skein/LICENSE; do
  [[ -e $prefix/$file ]] || fail "$file is not installed"
done

options=(-G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$prefix")
if command -v ccache >/dev/null; then options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi

# build_project NAME [OPTION ...]: this folder's project NAME, copied away from the source tree.
build_project() {
  local name=$1
  shift
  cp -r "$here/$name" "$work/$name"
  cmake -S "$work/$name" -B "$work/$name/build" "${options[@]}" "$@" >"$work/$name.log" 2>&1 &&
    cmake --build "$work/$name/build" >>"$work/$name.log" 2>&1 ||
    { tail -n 60 "$work/$name.log"; fail "$name does not build against the installed package"; }
}

build_project device
"$work/device/build/device" || fail "device failed"
if readelf -d "$work/device/build/device" | grep -E 'NEEDED.*sqlite'; then
  fail "a program with skein::worker needs what a device should not need"
fi

cp -r "$source/examples" "$work/examples"
build_project federation -DSKEIN_EXAMPLES_DIR="$work/examples"
"$work/federation/build/simulated" || fail "simulated failed"
"$work/federation/build/federation" || fail "federation failed"
"$work/federation/build/examples/quickstart/quickstart" run \
  "$work/examples/quickstart/quickstart.yaml" --rounds 2 --quiet --out "$work/quickstart-run" ||
  fail "the quickstart example failed"
digest=$(sha256sum "$work/quickstart-run/model.safetensors")
grep -qF "${digest%% *}" "$work/quickstart-run/result.json" ||
  fail "the quickstart example's model has another digest than its result says"

# The same without CMake.
pc=$(find "$prefix" -name skein.pc -printf '%h')
! grep -nF -e "$source" -e "$build" -e "$work" "$pc"/*.pc ||
  fail "a pkg-config file has a path of the build, or of the first prefix"
with_pkg_config() {  # NAME FILE OUTPUT
  PKG_CONFIG_PATH=$pc pkg-config --print-errors --exists "$1" &&
    # Unquoted: flags are several words.
    ${CXX:-g++} -std=c++20 "$2" -o "$3" $(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs "$1") ||
    fail "$2 does not build with pkg-config"
}
with_pkg_config skein-worker "$here/device/device.cc" "$work/device-pc"
"$work/device-pc" || fail "device-pc failed"
with_pkg_config skein "$here/federation/federation.cc" "$work/federation-pc"
"$work/federation-pc" || fail "federation-pc failed"

for file in share/man/man1/skein-run.1.gz share/bash-completion/completions/skein \
    share/doc/skein/examples/specs/three_tiers.yaml; do
  [[ -e $prefix/$file ]] || fail "$file is not installed"
done
specs=$prefix/share/doc/skein/examples/specs
for command in "run hospitals" "run three_tiers" "simulate stragglers"; do
  name=${command#* }
  "$prefix/bin/skein" "${command% *}" "$specs/$name.yaml" --quiet --out "$work/$name" ||
    fail "the installed example $name failed"
done

if cmake -S "$here/device" -B "$work/bad" "${options[@]}" -DCMAKE_PROJECT_INCLUDE="$here/bad.cmake" \
    >"$work/bad.log" 2>&1; then
  fail "a component that does not exist was found"
fi
grep -q "skein has no component 'wroker'" "$work/bad.log" ||
  fail "an unknown component is not named: see $work/bad.log"
echo "the installed package serves projects outside the tree"
