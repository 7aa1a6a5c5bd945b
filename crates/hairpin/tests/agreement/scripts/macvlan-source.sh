# covers: traffic macvlan
# Macvlans in source mode: siblings, the device below, and the world outside.
# differs after 6.1: a lower device in another namespace makes no LOWERLAYERDOWN
# lines: ^3: mv1@if2: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1400 qdisc noqueue state (DOWN|LOWERLAYERDOWN)
# differs after 6.1: what a device that is down is given to send counts as dropped
# lines: ^             0       0      0       [0-9]       0       0 $
# with: macvlan-each-way.part
each_way source
