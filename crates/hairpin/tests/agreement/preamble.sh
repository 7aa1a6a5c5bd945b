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
        for name; do :; done
        command ip netns exec "$name" sh -c "$(declare -f no_ipv6); no_ipv6" 2>/dev/null ;;
    esac
    return $status
}
no_ipv6
# Every command is printed before its output, and failures with their code.
exec 2>&1 </dev/null
trap 'echo "exit $?"' ERR
PS4='$ '
set -x
