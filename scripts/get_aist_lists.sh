#!/usr/bin/env bash
# Fetch the lists by which EDGE splits AIST++ from its public repository: get_aist_lists.sh [FOLDER]
# FOLDER defaults to data/aist_lists. Give them to train_edge.sh, as the printed line says.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source_url=https://raw.githubusercontent.com/Stanford-TML/EDGE/main/data/splits
folder=${1:-${S2S_DATA:-$root/data}/aist_lists}

fail() { echo "error: $*" >&2; exit 1; }

if [[ ${1:-} == -h || ${1:-} == --help ]]; then sed -n '2,3s/^# //p' "${BASH_SOURCE[0]}"; exit; fi
(( $# <= 1 )) || fail "get_aist_lists.sh takes a folder, not '$*' (see --help)"
command -v curl >/dev/null || fail "curl is needed to fetch the lists: install it, or save $source_url/*.txt to $folder"
mkdir -p "$folder"
partial=$(mktemp -d "$folder/.partial.XXXXXX")
trap 'rm -rf "$partial"' EXIT
for list in crossmodal_train crossmodal_test ignore_list; do
  reason=$(curl -fsSL --retry 2 --connect-timeout 20 -o "$partial/$list.txt" "$source_url/$list.txt" 2>&1) \
    || fail "could not fetch $source_url/$list.txt (${reason##*$'\n'}): is the network there? Otherwise save it to $folder by hand"
done
mv "$partial"/*.txt "$folder/"
echo "train_list=$folder/crossmodal_train.txt test_list=$folder/crossmodal_test.txt ignore_list=$folder/ignore_list.txt"
