# What the project's scripts run with: `source environment.sh`, from bash, before running anything by hand.
# Every variable is optional. Set yours before sourcing, or edit the defaults here.
_s2s_root=$(cd "$(dirname "${BASH_SOURCE[0]:-$0}")" && pwd)

# Folder of your SMPL body files (environment/README.md). The free body that ships needs nothing here.
export SMPL_MODELS="${SMPL_MODELS:-$_s2s_root/body_models}"
# Python 3.6-3.8 of an Isaac Gym installation, for simulator=isaacgym (docs/isaacgym.md).
export ISAACGYM_PYTHON="${ISAACGYM_PYTHON:-}"
# Downloaded data: mocap archives, and songs in its folder music/. Only for training your own models.
export S2S_SHARED_DATA="${S2S_SHARED_DATA:-$(dirname "$_s2s_root")/shared/data}"
# Where prepared data goes.
export S2S_DATA="${S2S_DATA:-$_s2s_root/data}"
# Things that can be made again, such as music features. Safe to delete.
export S2S_CACHE="${S2S_CACHE:-$_s2s_root/cache}"
# Where training and evaluation write.
export S2S_RUNS="${S2S_RUNS:-$_s2s_root/runs}"
# Package index that scripts/setup.sh takes torch from; empty: pip's own. On a machine without a GPU, PyTorch's
# index of CPU builds (its "Get started" page gives the address) saves a download of gigabytes.
export S2S_TORCH_INDEX="${S2S_TORCH_INDEX:-}"
# Weights & Biases: offline keeps curves on this machine, online uploads them, disabled writes none.
export WANDB_MODE="${WANDB_MODE:-offline}"
# MUJOCO_GL is left alone: rendering finds out by itself whether egl or osmesa works. Set it to force one.

if [[ ! -x $_s2s_root/.venv/bin/python ]]; then
  echo "error: $_s2s_root has no .venv: run bash scripts/setup.sh first" >&2
  unset _s2s_root
  return 1 2>/dev/null || exit 1
fi
case ":$PATH:" in
  ":$_s2s_root/.venv/bin:"*) ;;
  *) export PATH="$_s2s_root/.venv/bin:$PATH" ;;
esac
unset _s2s_root
