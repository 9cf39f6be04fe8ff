#!/usr/bin/env bash
# Train the base dance model: train_edge.sh [DATA_ROOT] [key=value ...]
# NUM_PROCESSES (default 1): processes, each on a GPU of its own where there are GPUs.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/environment.sh"
if [[ ${1:-} == -h || ${1:-} == --help ]]; then exec python -m dance_model.train_dance_model --help; fi
data=()
if (( $# )) && [[ $1 != *=* ]]; then data=("data=$1"); shift; fi
# One process needs no launcher, which would bury an error's one sentence under its own traceback.
if [[ ${NUM_PROCESSES:-1} == 1 ]]; then exec python -m dance_model.train_dance_model "${data[@]}" "$@"; fi
exec python -m torch.distributed.run --standalone --nproc_per_node "$NUM_PROCESSES" \
  -m dance_model.train_dance_model "${data[@]}" "$@"
