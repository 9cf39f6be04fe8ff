#!/usr/bin/env bash
# Set up if needed, then lint and test, on up to four cores: test.sh [arguments of pytest, such as -m slow, or -n 0]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [[ ${1:-} == -h || ${1:-} == --help ]]; then sed -n '2s/^# //p' "${BASH_SOURCE[0]}"; exit; fi
bash "$root/scripts/setup.sh"
source "$root/environment.sh"
cd "$root"
ruff check .
# The tests of a file stay in one process: they share what they set up.
exec python -m pytest -n logical --maxprocesses 4 --dist loadfile "$@"
