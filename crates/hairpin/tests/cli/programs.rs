//! Programs that people test networks with, in a session.

use crate::place::Place;

/// Two namespaces with a cable, and IPv6.
const LAB: &str = "\
exec 2>&1
for n in a b; do ip netns add $n; ip -n $n link set lo up; done
ip link add va netns a type veth peer name vb netns b
ip -n a addr add 10.0.0.1/24 dev va; ip -n a addr add fd00::1/64 dev va nodad; ip -n a link set va up
ip -n b addr add 10.0.0.2/24 dev vb; ip -n b addr add fd00::2/64 dev vb nodad; ip -n b link set vb up
";

fn run(name: &str, script: &str) -> String {
    let place = Place::new(name);
    let outcome = place.hairpin_with(&["run", "--world", "bare", "-"], &format!("{LAB}{script}"));
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""), "{}", outcome.out);
    outcome.out
}

/// In virtual time a transfer is the same each time.
#[test]
fn a_transfer_is_measured_in_virtual_time() {
    let out = run(
        "iperf3",
        r#"
ip netns exec b iperf3 -s >log &
S=$!
ip netns exec a iperf3 -c 10.0.0.2 -t 2 -b 8M -l 100000 | sed -E 's/port [0-9]{5}/port P/; s/Retr.*//; s/ +[0-9]+ +[0-9.]+ [KM]Bytes *$//'
ip netns exec a iperf3 -6 -c fd00::2 -t 2 -u -R -P 2 -l 1000 -b 80K | tail -n 13 | sed -E 's/0\.[0-9]{3} ms/J ms/'
ip netns exec a iperf3 -c 10.0.0.2 -n 200000 -l 100000 -J | grep -cE '"bytes":.200000,|"sender":'
ip netns exec a iperf3 -c 10.0.0.2 -p 5202; echo $?
grep -c 'Accepted connection' log
kill $S
"#,
    );
    let expected = "\
Connecting to host 10.0.0.2, port 5201
[  5] local 10.0.0.1 port P connected to 10.0.0.2 port 5201
[ ID] Interval           Transfer     Bitrate         \n\
[  5]   0.00-1.00   sec   977 KBytes  8.00 Mbits/sec
[  5]   1.00-2.00   sec   977 KBytes  8.00 Mbits/sec
- - - - - - - - - - - - - - - - - - - - - - - - -
[ ID] Interval           Transfer     Bitrate         \n\
[  5]   0.00-2.00   sec  1.91 MBytes  8.00 Mbits/sec    0             sender
[  5]   0.00-2.00   sec  1.91 MBytes  8.00 Mbits/sec                  receiver

iperf Done.
";
    assert!(out.starts_with(expected), "{out}");
    let rest = out.strip_prefix(expected).expect("what comes first");
    assert!(
        rest.contains("[SUM]   0.00-2.00   sec  39.1 KBytes   160 Kbits/sec  J ms  0/40 (0%)  receiver"),
        "{rest}"
    );
    assert!(
        rest.contains("iperf3: error - unable to connect to server: Connection refused\n1\n3\n"),
        "{rest}"
    );
}

/// The real one would serve this machine's network.
#[test]
fn a_page_served_by_pythons_module() {
    let out = run(
        "python",
        r#"
echo hello >index.html; mkdir d; touch d/x
ip netns exec b python3 -m http.server 80 2>log &
S=$!
sleep 1
ip netns exec a curl -s http://10.0.0.2/
ip netns exec a curl -s http://10.0.0.2/d/ | grep href
ip netns exec a curl -s -o /dev/null -w '%{http_code}\n' http://10.0.0.2/nothing
sed -E 's/\[.*\]/[DATE]/' log
kill $S
"#,
    );
    let expected = "hello\n<li><a href=\"x\">x</a></li>\n404\n10.0.0.1 - - [DATE] \"GET / HTTP/1.1\" 200 -\n\
                    10.0.0.1 - - [DATE] \"GET /d/ HTTP/1.1\" 200 -\n10.0.0.1 - - [DATE] code 404, message File not found\n\
                    10.0.0.1 - - [DATE] \"GET /nothing HTTP/1.1\" 404 -\n";
    assert_eq!(out, expected);
}

/// Addresses of both families of one name, servers of both, and how sockets are listed.
#[test]
fn programs_over_ipv6() {
    let out = run(
        "ipv6-programs",
        r#"
echo page >index.html
ip netns exec b httpd -p 80
ip netns exec a curl -s 'http://[fd00::2]/'
ip netns exec a wget -qO- 'http://[fd00::2]/'
ip netns exec b ss -Htln
ip netns exec b netstat -tln | tail -n 1
ip netns exec a nc -nzv fd00::2 80
ip netns exec a nc -nzv fd00::2 81; echo $?
ip netns exec b nc -6 -u -l 53 >got & sleep 1
echo by IPv4 | ip netns exec a nc -u -w 1 10.0.0.2 53
cat got
"#,
    );
    let expected = "\
page
page
LISTEN 0      9      *:80 *:*
tcp6       0      0 :::80                   :::*                    LISTEN     \n\
Connection to fd00::2 80 port [tcp/*] succeeded!
nc: connect to fd00::2 port 81 (tcp) failed: Connection refused
1
by IPv4
";
    assert_eq!(out, expected);
}

/// What `iptables-legacy` 1.8.9 lists of the same rules on Linux.
#[test]
fn rules_with_unusual_interfaces_are_listed() {
    let script = r#"
iptables -A INPUT -i +
iptables -A INPUT -i "a b" 2>/dev/null
iptables -L INPUT -n -v | tail -n 2
iptables -S INPUT
"#;
    let expected = "    0     0            0    --  +      *       0.0.0.0/0            0.0.0.0/0           \n    \
        0     0            0    --  a b    *       0.0.0.0/0            0.0.0.0/0           \n\
        -P INPUT ACCEPT\n-A INPUT\n-A INPUT -i a b\n";
    assert_eq!(run("iptables-interfaces", script), expected);
}
