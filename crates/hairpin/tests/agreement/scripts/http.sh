# needs: uml
# runs: by bash alone
# programs: busybox curl wget
# Pages of a small server, read by curl and wget: what they print, the frames, the errors and exit codes.
# with: two-hosts.part
{ set +x; } 2>/dev/null
cd "$(mktemp -d)"
mkdir sub
echo '<h1>hello</h1>' >index.html
echo below >sub/index.html
head -c 100000 /dev/zero | tr '\0' a >big
# Times, and what depends on them.
clean() { { set +x; } 2>/dev/null; "$@" 2>&1 | sed -E 's/[0-9]{4}-[0-9-]+ [0-9:]+/DATE/g; s/Date: .*GMT/Date: GMT/; s/after [0-9]+ m/after N m/; s/\([0-9.]+ [KMG]?B\/s\)/(RATE)/; s/% +[0-9.]+[KMG]?[= ][0-9.]*s/% RATE/; /Last-Modified|ETag/d'; echo "${PIPESTATUS[0]}"; set -x; }
# The distribution has the server in busybox.
server() { ip netns exec b busybox httpd "$@"; }
server -p 80 -h "$PWD"
server -f -v -p 10.0.0.2:8080 -h "$PWD" 2>log &
L=$!
sleep 1
set -x
clean ip netns exec a curl -s http://10.0.0.2/
clean ip netns exec a curl -s 10.0.0.2/sub/
clean ip netns exec a curl -sI http://10.0.0.2:8080/
clean ip netns exec a curl -si http://10.0.0.2/sub
clean ip netns exec a curl -sL http://10.0.0.2/sub
clean ip netns exec a curl -s -o /dev/null -w '%{http_code} %{remote_ip} %{remote_port} %{local_ip} %{size_download} %{content_type} %{url_effective} %{num_connects} %{num_redirects} %{http_version} %{method} %{scheme} %{exitcode}\n' http://10.0.0.2/
clean ip netns exec a curl -s http://10.0.0.2/nothing
clean ip netns exec a curl -sSf http://10.0.0.2/nothing
clean ip netns exec a curl -s -o out -w '%{size_download}\n' http://10.0.0.2/big
clean ip netns exec a curl -sS http://10.0.0.2:81/
clean ip netns exec a curl -s http://10.0.0.2:81/
clean ip netns exec a curl -s --connect-timeout 1 http://10.0.0.77/
clean ip netns exec a curl -sS http://10.0.0.77/
clean ip netns exec a curl -sS http://10.9.0.1/
clean ip netns exec a curl -sS --interface nope http://10.0.0.2/
clean ip netns exec a curl -sS --interface va http://10.0.0.2/
clean ip netns exec a curl -sS --interface 10.0.0.1 http://10.0.0.2/
clean ip netns exec a curl -sS xxx://10.0.0.2/
clean ip netns exec a curl -sS --resolve www.lab:80:10.0.0.2 http://www.lab/
clean ip netns exec a curl -sSv -o out http://10.0.0.2:8080/
clean ip netns exec a wget -q -O - http://10.0.0.2/
clean ip netns exec a wget -O out http://10.0.0.2/
clean ip netns exec a wget -O out http://10.0.0.2/sub
clean ip netns exec a wget -O out http://10.0.0.2/nothing
clean ip netns exec a wget -q -O out http://10.0.0.2/nothing
clean ip netns exec a wget -nv -O out http://10.0.0.2/
clean ip netns exec a wget http://10.0.0.2/
clean ip netns exec a wget -q -T 1 -t 1 -O out http://10.0.0.77/
clean ip netns exec a wget -T 1 -t 1 -O out http://10.0.0.78/
clean ip netns exec a wget -t 1 -O out http://10.0.0.2:81/
clean ip netns exec a wget --spider http://10.0.0.2/
{ set +x; } 2>/dev/null
sed -E 's/:[0-9]+:/:N:/' log
kill $L
