#!/usr/bin/env bash
# Fine-tune: run.sh EXP_NAME NUM_PROCESSES EPOCHS BATCH_SIZE [key=value ...]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/environment.sh"
if [[ ${1:-} == -h || ${1:-} == --help ]]; then exec python -m rl_finetune.finetune --help; fi
if (( $# < 4 )); then
  echo "usage: bash run.sh EXP_NAME NUM_PROCESSES EPOCHS BATCH_SIZE [key=value ...]" >&2
  exit 2
fi
name=$1 processes=$2 epochs=$3 batch_size=$4
shift 4
exec accelerate launch --num_processes "$processes" --num_machines 1 --mixed_precision no --dynamo_backend no \
  -m rl_finetune.finetune "name=$name" "epochs=$epochs" "batch_size=$batch_size" "$@"
