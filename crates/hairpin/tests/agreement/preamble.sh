# Duplicate address detection and listener reports come at times of their own: IPv6 is off everywhere.
no_ipv6() {
    for i in all default; do echo 1 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done
}
ip() {
    { local - status name; set +x; } 2>/dev/null
    command ip "$@"
    status=$?
    case " $* " in
    *" netns add "*)
        [ -n "$INHERITED" ] && return $status
        for name; do :; done
        command ip netns exec "$name" sh -c "$(declare -f no_ipv6); no_ipv6" 2>/dev/null ;;
    esac
    return $status
}
# v6 NETNS...: IPv6 is on there, and nobody asks for routers.
v6() {
    { set +x; } 2>/dev/null
    for n; do
        command ip netns exec $n sh -c 'cd /proc/sys/net/ipv6/conf; for i in all default; do echo 0 >$i/disable_ipv6; done; echo 0 >default/router_solicitations'
    done
    set -x
}
# A moment: without a process of its own where each costs more than the moment, in a guest.
moment() {
    [ -n "$INHERITED" ] || { command sleep 0.2; return; }
    [ -p /run/quiet ] || mkfifo /run/quiet
    read -r -t 0.2 <>/run/quiet || :
}
# watch [-FILTER] NETNS:DEVICE...: captures on these devices from now on, until `unwatch`.
declare -A shown
watch() {
    { set +x; } 2>/dev/null
    WATCHED= WATCHERS= CAPTURES=$(mktemp -d) filter= watched=
    case $1 in -*) filter=${1#-}; shift ;; esac
    for p; do
        WATCHED="$WATCHED $p" shown[$p]=0
        case " $watched " in *" ${p%:*} "*) ;; *) watched="$watched ${p%:*}" ;; esac
        : >$CAPTURES/$p.err
        # Nobody asks again while it is watched.
        command ip netns exec ${p%:*} sh -c 'for f in /proc/sys/net/ipv[46]/neigh/*/delay_first_probe_time; do echo 60 >$f; done' 2>/dev/null
        command ip netns exec ${p%:*} tcpdump -p --immediate-mode -l -e -n -t -i ${p#*:} $filter >$CAPTURES/$p 2>$CAPTURES/$p.err &
        WATCHERS="$WATCHERS $!"
    done
    for p in $WATCHED; do until read -r -d '' text <$CAPTURES/$p.err; [[ $text == *listening* ]]; do sleep 0.1; done; done
    set -x
}
# The frames on all devices while a command runs, each once: how often a question is asked again hangs on how long
# programs take. Then nobody knows anybody any more.
seen() {
    "$@"
    { set +x; } 2>/dev/null
    moment
    for n in $watched; do command ip -n $n neigh flush all 2>/dev/null; done
    for p in $WATCHED; do
        echo "--- $p"
        mapfile -t -s ${shown[$p]} lines <$CAPTURES/$p
        (( shown[$p] += ${#lines[@]} ))
        local -A known=()
        for line in "${lines[@]}"; do
            [[ $line =~ ^(.*),\ id\ [0-9]+(.*)$ ]] && line=${BASH_REMATCH[1]}${BASH_REMATCH[2]}
            [ -n "${known[$line]}" ] || echo "$line"
            known[$line]=1
        done
    done
    set -x
}
unwatch() {
    { set +x; } 2>/dev/null
    kill $WATCHERS; wait $WATCHERS
    rm -r $CAPTURES; set -x
}
no_ipv6
# Every command is printed before its output, and failures with their code.
exec 2>&1 </dev/null
trap 'echo "exit $?"' ERR
PS4='$ '
set -x
