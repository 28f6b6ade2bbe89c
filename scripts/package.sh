#!/bin/bash
# Builds Debian packages of the release build into build/packages: skein (the program) and
# libskein-dev (headers and libraries). tests/package/run.sh installs them in a fresh root.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
scripts/install-deps.sh
build release skein_cli skein_help skein_skein skein_testing
rm -rf build/packages
log=$(cpack --config build/release/CPackConfig.cmake -B build/packages 2>&1) || {
  echo "$log"
  exit 1
}
rm -rf build/packages/_CPack_Packages
ls build/packages/*.deb
