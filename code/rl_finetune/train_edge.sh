#!/usr/bin/env bash
# Train the base dance model: train_edge.sh [DATA_ROOT] [key=value ...]
# NUM_PROCESSES (default 1): processes, each on a GPU of its own where there are GPUs.
# ACCELERATE_ARGS: flags of `accelerate launch`, such as those for several machines.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/environment.sh"
source "$root/code/launch.sh"
if [[ ${1:-} == -h || ${1:-} == --help ]]; then exec python -m dance_model.train_dance_model "$@"; fi
data=()
if (( $# )) && [[ $1 != *=* ]]; then data=("data=$1"); shift; fi
launch "${NUM_PROCESSES:-1}" dance_model.train_dance_model "${data[@]}" "$@"
