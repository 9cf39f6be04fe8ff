#!/usr/bin/env bash
# Train the base dance model: train_edge.sh [DATA_ROOT] [key=value ...]
# NUM_PROCESSES (default 1) processes, one per GPU.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/environment.sh"
if [[ ${1:-} == -h || ${1:-} == --help ]]; then exec python -m rl_finetune.train_edge --help; fi
data=()
if (( $# )) && [[ $1 != *=* ]]; then data=("data=$1"); shift; fi
# One process needs no launcher, which would bury an error's one sentence under its own traceback.
if [[ ${NUM_PROCESSES:-1} == 1 ]]; then exec python -m rl_finetune.train_edge "${data[@]}" "$@"; fi
exec accelerate launch --num_processes "$NUM_PROCESSES" --num_machines 1 --mixed_precision no \
  --dynamo_backend no -m rl_finetune.train_edge "${data[@]}" "$@"
