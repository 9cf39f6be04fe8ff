#!/usr/bin/env bash
# Train the imitation policy: train.sh [DATA_ROOT] [processes=N] [key=value ...]
# Each of the N processes (1 unless given) has a GPU of its own where there are GPUs.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
settings=()
if [[ -n ${1:-} && $1 != *=* && $1 != -* ]]; then
  settings=("data=$(realpath -m "$1")")
  shift
fi
processes=1
for argument in "$@"; do
  if [[ $argument == processes=* ]]; then processes=${argument#processes=}; else settings+=("$argument"); fi
done
[[ $processes =~ ^[1-9][0-9]*$ ]] || { echo "error: processes must be a whole number above 0, not '$processes'" >&2; exit 2; }
source "$root/environment.sh"
if [[ $processes == 1 ]]; then exec python -m pretrain.train_imitation "${settings[@]}"; fi
exec python -m torch.distributed.run --standalone --nproc_per_node "$processes" -m pretrain.train_imitation "${settings[@]}"
