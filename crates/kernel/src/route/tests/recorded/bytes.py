#!/usr/bin/env python3
"""bytes.py route|rule|get ADDRESS: the payload of every message with which the kernel answers, in hex."""
import socket, struct, sys

NLMSG_ERROR, NLMSG_DONE = 2, 3
sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
sock.setsockopt(270, 12, 1)  # SOL_NETLINK, NETLINK_GET_STRICT_CHK
what = sys.argv[1]
if what == "get":
    address = socket.inet_aton(sys.argv[2])
    body = struct.pack("=BBBBBBBBI", 2, 32, 0, 0, 0, 0, 0, 0, 0x1000) + struct.pack("=HH", 8, 1) + address
    kind, flags = 26, 1
else:
    body = struct.pack("=BBBBBBBBI", 2, 0, 0, 0, 0, 0, 0, 0, 0)
    kind, flags = {"route": 26, "rule": 34}[what], 0x301
sock.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body)
done = False
while not done:
    data = sock.recv(65536)
    while data:
        length, kind = struct.unpack_from("=IH", data)
        if kind in (NLMSG_ERROR, NLMSG_DONE):
            done = True
            break
        print(data[16:length].hex())
        data = data[(length + 3) & ~3 :]
        done = what == "get"
