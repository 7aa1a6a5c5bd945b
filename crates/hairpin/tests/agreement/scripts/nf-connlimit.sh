# needs: uml
# How many connections `-m connlimit` counts: a packet of a connection that is known adds none, and what is over is
# forgotten when the next packet comes.
# with: router-between.part
for n in 0 1 2; do $I -A FORWARD -m connlimit --connlimit-above $n --connlimit-mask 0; done
for n in 0 1 2; do $I -A INPUT -m connlimit --connlimit-above $n --connlimit-mask 0; done
for n in 0 1 2; do $I -A FORWARD -p tcp --syn -m connlimit --connlimit-above $n --connlimit-daddr; done
show() { $I -S -v; $I -Z; }
# Answers to what the router itself asks: of connections that are known.
for n in 1 2 3; do $N R ping -e $n -c 2 -i 0.2 -W 1 10.0.1.1; done
show
for n in 4 5 6; do $N A ping -e $n -c 2 -i 0.2 -W 1 10.0.1.254; done
show
for n in 7 8 9; do $N A ping -e $n -c 2 -i 0.2 -W 1 10.0.2.1; sleep 0.2; done
show
# By loopback.
for n in 10 11 12; do $N R ping -e $n -c 2 -i 0.2 -W 1 10.0.2.254; done
show
# A connection that is over does not count.
$N B nc -n -l -k -p 80 >/dev/null 2>&1 &
sleep 0.3
for n in 1 2 3; do $N A nc -n -z -w 1 -p 400$n 10.0.2.1 80; sleep 0.7; done
show
$N A nc -n -z -w 1 -p 4004 10.0.2.1 81 || true
show
kill %1
wait
