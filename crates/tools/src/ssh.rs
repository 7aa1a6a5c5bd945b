//! `ssh [USER@]HOST [COMMAND...]`: runs a command line on another host of the world. Keys, ports and users are
//! read and ignored.

use crate::Program;
use crate::resolver::inet_aton;

/// Options with a value (OpenSSH 9.2, ssh.c).
const WITH_VALUE: &str = "bcDEeFIiJLlmOopQRSWwB";
const WITHOUT_VALUE: &str = "1246AaCfGgKkMNnqsTtVvXxYy";

const USAGE: &str = "\
usage: ssh [-46AaCfGgKkMNnqsTtVvXxYy] [-B bind_interface]
           [-b bind_address] [-c cipher_spec] [-D [bind_address:]port]
           [-E log_file] [-e escape_char] [-F configfile] [-I pkcs11]
           [-i identity_file] [-J [user@]host[:port]] [-L address]
           [-l login_name] [-m mac_spec] [-O ctl_cmd] [-o option] [-p port]
           [-Q query_option] [-R address] [-S ctl_path] [-W host:port]
           [-w local_tun[:remote_tun]] destination [command [argument ...]]";

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    match parse(program.args) {
        Ok(Request::Version) => {
            let _ = writeln!(program.shell.err(), "hairpin's ssh: no encryption, hosts of the world only");
            0
        }
        Ok(Request::Run { host, command }) => run(program, &host, &command),
        Err(Some(text)) => {
            let _ = write!(program.shell.err(), "{text}\r\n{USAGE}\n");
            255
        }
        Err(None) => {
            let _ = writeln!(program.shell.err(), "{USAGE}");
            255
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Request {
    Version,
    Run { host: String, command: Vec<String> },
}

/// Options stand before the host or between it and the command.
fn parse(args: &[String]) -> Result<Request, Option<String>> {
    let mut host = None;
    let mut rest = args.iter();
    let mut command = Vec::new();
    while let Some(word) = rest.next() {
        if word == "--" {
            match (&host, rest.next()) {
                (None, Some(word)) => host = Some(word.clone()),
                (Some(_), Some(word)) => {
                    command.push(word.clone());
                    break;
                }
                (_, None) => break,
            }
            continue;
        }
        let letters = word.strip_prefix('-').filter(|letters| !letters.is_empty());
        match (letters, &host) {
            (Some(letters), _) => {
                for (at, letter) in letters.char_indices() {
                    if letter == 'V' {
                        return Ok(Request::Version);
                    }
                    if WITHOUT_VALUE.contains(letter) {
                        continue;
                    }
                    if !WITH_VALUE.contains(letter) {
                        return Err(Some(format!("unknown option -- {letter}")));
                    }
                    let value_in_word = letters.len() > at + letter.len_utf8();
                    if !value_in_word && rest.next().is_none() {
                        return Err(Some(format!("option requires an argument -- {letter}")));
                    }
                    break;
                }
            }
            (None, None) => host = Some(word.clone()),
            (None, Some(_)) => {
                command.push(word.clone());
                break;
            }
        }
    }
    command.extend(rest.cloned());
    let host = host.ok_or(None)?;
    Ok(Request::Run { host: host_name(&host), command })
}

/// The host of `[user@]host` or `ssh://[user@]host[:port]`.
fn host_name(destination: &str) -> String {
    let name = destination.strip_prefix("ssh://").unwrap_or(destination);
    let name = name.rsplit_once('@').map_or(name, |(_, host)| host);
    let name = if name.len() < destination.len() && destination.starts_with("ssh://") {
        name.trim_end_matches('/').rsplit_once(':').map_or(name.trim_end_matches('/'), |(host, _)| host)
    } else {
        name
    };
    name.to_owned()
}

fn run(program: &mut Program<'_>, host: &str, command: &[String]) -> i32 {
    let mut argv = vec!["bash".to_owned()];
    if !command.is_empty() {
        // sshd hands one line to the login shell: the words joined, not quoted.
        argv.push("-c".to_owned());
        argv.push(command.join(" "));
    }
    match program.shell.exec_on(host, &argv) {
        Ok(code) => code,
        Err(error) => {
            let err = program.shell.err();
            // OpenSSH ends its messages so, for a terminal in raw mode.
            let _ = match error.kind() {
                std::io::ErrorKind::NotFound if inet_aton(host).is_some() => {
                    write!(
                        err,
                        "ssh: connect to host {host} port 22: hairpin's ssh knows hosts by their names\r\n"
                    )
                }
                std::io::ErrorKind::NotFound => {
                    write!(err, "ssh: Could not resolve hostname {host}: Name or service not known\r\n")
                }
                _ => write!(err, "ssh: connect to host {host} port 22: {error}\r\n"),
            };
            255
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Request, Option<String>> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    fn run(host: &str, command: &str) -> Result<Request, Option<String>> {
        let command = command.split_whitespace().map(str::to_owned).collect();
        Ok(Request::Run { host: host.to_owned(), command })
    }

    #[test]
    fn the_command_starts_behind_the_host() {
        assert_eq!(parsed("S3 ip -d link"), run("S3", "ip -d link"));
        assert_eq!(parsed("-tt -p 2222 root@S3 -q ls -l"), run("S3", "ls -l"));
        assert_eq!(parsed("-oBatchMode=yes ssh://me@S3:22/ ls"), run("S3", "ls"));
        assert_eq!(parsed("S3"), run("S3", ""));
        assert_eq!(parsed("S3 -- ls -l"), run("S3", "ls -l"));
    }

    #[test]
    fn the_other_host_gets_one_line() {
        let line = |line: &str| crate::fake::FakeKernel::new(|_| Ok(Vec::new())).run(line);
        assert_eq!(line("ssh -t S3 ip -d link"), ("S3: [\"bash\", \"-c\", \"ip -d link\"]\n".to_owned(), 7));
        let missing = "ssh: Could not resolve hostname nope: Name or service not known\r\n";
        assert_eq!(line("ssh root@nope ls"), (missing.to_owned(), 255));
    }

    #[test]
    fn bad_options_are_named() {
        assert_eq!(parsed("-Z S3"), Err(Some("unknown option -- Z".to_owned())));
        assert_eq!(parsed("-p"), Err(Some("option requires an argument -- p".to_owned())));
        assert_eq!(parsed(""), Err(None));
    }
}
