#!/usr/bin/env bash
# Train the imitation policy: train.sh [DATA_ROOT] [key=value ...]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
data=()
if [[ -n ${1:-} && $1 != *=* && $1 != -* ]]; then
  data=("data=$(realpath -m "$1")")
  shift
fi
source "$root/environment.sh"
exec python -m pretrain.train "${data[@]}" "$@"
