#!/usr/bin/env bash
# Install everything into .venv, or bring it up to date: setup.sh
# Uses Python 3.11 or newer (or the one that PYTHON names) and, where there is an NVIDIA GPU, torch's GPU build.
# Does nothing when nothing has changed. Variables: environment.sh.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv
cpu_torch=torch==2.13.0
gpu_torch="torch>=2.6"

fail() { echo "error: $*" >&2; exit 1; }

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  local name seen=""
  for name in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
    if is_new_enough "$name"; then echo "$name"; return; fi
    seen=$("$name" --version 2>/dev/null) || true
  done
  fail "Python 3.11 or newer is needed and ${seen:-none} was found: install one, or name it in PYTHON"
}

make_venv() {
  if [[ -e $venv ]]; then
    is_new_enough "$venv/bin/python" || fail "the Python of $venv does not work or is too old: delete that folder and run again"
    return
  fi
  local python
  python=$(find_python)
  "$python" -c 'import ensurepip, venv' 2>/dev/null || fail "$python cannot make environments: install its venv package (Debian: python3-venv)"
  echo "making $venv with $("$python" --version)"
  "$python" -m venv "$venv" || { rm -rf "$venv"; fail "$python could not make $venv; its reason is above"; }
}

has_gpu() { command -v nvidia-smi >/dev/null && nvidia-smi -L 2>/dev/null | grep -q GPU; }

pip_install() {
  "$venv/bin/python" -m pip install --disable-pip-version-check "$@" \
    || fail "pip could not install $*; its reason is above (is the network there?)"
}

install_torch() {
  if "$venv/bin/python" -c 'import importlib.metadata as m; m.version("torch")' 2>/dev/null; then return; fi
  local torch=$cpu_torch
  if has_gpu; then torch=$gpu_torch; fi
  echo "installing $torch"
  if ! has_gpu && [[ -z ${S2S_TORCH_INDEX:-} ]]; then
    echo "no NVIDIA GPU here: should that download gigabytes, stop it and set S2S_TORCH_INDEX (see environment.sh)"
  fi
  pip_install "$torch" ${S2S_TORCH_INDEX:+--index-url "$S2S_TORCH_INDEX"}
}

# What was installed: the lists themselves, and the folder that the editable install points to.
fingerprint() { { cat "$root/requirements.txt" "$root/pyproject.toml"; echo "$root"; } | sha256sum; }

if [[ ${1:-} == -h || ${1:-} == --help ]]; then sed -n '2,4s/^# //p' "${BASH_SOURCE[0]}"; exit; fi
(( $# == 0 )) || fail "setup.sh takes no arguments, not '$1' (see --help)"
make_venv
source "$root/environment.sh"
stamp=$venv/.skeleton2stage
if [[ -f $stamp && $(<"$stamp") == "$(fingerprint)" ]]; then exit; fi
install_torch
pip_install -r "$root/requirements.txt"
pip_install --quiet --no-deps -e "$root"
fingerprint > "$stamp"
echo "ready: source environment.sh, or run the scripts, which do it themselves"
