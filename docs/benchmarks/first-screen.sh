#!/usr/bin/env bash
# How long the built demo takes from its start to the first incident on an analyst's screen.
#
#   docs/benchmarks/first-screen.sh
#
# Needs curl and a built `yagura` on the path or in $YAGURA.
set -euo pipefail

yagura=${YAGURA:-yagura}
work=$(mktemp -d)
demo=""
cleanup() {
  if [ -n "$demo" ]; then
    kill -INT "$demo" 2>/dev/null || true
    wait "$demo" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap cleanup EXIT

# As an analyst does it: open the one-time link, press its button, look at the queue.
sign_in() {
  local link origin
  link=$(grep -o 'http://[^ ]*/sign-in/link/[^ ]*' "$work/said") || return 1
  origin=${link%%/sign-in*}
  curl -sf -o "$work/page" -c "$work/jar" -b "$work/jar" -X POST -H "Origin: $origin" -H "Sec-Fetch-Site: same-origin" "$link" ||
    return 1
  echo "$origin" >"$work/origin"
}
incident_is_on_screen() { curl -sf -b "$work/jar" "$(cat "$work/origin")/" | grep -q 'INC-2'; }

start=$(date +%s%3N)
: >"$work/said"
"$yagura" demo --port 0 >"$work/said" 2>&1 &
demo=$!
for step in sign_in incident_is_on_screen; do
  until "$step"; do
    if [ $(($(date +%s%3N) - start)) -gt 30000 ]; then
      echo "$step did not come about within 30 s" >&2
      cat "$work/said" >&2
      exit 1
    fi
    sleep 0.02
  done
done
echo "first incident on screen after $(($(date +%s%3N) - start)) ms"
