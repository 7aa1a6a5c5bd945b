//! `docker` on the hosts of a world. Where Docker's own documents or moby's tests show a text, it is that one.

use crate::place::Place;

/// Two hosts and a gateway on one wire, which also carries VLAN 200.
const WORLD: &str = "\
segments:
  lan: {kind: switch, trunk: [200]}
hosts:
  one:
    nics: {eth0: {segment: lan}}
    addresses: [{dev: eth0, ip: 192.168.2.10/24}]
    files: {/etc/resolv.conf: nameserver 192.168.2.1}
  two:
    nics: {eth0: {segment: lan}}
    addresses: [{dev: eth0, ip: 192.168.2.11/24}]
  gateway:
    nics: {lan0: {segment: lan}}
    addresses: [{dev: lan0, ip: 192.168.2.1/24}]
    dns: {server: 192.168.2.1, names: {www.lab: {a: [192.0.2.80]}}}
    setup:
      - ip link add link lan0 name lan0.200 type vlan id 200
      - ip addr add 192.168.200.1/24 dev lan0.200
      - ip link set lan0.200 up
";

/// What a script prints in the world above, both streams in one.
fn run(name: &str, script: &str) -> String {
    let place = Place::new(name);
    place.write("w.yaml", WORLD);
    let script = format!("exec 2>&1\n{script}");
    let outcome = place.hairpin_with(&["run", "--world", "w.yaml", "-"], &script);
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""), "{}", outcome.out);
    outcome.out
}

