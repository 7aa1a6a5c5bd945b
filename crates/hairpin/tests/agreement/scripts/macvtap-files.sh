# needs: uml
# runs: by bash alone
# The character device of a macvtap and of an ipvtap in sysfs. Its numbers depend on what else the machine has.
ip link add low address 02:00:00:00:00:01 type veth peer name wire
ip link add link low name mt0 type macvtap
ip link add link wire name it0 type ipvtap
cd /sys/class/net
ls mt0 it0
for tap in mt0/tap* it0/tap*; do
    echo "$tap -> $(readlink $tap)"
    ls ${tap%/*}/[mi]*vtap $tap/power
    sed 's/[0-9]*:[0-9]*/MAJOR:MINOR/' $tap/dev
    sed 's/\(M..OR=\).*/\1N/' $tap/uevent
    readlink $tap/device
    cat $tap/device/iflink
done
ip link set mt0 name mt9
sed -n '/DEVNAME/p' mt9/tap*/uevent
ls low
