#!/usr/bin/python3
"""Builds a namespace with links of every kind at hand and stores what the kernel dumps of it (`*.bin`), with
what iproute2 6.1 shows of it (`expected.txt`), in a directory named after the kernel. What the kernel lacks is
left out. Run as root: unshare -n -m ./capture.py"""

import os
import socket
import struct
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(os.environ.get("OUT", HERE), "linux-" + ".".join(os.uname().release.split(".")[:2]))

SETUP = """
mkdir -p /run/netns
mount -t tmpfs none /run/netns
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
ip netns add blue
ip link add veth0 address 02:00:00:00:00:01 type veth peer name veth1 address 02:00:00:00:00:02 netns blue
ip link add veth2 address 02:00:00:00:00:03 type veth peer name veth3 address 02:00:00:00:00:04
ip link add br0 address 02:00:00:00:00:05 type bridge stp_state 1
ip link set br0 type bridge vlan_filtering 1
ip link set veth2 master br0
ip link set veth2 type bridge_slave hairpin on isolated on
ip link set veth0 up alias "to blue" txqueuelen 500
ip link property add dev veth0 altname uplink altname a_long_alternative_name
ip link add link veth3 name src0 address 02:00:00:00:00:06 type macvlan mode source macaddr add 02:00:00:00:aa:01
ip link set src0 type macvlan macaddr add 02:00:00:00:aa:02
ip link add link veth3 name vepa0 address 02:00:00:00:00:07 type macvlan mode vepa bcqueuelen 5000
ip link add link veth3 name tap0 address 02:00:00:00:00:08 type macvtap mode private
ip link add link veth3 name veth3.5 type vlan id 5 protocol 802.1ad ingress-qos-map 1:2 egress-qos-map 3:4 5:6
ip link add d0 address 02:00:00:00:00:09 type dummy || ip link add d0 address 02:00:00:00:00:09 type bridge
ip link add link d0 name ipvl0 type ipvlan mode l2 private
ip link add vx0 address 02:00:00:00:00:0a type vxlan id 42 dstport 4789 remote 10.9.9.9
ip link add bond0 address 02:00:00:00:00:0b type bond mode 802.3ad miimon 100
ip link set d0 group 7 mtu 1400 promisc on
ip addr add 10.0.0.1/24 brd + dev d0
ip addr add 10.0.0.2/24 dev d0 label d0:x
ip addr add 10.0.1.1 peer 10.0.1.2/32 dev d0 metric 50
ip addr add 10.0.2.1/24 dev d0 scope link noprefixroute
ip addr add 127.0.0.1/8 dev lo
echo 0 >/proc/sys/net/ipv6/conf/d0/disable_ipv6
ip addr add 2001:db8::1/64 dev d0 nodad
ip addr add 2001:db8::2/128 dev d0 nodad home
"""

COMMANDS = """
link
link show
-d link
-d addr
-s link show
-s -s addr
-o link
-o addr
-o -d link
-br link
-br addr
-c=always addr
-j link
-j addr
-j -d link
-j -p -d -s -s addr
-4 addr show to 10.0.0.0/16
addr show scope link
addr show label d0:*
addr show secondary
addr show up
addr show dev d0 permanent
link show type macvlan
link show master br0
link show type bridge_slave
link show group 7
link show nosuch
addr show dev nosuch
link help macvlan
"""

RTM_GETLINK, RTM_GETADDR = 18, 22
NLM_F_REQUEST, NLM_F_DUMP = 1, 0x300


def attribute(kind, value):
    data = struct.pack("HH", 4 + len(value), kind) + value
    return data + bytes(-len(data) % 4)


def dump(kind, body):
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    sock.setsockopt(270, 12, 1)
    sock.send(struct.pack("IHHII", 16 + len(body), kind, NLM_F_REQUEST | NLM_F_DUMP, 1, 0) + body)
    stored = b""
    while True:
        data = sock.recv(1 << 20)
        while data:
            length, message = struct.unpack_from("IH", data)
            if message == 3:
                return stored
            stored += data[:length] + bytes(-length % 4)
            data = data[(length + 3) & ~3 :]


os.makedirs(OUT, exist_ok=True)
for line in SETUP.strip().splitlines():
    subprocess.run(line, shell=True)
link_body = struct.pack("BxHiII", 17, 0, 0, 0, 0) + attribute(29, struct.pack("I", 1))
with open(f"{OUT}/links.bin", "wb") as file:
    file.write(dump(RTM_GETLINK, link_body))
with open(f"{OUT}/addresses.bin", "wb") as file:
    file.write(dump(RTM_GETADDR, struct.pack("BBBBi", 0, 0, 0, 0, 0)))
with open(f"{OUT}/expected.txt", "w") as file:
    for command in COMMANDS.strip().splitlines():
        done = subprocess.run(["ip", *command.split()], capture_output=True, text=True)
        file.write(f"$ ip {command}\n{done.stdout}{done.stderr}? {done.returncode}\n")
