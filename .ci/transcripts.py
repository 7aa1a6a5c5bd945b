#!/usr/bin/env python3
"""Runs the transcripts of the milestone and judges their steps.

usage: transcripts.py DIRECTORY HAIRPIN

Steps that need something not built yet stand in `transcripts-known` beside this file. Any other step that fails fails the
run; a known one that passes does so too, so that the list shrinks.
"""
import fnmatch
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile

MILESTONE = [
    "000-*",
    "001-*",
    "002-*",
    "003-bond",
    "003-bridge-nat",
    "003-ipvlan-*",
    "003-macvlan-*",
    "003-team",
    "004-docker-*",
    "004-macvlan-*",
    "x000-*",
    "x001-*",
    "x003-chain-order",
    "x003-conntrack-*",
    "x003-device-types",
    "x003-enslave-up",
    "x003-ipvlan-l3-arp-gateway",
    "x003-macsec",
    "x003-macvlan-on-bond",
    "x003-nat-icmp-id",
    "x003-nat-worked-example",
    "x003-virtualbox-modes",
    "x003-vlan",
    "x003-vxlan",
    "x003-hairpin-three-ways",
    "x003-lo-down-hides-errors",
    "x003-hub-switch",
    "x003-proxy-arp",
    "x003-rp-filter",
    "x004-docker-macvlan-as-netns",
    "x004-macvlan-passthru-single",
]
STEP = re.compile(r"^(PASS|FAIL|SKIP)\s+([^\s:]+):(\d+) ")
WHOLE = re.compile(r"^(FAIL|SKIP)\s+[^\s:]+: ")
LIMIT_S = 20 * 60


def known_steps(path):
    """{"TRANSCRIPT:STEP": reason}; TRANSCRIPT may be a pattern."""
    known = {}
    for line in open(path, encoding="utf-8"):
        line = line.split("#")[0].strip()
        if line:
            place, _, reason = line.partition(" ")
            known[place] = reason.strip()
    return known


def matches(place, name, number):
    pattern, _, step = place.rpartition(":")
    return fnmatch.fnmatchcase(name, pattern) and step == str(number)


def main():
    directory, hairpin = (os.path.abspath(a) for a in sys.argv[1:3])
    known = known_steps(os.path.join(os.path.dirname(os.path.abspath(__file__)), "transcripts-known"))
    names = sorted(n[: -len(".transcript")] for n in os.listdir(directory) if n.endswith(".transcript"))
    chosen = [n for n in names if any(fnmatch.fnmatchcase(n, p) for p in MILESTONE)]
    absent = [p for p in MILESTONE if not fnmatch.filter(names, p)]
    if absent:
        print("no such transcript:", *absent)
        return 1
    # Started in the background this process may ignore it, and so would what it starts: then nobody would be typing.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    quoted = shlex.quote(hairpin)
    with tempfile.TemporaryDirectory() as runtime:
        os.chmod(runtime, 0o700)
        command = [
            sys.executable, os.path.join(directory, "check.py"), "--backend", "cmd",
            "--up", quoted + " up {world}",
            "--down", quoted + " down {name}",
            # Virtual time passes only where a program waits: on the first host of the world.
            "--wait", quoted + " exec $(" + quoted + " ls | awk 'NR == 2 {print $1}') -- sleep {seconds}",
            "--exec", quoted + " exec {host}{:netns} -- bash -c {cmd}",
        ]
        command += [os.path.join(directory, n + ".transcript") for n in chosen]
        environment = dict(os.environ, XDG_RUNTIME_DIR=runtime, PYTHONDONTWRITEBYTECODE="1")
        run = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
        signal.signal(signal.SIGALRM, lambda *_: os.killpg(run.pid, signal.SIGKILL))
        signal.alarm(LIMIT_S)
        failed, expected, passing, passed, ended = [], [], [], 0, False
        detail = False
        for line in run.stdout:
            line = line.rstrip("\n")
            step, whole = STEP.match(line), WHOLE.match(line)
            if step:
                verdict, name, number = step.groups()
                place = next((p for p in known if matches(p, name, number)), None)
                detail = False
                if verdict == "PASS":
                    passed += 1
                    if place:
                        passing.append("%s:%s" % (name, number))
                elif verdict == "FAIL" and place:
                    expected.append("%s:%s" % (name, number))
                else:
                    failed.append(line)
                    detail = True
            elif whole:
                failed.append(line)
            elif line.startswith("----"):
                print(line, flush=True)
                detail = False
                continue
            elif re.match(r"^\d+ passed, \d+ failed", line):
                ended = True
                print(line)
            if detail or whole:
                print(line, flush=True)
        run.wait()
        signal.alarm(0)
        for name in sorted(os.listdir(runtime)):
            print("left behind in the runtime directory:", name)
    print("%d steps pass, %d known ones fail, %d others fail" % (passed, len(expected), len(failed)))
    for line in failed:
        print("  " + line)
    for place in passing:
        print("passes now, take it off transcripts-known: " + place)
    if not ended:
        print("the checker did not come to its end")
    return 1 if failed or passing or not ended or not passed else 0


sys.exit(main())
