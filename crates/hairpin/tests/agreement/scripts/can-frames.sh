# needs: uml
# runs: with the real programs
# programs: candump cansend
# covers: traffic vcan vxcan
# covers: refusals vcan vxcan
# CAN frames: who hears them on a vcan and across a vxcan, what filters keep, what is refused, what is counted.
ip netns add n
ip netns add m
N="ip netns exec n"
M="ip netns exec m"
ip -n n link add c0 type vcan
ip -n n link add c1 mtu 16 type vcan
ip -n n link add x0 type vxcan peer name x1
ip -n n link set x1 netns m
ip -n n link add d0 type dummy
ip -n n link set d0 up
$N cansend
$N cansend c0
$N cansend c0 123
$N cansend c0 12#11
$N cansend c0 123#1
$N cansend nothere 123#11
$N cansend d0 123#11
$N cansend c0 123#11
$N candump
$N candump -h
$N candump -z c0
$N candump nothere
$N candump d0
$N candump c0
$N candump c0,12x
$N candump c0,123
$N candump -L -a c0
$N candump -s 3 c0
$N candump -n 0 c0
$N candump -T 100 averyveryverylongname
ip -n n link set c0 up
ip -n n link set c1 up
ip -n n link set x0 up
ip -n m link set x1 up
sleep 1.2
ip -n n -d link show x0
# frames DEVICE
frames() {
    $N cansend $1 123#DEADBEEF
    $N cansend $1 7FF#
    $N cansend $1 5A1#11.2233.44556677.88
    $N cansend $1 123#R
    $N cansend $1 00000123#R3
    $N cansend $1 1F334455#41.42.43
    $N cansend $1 20000044#0102030405060708
    $N cansend $1 123#112233445566778899
    $N cansend $1 213##311223344
    $N cansend $1 123##1
    $N cansend $1 123##0.00.01.02.03.04.05.06.07.08.09
}
$N candump -T 3000 c0 >all.txt 2>&1 &
$N candump -T 3000 -x -a any >any.txt 2>&1 &
$N candump -T 3000 -H -L c0,123:7FF >sff.txt 2>&1 &
$N candump -T 3000 -H -t z c0,123~7FF,#FFFFFFFF >other.txt 2>&1 &
$N candump -T 3000 -i c0,00000123:DFFFFFFF,213:7FF >binary.txt 2>&1 &
$N candump -T 3000 -S -a c0,123:7FF,7FF:7F0,j >joined.txt 2>&1 &
$N candump -T 3000 -e c1,0~0,#FFFFFFFF >errors.txt 2>&1 &
$N candump -n 2 -c -c c0 >two.txt 2>&1 &
sleep 1
frames c0
frames c1
wait
for f in all any sff other binary joined errors two; do echo "--- $f"; cat $f.txt; done
ip -n n -s link show c0
ip -n n -s link show c1
# Across.
$N candump -T 3000 -x x0 >x0.txt 2>&1 &
$M candump -T 3000 -x x1 >x1.txt 2>&1 &
sleep 1
frames x0
$M cansend x1 321#AA
wait
cat x0.txt
cat x1.txt
ip -n n -s link show x0
ip -n m -s link show x1
# Nobody is there any more.
$N candump c0 >down.txt 2>&1 &
$N candump -D -T 4000 c0 >stays.txt 2>&1 &
sleep 1
ip -n m link set x1 down
sleep 1.2
$N cansend x0 123#11
ip -n n -s link show x0
ip -n n link set c0 down
ip -n n link del c1
$N cansend c0 123#11
wait
cat down.txt
cat stays.txt
