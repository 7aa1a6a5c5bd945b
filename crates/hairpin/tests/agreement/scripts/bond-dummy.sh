# needs: uml
# Bonds of dummies, as examples make them: they have a carrier but tell no speed, which some modes want to know when a
# link comes back.
ip link set lo up
for mode in balance-rr active-backup balance-xor broadcast 802.3ad balance-tlb balance-alb; do
    ip link add bond0 type bond mode $mode miimon 100
    ip link add d1 address 02:00:00:00:00:01 type dummy
    ip link add d2 address 02:00:00:00:00:02 type dummy
    ip link set d1 master bond0
    ip link set d2 master bond0
    ip link set bond0 up
    # A port of 802.3ad is in sync about two seconds after the bond is up.
    sleep 3.3
    ip -d link
    cat /proc/net/bonding/bond0
    ip link set d1 down
    sleep 1.3
    cat /proc/net/bonding/bond0
    ip link set d1 up
    sleep 1.3
    cat /proc/net/bonding/bond0
    ip link set d2 nomaster
    ip -br link
    ip link del bond0
    ip link del d1
    ip link del d2
done
