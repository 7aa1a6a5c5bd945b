#!/bin/bash
# record.sh FILE.session ...: runs the commands of each session (the lines "$ COMMAND") on this kernel, in a
# network namespace of its own, and writes the session anew with what they print. Needs root and iproute2.
for session in "$@"; do
  commands=$(mktemp)
  grep '^\$ ' "$session" | cut -c3- >"$commands"
  unshare -n bash -c '
    for n in 0 1 2; do ip link add v$n type veth peer name p$n; done
    while read -r command; do printf "\$ %s\n" "$command"; $command 2>&1; done' <"$commands" >"${OUT:-.}/${session##*/}.new"
  mv "${OUT:-.}/${session##*/}.new" "${OUT:-.}/${session##*/}"
  rm -f "$commands"
done
