#!/usr/bin/env bash
# From nothing to a fine-tuned dance model: quickstart.sh [EPOCHS=3]
# Sets up, dances with the shipped base model, fine-tunes it by geometry, dances again, compares numbers and pictures.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [[ ${1:-} == -h || ${1:-} == --help ]]; then sed -n '2,3s/^# //p' "${BASH_SOURCE[0]}"; exit; fi
epochs=${1:-3}
[[ $epochs =~ ^[1-9][0-9]*$ ]] || { echo "error: EPOCHS must be a whole number above 0, not '$epochs'" >&2; exit 2; }

step() { printf '\n== %s (%d s since the start)\n' "$1" "$SECONDS"; }

step "Setting up"
bash "$root/scripts/setup.sh"
source "$root/environment.sh"
out=$S2S_RUNS/quickstart
demo=$root/checkpoints/demo

step "What this machine can do"
python -m skeleton2stage.doctor

step "Music nobody has danced to yet, and the base model's dances to it"
python -m skeleton2stage.music.tracks "source=$demo/tracks_held_out.json" "out=$out/music"
python -m rl_finetune.sample "checkpoint=$demo/dance_model.safetensors" "music=$out/music" "out=$out/base" seconds=5 \
  smooth_flips=false  # as eval.sh has it
python -m rl_finetune.evaluate "motions=$out/base" "music=$out/music" "out=$out/base/metrics.json"

step "Fine-tuning, $epochs epochs"
bash "$root/code/rl_finetune/run.sh" quickstart 1 "$epochs" 16

step "The fine-tuned model's dances to the same music"
bash "$root/code/rl_finetune/eval.sh" quickstart "$epochs" "$out" "$S2S_RUNS/train" "$out/music" seconds=5

step "Before and after"
tuned=$out/quickstart-$epochs
python -m rl_finetune.evaluate "compare=[$out/base/metrics.json,$tuned/metrics.json]" "labels=[base,fine-tuned]" \
  "out=$out/comparison.md"
song=steady_100bpm
python -m skeleton2stage.render "motions=[$out/base/$song.pkl,$tuned/$song.pkl]" "labels=[base,fine-tuned]" \
  "music=$out/music/$song.wav" "out=$out/base-and-fine-tuned.mp4" \
  || echo "no video: the line above says why; everything else is there"

step "Done"
cat <<EOF
table        $out/comparison.md
dances       $out/base and $tuned (.pkl)
video        $out/base-and-fine-tuned.mp4, stills beside it
viewer       source $root/environment.sh; pip install 'viser>=1.0,<2'
             python -m skeleton2stage.view "motions=[$out/base/$song.pkl,$tuned/$song.pkl]" "labels=[base,fine-tuned]" "music=$out/music/$song.wav"
files        python -m skeleton2stage.export "motions=$tuned" "out=$out/glb" "music=$out/music"   (GLB; to=[bvh] and [obj] too)
curves       tensorboard --logdir $S2S_RUNS/train/quickstart, numbers in epochs.json there
checkpoints  $S2S_RUNS/train/quickstart/weights
EOF
