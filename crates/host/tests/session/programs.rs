//! Front ends for the fake emulator: the waits of the real ones, without their text.

use hairpin_netlink::{Errno, Fd, Received, SocketKind};
use hairpin_tools::{Main, Program};

const SECOND: u64 = 1_000_000_000;

pub fn find(name: &str) -> Option<Main> {
    let main: Main = match name {
        "ip" => ip,
        "ping" => ping,
        "sleep" => sleep,
        "ssh" => ssh,
        "sysctl" => sysctl,
        "tcpdump" => tcpdump,
        _ => return None,
    };
    Some(main)
}

fn say(program: &mut Program<'_>, text: &str) {
    let _ = writeln!(program.shell.out(), "{text}");
}

fn now(program: &mut Program<'_>) -> u64 {
    program.system.now().expect("the time").monotonic_ns
}

fn open(program: &mut Program<'_>) -> Fd {
    program.system.socket(SocketKind::Packet { cooked: false, protocol: 3 }).expect("a socket")
}

/// `ip where`, `ip now`, `ip send TEXT`, `ip netns add|exec NAME …`
fn ip(program: &mut Program<'_>) -> i32 {
    let args: Vec<&str> = program.args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["where"] => {
            let text = program.system.read_file("/where").expect("a place");
            say(program, String::from_utf8_lossy(&text).trim_end());
            0
        }
        ["now"] => {
            let text = format!("{:.3}", now(program) as f64 / 1e9);
            say(program, &text);
            0
        }
        ["send", text] => {
            let fd = open(program);
            program.system.send(fd, text.as_bytes().to_vec(), None).map_or(1, |_| 0)
        }
        ["netns", "add", name] => program.system.netns_add(name).map_or(1, |()| 0),
        ["netns", "del", name] => program.system.netns_delete(name).map_or(1, |()| 0),
        ["netns", "exec", name, ..] => match program.system.netns_enter(name) {
            Ok(()) => program.shell.exec(&program.args[3..]).unwrap_or(255),
            Err(error) => {
                let _ = writeln!(program.shell.err(), "{name}: {error}");
                1
            }
        },
        _ => 2,
    }
}

/// `ping [-c COUNT] TEXT`: sends TEXT and a number every second.
fn ping(program: &mut Program<'_>) -> i32 {
    let count: Option<u64> = match program.args {
        [option, count, _] if option == "-c" => count.parse().ok(),
        _ => None,
    };
    let text = program.args.last().cloned().unwrap_or_default();
    let fd = open(program);
    let mut sent = 0;
    while count.is_none_or(|count| sent < count) {
        sent += 1;
        program.system.send(fd, format!("{text} {sent}").into_bytes(), None).expect("sent");
        let until = now(program) + SECOND;
        loop {
            let _ = program.system.receive(fd, 100);
            match program.system.wait(&[fd], Some(until), count.is_some()) {
                Ok(ready) if ready.is_empty() => break,
                Ok(_) => {}
                Err(Errno::EINTR) => {
                    let signal = program.shell.take_signal();
                    say(program, &format!("{text}: {sent} sent, {signal:?}"));
                    return 0;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    let line = format!("{text}: {sent} sent at {:.3}", now(program) as f64 / 1e9);
    say(program, &line);
    0
}

fn sleep(program: &mut Program<'_>) -> i32 {
    let seconds: f64 = program.args.first().and_then(|text| text.parse().ok()).unwrap_or(0.0);
    let until = now(program) + (seconds * 1e9) as u64;
    program.system.wait(&[], Some(until), true).map_or(1, |_| 0)
}

fn ssh(program: &mut Program<'_>) -> i32 {
    let (host, command) = program.args.split_first().expect("a host");
    let line = ["bash".to_owned(), "-c".to_owned(), command.join(" ")];
    match program.shell.exec_on(host, &line) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(program.shell.err(), "ssh: {error}");
            255
        }
    }
}

/// `sysctl NAME`, `sysctl -w NAME VALUE`
fn sysctl(program: &mut Program<'_>) -> i32 {
    match program.args {
        [_, name, value] => program.system.write_file(name, value.as_bytes()).map_or(1, |()| 0),
        [name] => match program.system.read_file(name) {
            Ok(value) => {
                say(program, String::from_utf8_lossy(&value).trim_end());
                0
            }
            Err(_) => 1,
        },
        _ => 2,
    }
}

/// `tcpdump [-c COUNT]`: what is heard, and how much of it.
fn tcpdump(program: &mut Program<'_>) -> i32 {
    let count: Option<usize> = match program.args {
        [option, count] if option == "-c" => count.parse().ok(),
        _ => None,
    };
    let fd = open(program);
    let _ = writeln!(program.shell.err(), "listening");
    let mut heard = 0;
    loop {
        let interrupted = program.system.wait(&[fd], None, false) == Err(Errno::EINTR);
        for item in program.system.receive(fd, 1000).expect("frames") {
            if let Received::Frame { data, .. } = item
                && count.is_none_or(|count| heard < count)
            {
                heard += 1;
                say(program, &format!("heard {}", String::from_utf8_lossy(&data)));
            }
        }
        if count.is_some_and(|count| heard >= count) || interrupted {
            say(program, &format!("{heard} captured"));
            return 0;
        }
    }
}
