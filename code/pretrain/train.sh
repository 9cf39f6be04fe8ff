#!/usr/bin/env bash
# Train the imitation policy: train.sh [DATA_ROOT] [key=value ...]
# NUM_PROCESSES (default 1): processes, each on a GPU of its own where there are GPUs.
# ACCELERATE_ARGS: flags of `accelerate launch`, such as those for several machines.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/environment.sh"
source "$root/code/launch.sh"
if [[ ${1:-} == -h || ${1:-} == --help ]]; then exec python -m pretrain.train_imitation "$@"; fi
data=()
if (( $# )) && [[ $1 != *=* ]]; then data=("data=$1"); shift; fi
launch "${NUM_PROCESSES:-1}" pretrain.train_imitation "${data[@]}" "$@"
