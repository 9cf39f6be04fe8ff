#!/usr/bin/env bash
# Set up if needed, then lint and test: test.sh [arguments of pytest, such as -m slow]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [[ ${1:-} == -h || ${1:-} == --help ]]; then sed -n '2s/^# //p' "${BASH_SOURCE[0]}"; exit; fi
bash "$root/scripts/setup.sh"
source "$root/environment.sh"
cd "$root"
ruff check .
exec python -m pytest "$@"
