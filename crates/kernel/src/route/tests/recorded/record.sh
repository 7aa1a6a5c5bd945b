#!/bin/bash
# record.sh FILE.session ...: runs the commands of each session (the lines "$ COMMAND") on this kernel, in a
# network namespace of its own, and writes the session anew with what they print. "monitor" prints what
# `ip monitor route` printed since the last time, "bytes" runs bytes.py. Needs root, iproute2 and python3.
here=$(dirname "$(realpath "$0")")
for session in "$@"; do
  commands=$(mktemp) log=$(mktemp)
  grep '^\$ ' "$session" | cut -c3- >"$commands"
  log=$log here=$here unshare -n bash -c '
    for n in 0 1 2; do ip link add v$n type veth peer name p$n; done
    ip -4 monitor route >>"$log" & watcher=$!
    sleep 0.3
    monitor() { sleep 0.3; cat "$log"; : >"$log"; }
    bytes() { python3 "$here/bytes.py" "$@"; }
    while read -r command; do printf "\$ %s\n" "$command"; $command 2>&1; done
    kill $watcher' <"$commands" >"${OUT:-.}/${session##*/}.new"
  mv "${OUT:-.}/${session##*/}.new" "${OUT:-.}/${session##*/}"
  rm -f "$commands" "$log"
done