/// `got` with every id of 12 and more hexadecimal digits as `ID`.
fn without_ids(text: &str) -> String {
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let mut shown = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_hex) {
        let (before, from) = rest.split_at(start);
        let length = from.find(|c| !is_hex(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(length);
        shown.push_str(before);
        shown.push_str(if length >= 12 { "ID" } else { word });
        rest = after;
    }
    shown + rest
}

#[test]
fn containers_of_a_macvlan_network_are_stations_of_the_lan() {
    let out = run(
        "docker-macvlan",
        r#"
for host in one two; do
  ssh $host docker network create -d macvlan --subnet 192.168.2.0/24 --gateway 192.168.2.1 -o parent=eth0 net >/dev/null
done
docker run -id --net net --ip 192.168.2.100 --name c1 busybox sh >/dev/null
docker run -id --net net --ip 192.168.2.101 --name c2 netshoot >/dev/null
ssh two docker run -id --net net --ip 192.168.2.110 --name c1 busybox >/dev/null
reach() { docker exec $1 ping -c 1 -W 1 $2 >/dev/null && echo "$1 reaches $2" || echo "$1 does not reach $2"; }
reach c1 c2; reach c1 192.168.2.1; reach c1 192.168.2.110; reach c1 192.168.2.11; reach c1 192.168.2.10
docker exec c1 ping -c 1 c2 | sed 's/time=.*/time/; /round/d'
docker exec c2 ping -c 1 c2 | sed 's/time=.*/time/; /rtt/d'
docker exec c2 ip route
docker exec c2 hostname | wc -c
docker inspect -f '{{.NetworkSettings.Networks.net.IPAddress}} {{.NetworkSettings.Networks.net.Gateway}}' c1
docker network inspect -f '{{range .Containers}}{{.Name}} {{.IPv4Address}};{{end}}' net
docker ps --format '{{.Names}} {{.Image}} {{.Command}} {{.State}} {{.Networks}}'
ip netns list
docker network rm net; echo $?
docker rm -f c1 c2
docker network rm net
ip -br link | awk '{print $1}' | xargs
"#,
    );
    let expected = r#"c1 reaches c2
c1 reaches 192.168.2.1
c1 reaches 192.168.2.110
c1 reaches 192.168.2.11
c1 does not reach 192.168.2.10
PING c2 (192.168.2.101): 56 data bytes
64 bytes from 192.168.2.101: seq=0 ttl=64 time

--- c2 ping statistics ---
1 packets transmitted, 1 packets received, 0% packet loss
PING c2 (192.168.2.101) 56(84) bytes of data.
64 bytes from ID (192.168.2.101): icmp_seq=1 ttl=64 time

--- c2 ping statistics ---
1 packets transmitted, 1 received, 0% packet loss, time 0ms
default via 192.168.2.1 dev eth0 
192.168.2.0/24 dev eth0 proto kernel scope link src 192.168.2.101 
13
192.168.2.100 192.168.2.1
c1 192.168.2.100/24;c2 192.168.2.101/24;
c2 netshoot "bash" running net
c1 busybox "sh" running net
Error response from daemon: error while removing network: network net has active endpoints (name:"c1" id:"ID", name:"c2" id:"ID")
exit status 1
1
c1
c2
net
lo eth0 docker0
"#;
    // The containers of a network stand in the order of their ids.
    let got = without_ids(&out)
        .replace("c2 192.168.2.101/24;c1 192.168.2.100/24;", "c1 192.168.2.100/24;c2 192.168.2.101/24;");
    assert_eq!(got, expected);
}

#[test]
fn parents_are_made_on_demand_and_go_with_their_networks() {
    let out = run(
        "docker-parents",
        r#"
new() { docker network create "$@" | sed 's/^[0-9a-f]*$/made/'; }
new -d macvlan --subnet 192.168.200.0/24 -o parent=eth0.200 a1
new -d macvlan --subnet 192.168.201.0/24 -o parent=eth0.200 a2
docker run --rm --net a1 --ip 192.168.200.50 netshoot ping -c 1 -q 192.168.200.1 | grep loss
docker run --rm --net a1 netshoot ip route
docker network rm a1; ip -br link show eth0.200 | awk '{print $1}'
docker network rm a2; ip -br link show eth0.200
new -d ipvlan -o parent=eth0.7 -o ipvlan_mode=l3 --subnet 10.7.0.0/24 b
docker run --rm --net b netshoot ip route
new -d ipvlan -o parent=eth0.7 c
docker network rm b
new -d macvlan --subnet 10.8.0.0/24 d
ip -br link | grep -c '^dm-[0-9a-f]\{12\} '
docker run --rm --net d netshoot ip route
docker network rm d
new -d macvlan -o parent=nope e
new -d macvlan -o parent=nope.5 e
new -d macvlan -o parent=eth0.5000 e
new -d macvlan -o parent=lo e
new -d macvlan -o macvlan_mode=x e
new -d ipvlan -o ipvlan_mode=x e
new -d ipvlan -o ipvlan_flag=x e
new -d macvlan -o parent=eth0 -o macvlan_mode=passthru e
new -d macvlan -o parent=eth0 f
docker network ls --filter type=custom --format '{{.Name}} {{.Driver}}'
"#,
    );
    let expected = "\
made
made
1 packets transmitted, 1 received, 0% packet loss, time 0ms
192.168.200.0/24 dev eth0 proto kernel scope link src 192.168.200.1 
a1
eth0.200@eth0
a2
Device \"eth0.200\" does not exist.
made
default dev eth0 scope link 
10.7.0.0/24 dev eth0 proto kernel scope link src 10.7.0.1 
Error response from daemon: network dm-ID is already using parent interface eth0.7
b
made
1
10.8.0.0/24 dev eth0 proto kernel scope link src 10.8.0.1 
d
Error response from daemon: invalid subinterface vlan name nope, example formatting is eth0.10
Error response from daemon: -o parent interface was not found on the host: nope
Error response from daemon: vlan id must be between 1-4094, received: 5000
Error response from daemon: loopback interface is not a valid macvlan parent link
Error response from daemon: requested macvlan mode 'x' is not valid, 'bridge' mode is the macvlan driver default
Error response from daemon: requested ipvlan mode 'x' is not valid, 'l2' mode is the ipvlan driver default
Error response from daemon: requested ipvlan flag 'x' is not valid, 'bridge' is the ipvlan driver default
made
Error response from daemon: macvlan network ID is already using parent interface eth0 in mode passthru
e macvlan
";
    assert_eq!(without_ids(&out), expected);
}

/// The rules that moby's `iptablesdoc` shows for a published port on a bridge of one's own, here with chains as this
/// host's policy of FORWARD makes them.
#[test]
fn a_bridge_network_has_dockers_rules() {
    let out = run(
        "docker-rules",
        r#"
docker network create -o com.docker.network.bridge.name=bridge1 --subnet 192.0.2.0/24 --gateway 192.0.2.1 bridge1 >/dev/null
docker run -id --network bridge1 -p 8080:80 --name c1 busybox >/dev/null
for table in filter nat raw; do iptables -t $table -S; done
sysctl -n net.ipv4.ip_forward
docker rm -f c1 >/dev/null; docker network rm bridge1
for table in filter nat raw; do iptables -t $table -S; done | grep -c -e bridge1 -e 192.0.2 || true
"#,
    );
    let expected = "\
-P INPUT ACCEPT
-P FORWARD DROP
-P OUTPUT ACCEPT
-N DOCKER
-N DOCKER-BRIDGE
-N DOCKER-CT
-N DOCKER-FORWARD
-N DOCKER-ISOLATION-STAGE-1
-N DOCKER-ISOLATION-STAGE-2
-N DOCKER-USER
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER -d 192.0.2.2/32 ! -i bridge1 -o bridge1 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER ! -i bridge1 -o bridge1 -j DROP
-A DOCKER-BRIDGE -o docker0 -j DOCKER
-A DOCKER-BRIDGE -o bridge1 -j DOCKER
-A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-CT -o bridge1 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-FORWARD -j DOCKER-CT
-A DOCKER-FORWARD -j DOCKER-ISOLATION-STAGE-1
-A DOCKER-FORWARD -j DOCKER-BRIDGE
-A DOCKER-FORWARD -i docker0 -j ACCEPT
-A DOCKER-FORWARD -i bridge1 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -i bridge1 ! -o bridge1 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-2 -o bridge1 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-P PREROUTING ACCEPT
-P INPUT ACCEPT
-P OUTPUT ACCEPT
-P POSTROUTING ACCEPT
-N DOCKER
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 192.0.2.0/24 ! -o bridge1 -j MASQUERADE
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER -i bridge1 -j RETURN
-A DOCKER -i docker0 -j RETURN
-A DOCKER ! -i bridge1 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.0.2.2:80
-P PREROUTING ACCEPT
-P OUTPUT ACCEPT
-A PREROUTING -d 192.0.2.2/32 ! -i bridge1 -j DROP
1
bridge1
0
";
    assert_eq!(out, expected);
}

#[test]
fn bridges_isolate_publish_and_masquerade() {
    let out = run(
        "docker-bridge",
        r#"
sysctl -qw net.ipv4.ip_forward=0
docker network create blue >/dev/null; docker network create red >/dev/null; docker network create --internal in >/dev/null
docker run -id --name b1 --network blue -p 8080:80 busybox >/dev/null
docker run -id --name b2 --network blue --network-alias db busybox >/dev/null
docker run -id --name r1 --network red busybox >/dev/null
docker run -id --name i1 --network in busybox >/dev/null
docker run -id --name d1 busybox >/dev/null
reach() { docker exec $1 ping -c 1 -W 1 -q $2 >/dev/null 2>&1 && echo "$1 reaches $2" || echo "$1 does not reach $2"; }
reach b1 b2; reach b1 db; reach b1 r1; reach b1 172.19.0.2; reach b1 192.168.2.1; reach i1 192.168.2.1; reach d1 192.168.2.1
reach d1 d1; reach d1 b1
docker network connect red b1; reach r1 b1; reach b1 r1
docker network disconnect red b1; reach r1 b1
docker inspect -f '{{range $k, $v := .NetworkSettings.Networks}}{{$k}}{{end}} {{json .NetworkSettings.Ports}}' b1
docker port b1 80
(docker exec b1 sh -c 'echo hello | nc -l -p 80' &)
sleep 1
ssh two "nc -w 2 192.168.2.10 8080 </dev/null"
docker run -id --name b3 -p 8080:80 busybox | sed 's/^[0-9a-f]*$/ID/'
docker ps -a --filter name=b3 --format '{{.Status}}'
docker stop b2; docker ps -a --filter name=b2 --format '{{.State}}'; reach b1 b2
docker start b2; reach b1 b2
"#,
    );
    let expected = "\
b1 reaches b2
b1 reaches db
b1 does not reach r1
b1 does not reach 172.19.0.2
b1 reaches 192.168.2.1
i1 does not reach 192.168.2.1
d1 reaches 192.168.2.1
d1 does not reach d1
d1 does not reach b1
r1 reaches b1
b1 reaches r1
r1 does not reach b1
blue {\"80/tcp\":[{\"HostIp\":\"0.0.0.0\",\"HostPort\":\"8080\"},{\"HostIp\":\"::\",\"HostPort\":\"8080\"}]}
0.0.0.0:8080
[::]:8080
hello
docker: Error response from daemon: failed to set up container networking: driver failed programming external connectivity on endpoint b3 (ID): Bind for 0.0.0.0:8080 failed: port is already allocated

Run 'docker run --help' for more information
Created
b2
exited
b1 does not reach b2
b2
b1 reaches b2
";
    assert_eq!(without_ids(&out), expected);
}

#[test]
fn containers_of_ones_own_networks_have_a_name_server() {
    let out = run(
        "docker-names",
        r#"
docker network create --subnet 10.1.0.0/24 blue >/dev/null; docker network create --internal --subnet 10.2.0.0/24 in >/dev/null
docker run -id --name c1 --network blue netshoot >/dev/null
docker run -id --name c2 --network blue --network-alias db busybox >/dev/null
docker run -id --name i1 --network in busybox >/dev/null
docker exec c1 cat /etc/resolv.conf
docker exec c2 nslookup c1
docker exec c2 nslookup db.blue | tail -3
docker exec c1 nslookup www.lab | tail -3
docker exec c1 dig +short +tcp c2; docker exec c1 dig +short -x 10.1.0.3
docker exec c1 getent hosts c2; docker exec c1 getent ahosts db; docker exec c1 getent hosts nosuch || echo $?
docker exec c1 nslookup nosuch.lab | tail -2
docker exec c1 grep -c c2 /etc/hosts
docker exec i1 nslookup www.lab; docker exec i1 nslookup i1 | tail -2
docker exec c1 iptables -t nat -S | sed -E 's/(sport |11:)[0-9]+/\1P/'
docker rm -f c2 >/dev/null; docker exec c1 ping -c 1 -W 1 c2; docker exec c1 nslookup c2 | tail -2
docker network create --subnet 10.3.0.0/24 red >/dev/null; docker run -id --name r1 --network red busybox >/dev/null
docker network connect red c1; docker exec c1 dig +short r1
docker run --rm busybox sed '/^#/d' /etc/resolv.conf
docker run --rm --network blue --dns 192.0.2.53 --dns-search lab --dns-option ndots:2 busybox tail -6 /etc/resolv.conf
"#,
    );
    let expected = "\
# Generated by Docker Engine.
# This file can be edited; Docker Engine will not make further changes once it
# has been modified.

nameserver 127.0.0.11
options ndots:0

# Based on host file: '/etc/resolv.conf' (internal resolver)
# ExtServers: [host(192.168.2.1)]
# Overrides: []
# Option ndots from: internal
Server:\t\t127.0.0.11
Address:\t127.0.0.11:53

Non-authoritative answer:
Name:\tc1
Address: 10.1.0.2

Non-authoritative answer:


Non-authoritative answer:

Name:\twww.lab
Address: 192.0.2.80

10.1.0.3
c2.blue.
10.1.0.3        c2
10.1.0.3        STREAM db
10.1.0.3        DGRAM  \n10.1.0.3        RAW    \n2
** server can't find nosuch.lab: NXDOMAIN

0
Server:\t\t127.0.0.11
Address:\t127.0.0.11:53

** server can't find www.lab: SERVFAIL

** server can't find www.lab: SERVFAIL

Non-authoritative answer:

-P PREROUTING ACCEPT
-P INPUT ACCEPT
-P OUTPUT ACCEPT
-P POSTROUTING ACCEPT
-N DOCKER_OUTPUT
-N DOCKER_POSTROUTING
-A OUTPUT -d 127.0.0.11/32 -j DOCKER_OUTPUT
-A POSTROUTING -d 127.0.0.11/32 -j DOCKER_POSTROUTING
-A DOCKER_OUTPUT -d 127.0.0.11/32 -p tcp -m tcp --dport 53 -j DNAT --to-destination 127.0.0.11:P
-A DOCKER_OUTPUT -d 127.0.0.11/32 -p udp -m udp --dport 53 -j DNAT --to-destination 127.0.0.11:P
-A DOCKER_POSTROUTING -s 127.0.0.11/32 -p tcp -m tcp --sport P -j SNAT --to-source :53
-A DOCKER_POSTROUTING -s 127.0.0.11/32 -p udp -m udp --sport P -j SNAT --to-source :53
ping: c2: Name or service not known
** server can't find c2: NXDOMAIN

10.3.0.2

nameserver 192.168.2.1

options ndots:2

# Based on host file: '/etc/resolv.conf' (internal resolver)
# ExtServers: [192.0.2.53]
# Overrides: [nameservers search options]
# Option ndots from: override
";
    assert_eq!(out, expected);
}

#[test]
fn ports_are_published_by_ipv6() {
    let out = run(
        "docker-ports6",
        r#"
ip addr add 2001:db8::1/64 dev eth0 nodad
docker network create --ipv6 --subnet fd00:9::/64 -o com.docker.network.bridge.name=six six >/dev/null
docker run -d -p 82:80 -p '[::1]:84:80' -p 0.0.0.0:85:80 --name web --network six busybox nc -6 -l -k -p 80 >/dev/null
docker port web
ip6tables -S | grep 'dport 80'; ip6tables -S -t nat | grep DNAT; iptables -S -t nat | grep DNAT; ip6tables -t raw -S PREROUTING
echo from the host itself | nc -q 1 2001:db8::1 82
ssh two 'ip addr add 2001:db8::2/64 dev eth0 nodad; echo from elsewhere | nc -q 1 2001:db8::1 82'
docker stop web >/dev/null; docker logs web
ip6tables -S -t nat | grep -c DNAT; true
"#,
    );
    let expected = "\
80/tcp -> 0.0.0.0:82
80/tcp -> [::]:82
80/tcp -> [::1]:84
80/tcp -> 0.0.0.0:85
-A DOCKER -d fd00:9::2/128 ! -i six -o six -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER -d fd00:9::2/128 ! -i six -o six -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER ! -i six -p tcp -m tcp --dport 82 -j DNAT --to-destination [fd00:9::2]:80
-A DOCKER -d ::1/128 ! -i six -p tcp -m tcp --dport 84 -j DNAT --to-destination [fd00:9::2]:80
-A DOCKER ! -i six -p tcp -m tcp --dport 82 -j DNAT --to-destination 172.18.0.2:80
-A DOCKER ! -i six -p tcp -m tcp --dport 85 -j DNAT --to-destination 172.18.0.2:80
-P PREROUTING ACCEPT
-A PREROUTING -d fd00:9::2/128 ! -i six -j DROP
-A PREROUTING -d ::1/128 ! -i lo -p tcp -m tcp --dport 84 -j DROP
from the host itself
from elsewhere
0
";
    assert_eq!(out, expected);
}

#[test]
fn what_docker_refuses() {
    let out = run(
        "docker-refusals",
        r#"
docker network create --subnet 10.1.0.0/24 n1 >/dev/null
docker network create --subnet 10.1.0.0/16 n2
docker network create n1
docker network create bridge
docker network create --subnet 10.1.0.5/24 n2
docker network create --subnet 10.1.0.0/24 --gateway 10.2.0.1 n2
docker network create --gateway 10.2.0.1 n2
docker network create -d nope n2
docker network create --foo n2 | cat
docker network create | cat
docker network rm bridge
docker network rm nope
docker network inspect nope; echo $?
docker network frob
docker frob
docker run --ip 10.1.0.9 busybox true
docker run --network n1 --ip 10.9.0.9 busybox true
docker run --network nope busybox true
docker run -id --name c1 --network n1 --ip 10.1.0.9 busybox >/dev/null
docker run -id --rm --network n1 --ip 10.1.0.9 busybox
docker run -id --name c1 busybox
docker run --network container:zz busybox true
docker run --network host --network n1 busybox true
docker run -p a:80 busybox true
docker run --mac-address zz busybox true
docker exec zz true
docker rm c1
docker exec c1 nosuchprogram; echo $?
docker network connect n1 c1
docker network disconnect bridge c1
docker stop c1 >/dev/null; docker exec c1 true; docker kill c1
docker inspect zz
docker network ls --filter x=y
docker ps -a --format '{{.Foo}}'; echo $?
"#,
    );
    let help = |command: &str| format!("\n\nRun 'docker {command} --help' for more information\n");
    let run = |text: &str| format!("docker: {text}{}", help("run"));
    let daemon = |text: &str| format!("Error response from daemon: {text}\n");
    let refused = |text: &str| run(&format!("Error response from daemon: {text}"));
    let setup = |text: &str| refused(&format!("failed to set up container networking: {text}"));
    let usage = "\n\nUsage:  docker network create [OPTIONS] NETWORK";
    let expected: String = [
        daemon("invalid pool request: Pool overlaps with other one on this address space"),
        daemon("network with name n1 already exists"),
        daemon("operation is not permitted on predefined bridge network"),
        daemon("invalid network config:\ninvalid subnet 10.1.0.5/24: it should be 10.1.0.0/24"),
        "no matching subnet for gateway 10.2.0.1\n".to_owned(),
        "every ip-range or gateway must have a corresponding subnet\n".to_owned(),
        daemon("could not find plugin nope in v1 plugin registry: plugin not found"),
        format!("unknown flag: --foo{usage}{}", help("network create")),
        format!("docker: 'docker network create' requires 1 argument{usage}{}", help("network create")),
        daemon("bridge is a pre-defined network and cannot be removed"),
        "exit status 1\n".to_owned(),
        daemon("network nope not found"),
        "exit status 1\n".to_owned(),
        "[]\n".to_owned(),
        daemon("network nope not found"),
        "1\n".to_owned(),
        format!("docker: unknown command: docker network frob\n\nUsage:  docker network COMMAND{}", help("network")),
        "docker: unknown command: docker frob\n\nRun 'docker --help' for more information\n".to_owned(),
        refused(
            "invalid config for network bridge: invalid endpoint settings:\nuser specified IP address is supported on user defined networks only",
        ),
        refused("invalid config for network n1: invalid endpoint settings:\nno configured subnet or ip-range contain the IP address 10.9.0.9"),
        setup("network nope not found"),
        setup("Address already in use"),
        refused(
            "Conflict. The container name \"/c1\" is already in use by container \"ID\". You have to remove (or \
             rename) that container to be able to reuse that name.",
        ),
        refused("joining network namespace of container: No such container: zz"),
        run("conflicting options: cannot attach both user-defined and non-user-defined network-modes"),
        run("invalid hostPort: a"),
        run("zz is not a valid mac address"),
        daemon("No such container: zz"),
        daemon(
            "cannot remove container \"c1\": container is running: stop the container before removing or force remove",
        ),
        "OCI runtime exec failed: exec failed: unable to start container process: exec: \"nosuchprogram\": \
         executable file not found in $PATH: unknown\n127\n"
            .to_owned(),
        daemon("endpoint with name c1 already exists in network n1"),
        daemon("container ID is not connected to network bridge"),
        daemon("container ID is not running"),
        daemon("cannot kill container: c1: container ID is not running"),
        "[]\nerror: no such object: zz\n".to_owned(),
        daemon("invalid filter 'x'"),
        "template parsing error: template: :1:2: executing \"\" at <.Foo>: can't evaluate field Foo in type \
         *formatter.ContainerContext\n1\n"
            .to_owned(),
    ]
    .concat();
    assert_eq!(without_ids(&out), expected);
}

#[test]
fn namespaces_are_shared_and_found() {
    let out = run(
        "docker-share",
        r#"
docker network create --subnet 10.1.0.0/24 n >/dev/null
docker run -id --name c1 --network n busybox >/dev/null
docker run -id --name c2 --network container:c1 netshoot >/dev/null
docker run --rm --network container:c1 netshoot ip -br addr show eth0 | awk '{print $3}'
docker exec c2 ip -br addr show eth0 | awk '{print $3}'
docker run --rm --network host netshoot ip -br addr show eth0 | awk '{print $3}'
docker run --rm --network none netshoot ip -br addr | awk '{print $1}'
docker run --rm netshoot sh -c 'exit 7'; echo $?
pid=$(docker inspect -f '{{.State.Pid}}' c1)
ip link add v0 type veth peer name v1; ip link set v1 netns $pid
docker exec c1 ip -br link show v1 | awk '{print $1}'
ip netns attach seen $pid; ip netns exec seen ip -br addr show eth0 | awk '{print $3}'
nsenter -t $pid -n ip -br addr show eth0 | awk '{print $3}'; nsenter --net=/run/netns/seen ip -br addr show eth0 | awk '{print $3}'
docker exec c1 ip addr show eth0 | head -2 | sed 's/ether [0-9a-f:]*/ether MAC/'; docker exec c1 ip route
key=$(docker inspect -f '{{.NetworkSettings.SandboxKey}}' c1)
ip link add v2 type veth peer name v3; ip link set v3 netns $key; ip -n $key -br link show v3 | awk '{print $1}'
ip netns exec seen docker ps -q | wc -l
ip netns del seen; docker rm -f c1 c2 >/dev/null; ip link show v0
docker ps -aq | wc -l
"#,
    );
    let expected = "\
10.1.0.2/24
10.1.0.2/24
192.168.2.10/24
lo
7
v1@if10
10.1.0.2/24
10.1.0.2/24
10.1.0.2/24
5: eth0@if6: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1500 qdisc noqueue state UP \n    link/ether MAC brd ff:ff:ff:ff:ff:ff
default via 10.1.0.1 dev eth0 \n10.1.0.0/24 dev eth0 scope link  src 10.1.0.2 \nv3@if12
2
Device \"v0\" does not exist.
0
";
    assert_eq!(out, expected);
}

#[test]
fn only_in_worlds() {
    let place = Place::new("docker-linux");
    let outcome = place.hairpin(&["tool", "--engine", "linux", "docker", "ps"]);
    let text =
        "docker: hairpin's docker is for emulated worlds only: it does not touch this machine's containers\n";
    assert_eq!((outcome.code, outcome.out.as_str(), outcome.err.as_str()), (1, "", text));
}

#[test]
fn commands_run_in_the_background() {
    let out = run(
        "docker-background",
        r#"
docker run -d --name web -p 8080:80 busybox nc -l -k -p 80 >/dev/null
docker run -d --name job busybox sh -c 'echo one; sleep 5; echo two; exit 3' >/dev/null
docker logs job
docker wait job
docker logs job
docker logs --tail 1 job
docker ps -a --format '{{.Names}} {{.Status}}'
echo from the host itself | nc -q 1 127.0.0.1 8080
ssh two 'echo from elsewhere | nc -q 1 192.168.2.10 8080'
docker stop web >/dev/null; docker logs web; docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' web
echo nobody is there | nc -q 1 127.0.0.1 8080; echo $?
docker start web >/dev/null; echo once more | nc -q 1 127.0.0.1 8080; docker logs --tail 1 web
docker exec -d web sh -c 'sleep 1000'
docker run -d --name nap busybox sleep 100 >/dev/null
sleep 60; docker ps --format '{{.Names}} {{.Status}}' --filter name=nap
sleep 60; docker ps -a --format '{{.Names}} {{.Status}}' --filter name=nap
docker run -d --rm busybox true >/dev/null; docker run -d --name none busybox >/dev/null
docker ps -a --format '{{.Names}} {{.State}}'
docker run -d --rm busybox nosuchprogram; echo $?
docker run --rm -i busybox sh <<<'echo read; exit 4'; echo $?
docker run --rm busybox sh <<<'echo not read'; echo $?
echo a page >index.html; docker run -d --name www -p 8081:80 busybox httpd -f -p 80 >/dev/null
curl -s http://localhost:8081/; ssh two curl -s http://192.168.2.10:8081/
docker rm -f web job nap none www | xargs
docker ps -aq | wc -l
"#,
    );
    let expected = "\
one
3
one
two
two
job Exited (3) Less than a second ago
web Up 7 seconds
from the host itself
from elsewhere
exited 143
1
once more
nap Up About a minute
nap Exited (0) 20 seconds ago
none exited
nap exited
job exited
web running
docker: Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: \"nosuchprogram\": executable file not found in $PATH: unknown

Run 'docker run --help' for more information
127
read
4
0
a page
a page
web job nap none www
0
";
    assert_eq!(out, expected);
}
