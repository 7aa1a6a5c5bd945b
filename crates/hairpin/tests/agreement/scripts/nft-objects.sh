# needs: nftables
# runs: by bash alone
# programs: nft
# nftables: files that include others, quotas and limits with a name.
set +x
r() { echo "\$ nft $*"; nft "$@" 2>&1 || echo "exit $?"; }
mkdir -p inc
printf 'define PORTS = { 80, 443 }\n' >inc/a.nft
printf 'table ip t {\n\tchain c {\n\t\tfoo\n\t}\n}\n' >inc/bad.nft
printf '\n  include "./inc/bad.nft"\n' >x.nft
printf 'include "/nosuch.nft"\n' >y.nft
printf 'include "nosuch.nft"\nadd table ip q' >z.nft
printf 'include "./inc/a.nft"\nadd table ip w\nadd chain ip w c\nadd rule ip w c tcp dport $PORTS' >v.nft
for f in x y z v; do r -f $f.nft; done
r list ruleset
r flush ruleset
r add table ip t
r add quota ip t q over 10 mbytes
r add quota ip t q2 '{ 5 kbytes used 100 bytes }'
r add limit ip t l rate 5/second
r add limit ip t l2 '{ rate over 1 mbytes/minute burst 100 kbytes }'
r add counter ip t cc
r add chain ip t c
r add rule ip t c quota name q drop
r add rule ip t c limit name l accept
r add rule ip t c tcp dport 80 counter name cc quota name '"q2"' limit name l2
r add rule ip t c quota name nosuch
r add rule ip t c limit name nosuch
r list ruleset
r -j list ruleset
r list quotas
r list limits
r list counters
r list quota ip t q
r list limit ip t l
r reset quota ip t q2
r reset quotas
r delete quota ip t q
r flush chain ip t c
r delete quota ip t q
r list counters ip
r add rule ip t c tcp flags syn tcp option maxseg size set rt mtu
r list chain ip t c
r delete counter ip t cc
r list counters
r list flowtables
r list meters
