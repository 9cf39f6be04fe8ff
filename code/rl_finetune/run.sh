#!/usr/bin/env bash
# Fine-tune: run.sh EXP_NAME NUM_PROCESSES EPOCHS BATCH_SIZE [key=value ...]
# BATCH_SIZE counts pieces of music per process; each process has a GPU of its own where there are GPUs.
# ACCELERATE_ARGS: flags of `accelerate launch`, such as those for several machines.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/environment.sh"
source "$root/code/launch.sh"
if [[ ${1:-} == -h || ${1:-} == --help ]]; then exec python -m rl_finetune.finetune "$@"; fi
if (( $# < 4 )); then
  echo "usage: bash run.sh EXP_NAME NUM_PROCESSES EPOCHS BATCH_SIZE [key=value ...]" >&2
  exit 2
fi
processes=$2
settings=("name=$1" "epochs=$3" "batch_size=$4")
shift 4
launch "$processes" rl_finetune.finetune "${settings[@]}" "$@"
