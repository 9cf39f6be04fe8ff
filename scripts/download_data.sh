#!/usr/bin/env bash
# Fetch data from the addresses in scripts/downloads.json, checked and resumed: download_data.sh [SET ...] [key=value ...]
# Without a SET, lists what there is.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/environment.sh"
exec python -m skeleton2stage.download data "$@"
