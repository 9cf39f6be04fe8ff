#!/usr/bin/env bash
# Sample with a fine-tuned model and measure: eval.sh EXP_NAME EPOCH MOTION_SAVE_ROOT CKPT_ROOT CACHED_MUSIC_FEATURES [key=value ...]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/environment.sh"
if [[ ${1:-} == -h || ${1:-} == --help ]]; then exec python -m rl_finetune.eval_checkpoint "$@"; fi
if (( $# < 5 )); then
  echo "usage: bash eval.sh EXP_NAME EPOCH MOTION_SAVE_ROOT CKPT_ROOT CACHED_MUSIC_FEATURES [key=value ...]" >&2
  exit 2
fi
name=$1 epoch=$2 motion_save_root=$3 ckpt_root=$4 music=$5
shift 5
exec python -m rl_finetune.eval_checkpoint "name=$name" "epoch=$epoch" "motion_save_root=$motion_save_root" \
  "ckpt_root=$ckpt_root" "music=$music" "$@"
