# needs: nftables
# runs: by bash alone
# programs: nft
# Names that are not there and what may have been meant, and words that nothing is called by.
set +x
ip netns add r
n() { echo "\$ nft $*"; ip netns exec r nft "$@" 2>&1 || echo "exit $?"; }
n add table ip t
n add set ip t s '{ type ipv4_addr; flags interval; }'
n add element ip t s '{ 10.0.0.0/8 }'
n add element ip t s '{ 10.1.0.0/16 }'
n add element ip t s '{ 10.0.0.0/8 }'
n create element ip t s '{ 10.0.0.0/8 }'
n add element ip t s '{ 9.0.0.0-10.0.0.5 }'
n delete element ip t s '{ 11.0.0.0/8 }'
n add set ip t p '{ type inet_service; }'
n add element ip t p '{ 80 }'
n create element ip t p '{ 80 }'
n delete element ip t p '{ 81 }'
n add chain ip t input
n add rule ip t inputt accept
n add rule ip tt input accept
n add rule ip6 t input accept
n add rule ip zzzzz input accept
n add rule ip t zzzzzz accept
n add chain ip tx foo
n add chain ip nofilter foo
n add chain ip zzzzzz a
n list table ip tx
n list chain ip t inpu
n delete chain ip t inpu
n flush chain ip t inpu
n delete table ip tt
n flush table ip tt
n list set ip t ss
n add element ip t ss '{ 1.1.1.1 }'
n add set ip tt q '{ type ipv4_addr; }'
n delete set ip t ss
n add rule ip t input jump inputt
n add rule ip t input ip saddr @ss accept
n add rule ip t input foo bar
n add rule ip t input foo
n add rule ip t input tcp foo 5
n add rule ip t input ip saddr fe80::1
n add chain ip t c '{ type filter hook input priority 0; policy maybe; }'
n add chain ip t c2 '{ type filter hook input priority 0; policy; }'
for w in fwd dup log accept ip tcp table type counter limit meta; do n add chain ip t $w; done
for w in filter nat raw mangle wan dmz local default state mac port; do n add chain ip t $w; done
n list ruleset
