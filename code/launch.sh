# One way to start a training in one or several processes, for the scripts of all three: source it, then call launch.

# launch PROCESSES MODULE [key=value ...]: each process has a GPU of its own where there are GPUs.
# ACCELERATE_ARGS: flags of `accelerate launch` besides, such as those for several machines.
launch() {
  local processes=$1 module=$2
  shift 2
  if [[ ! $processes =~ ^[1-9][0-9]*$ ]]; then
    echo "error: NUM_PROCESSES must be a whole number above 0, not '$processes'" >&2
    exit 2
  fi
  # One process needs no launcher, which would bury an error's one sentence under its own words.
  if [[ $processes == 1 ]]; then exec python -m "$module" "$@"; fi
  exec python -m skeleton2stage.launch "$processes" "$module" "$@"
}
