#!/usr/bin/env bash
# Fine-tune: run.sh EXP_NAME NUM_PROCESSES EPOCHS BATCH_SIZE [key=value ...]
# BATCH_SIZE counts pieces of music per process; each process has a GPU of its own where there are GPUs.
# ACCELERATE_ARGS: flags of `accelerate launch`, such as those for several machines.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/environment.sh"
if [[ ${1:-} == -h || ${1:-} == --help ]]; then exec python -m rl_finetune.finetune --help; fi
if (( $# < 4 )); then
  echo "usage: bash run.sh EXP_NAME NUM_PROCESSES EPOCHS BATCH_SIZE [key=value ...]" >&2
  exit 2
fi
processes=$2
settings=("name=$1" "epochs=$3" "batch_size=$4")
shift 4
[[ $processes =~ ^[1-9][0-9]*$ ]] || { echo "error: NUM_PROCESSES must be a whole number above 0, not '$processes'" >&2; exit 2; }
# One process needs no launcher, which would bury an error's one sentence under its own traceback.
if [[ $processes == 1 ]]; then exec python -m rl_finetune.finetune "${settings[@]}" "$@"; fi
# --multi_gpu is accelerate's name for several processes by torch's launcher, be it on GPUs or on CPUs.
read -ra flags <<< "${ACCELERATE_ARGS:---num_machines 1 --main_process_port 0}"
exec accelerate launch --multi_gpu --num_processes "$processes" --mixed_precision no --dynamo_backend no "${flags[@]}" \
  -m rl_finetune.finetune "${settings[@]}" "$@"
