#!/usr/bin/env bash
# What wesng (https://github.com/bitsadmin/wesng) says about the hosts of a vulnerability data directory, laid where
# `yagura eval cve` looks for a peer's answers. cve-eval.md beside this file says what is compared.
#
#   docs/benchmarks/peer-wesng.sh DATA WES_PY NEW     DATA as in cve-eval.md, wesng's wes.py, a folder to make
#   yagura eval cve NEW --json
#
# NEW holds links to DATA and, under ms-patches/peer, one CSV for each host that wesng could read.
set -euo pipefail

data=$(realpath "$1") wes=$(realpath "$2") new=$3
mkdir -p "$new/ms-patches/peer"
new=$(realpath "$new")
for part in "$data"/*; do
  [ "$(basename "$part")" = ms-patches ] || ln -sfn "$part" "$new/"
done
for part in "$data"/ms-patches/*; do ln -sfn "$part" "$new/ms-patches/"; done

definitions=$(ls "$data"/ms-patches/*.zip | head -1)
for host in "$data"/ms-patches/hosts/*systeminfo*.txt; do
  name=$(basename "$host" .txt)
  python3 "$wes" "$host" --definitions "$definitions" --output "$new/ms-patches/peer/$name.csv" \
    >"$new/ms-patches/peer/$name.log" 2>&1 || echo "wesng could not judge $name" >&2
done
