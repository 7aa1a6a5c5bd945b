//! curl's command line.

use std::io::Read as _;
use std::net::IpAddr;

use crate::Program;

/// curl takes no abbreviation that more than one option begins with; a value stands in the next word.
const LONG: &[(&str, char, bool)] = &[
    ("silent", 's', false),
    ("show-error", 'S', false),
    ("output", 'o', true),
    ("remote-name", 'O', false),
    ("head", 'I', false),
    ("include", 'i', false),
    ("verbose", 'v', false),
    ("max-time", 'm', true),
    ("connect-timeout", '\u{1}', true),
    ("interface", '\u{2}', true),
    ("ipv4", '4', false),
    ("ipv6", '6', false),
    ("write-out", 'w', true),
    ("location", 'L', false),
    ("fail", 'f', false),
    ("request", 'X', true),
    ("data", 'd', true),
    ("data-ascii", 'd', true),
    ("data-raw", '\u{3}', true),
    ("data-binary", 'd', true),
    ("header", 'H', true),
    ("user-agent", 'A', true),
    ("referer", 'e', true),
    ("user", 'u', true),
    ("insecure", 'k', false),
    ("globoff", 'g', false),
    ("resolve", '\u{4}', true),
    ("retry", '\u{5}', true),
    ("retry-delay", '\u{6}', true),
    ("retry-connrefused", '\u{7}', false),
    ("max-redirs", '\u{8}', true),
    ("no-buffer", 'N', false),
    ("http1.0", '0', false),
    ("http1.1", '\u{e}', false),
    ("no-progress-meter", '\u{f}', false),
    ("progress-bar", '#', false),
    ("local-port", '\u{10}', true),
    ("fail-early", '\u{11}', false),
    ("compressed", '\u{12}', false),
    ("disable", 'q', false),
    ("url", '\u{13}', true),
    ("noproxy", '\u{14}', true),
    ("version", 'V', false),
    ("help", 'h', false),
];
/// Letters that take a value.
const WITH_VALUE: &str = "omwXdHAeuxTbcCEDFKPQrtUyYz";
const AGENT: &str = "curl/7.88.1";
const TRY: &str = "curl: try 'curl --help' or 'curl --manual' for more information\n";

/// It ends before it begins; what is said has been said.
pub(super) struct Stop(pub i32);

/// Where the answer to an address goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Output {
    Named(String),
    /// A file of the name it has there.
    Remote,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub urls: Vec<String>,
    pub outputs: Vec<Output>,
    pub silent: bool,
    show_errors: bool,
    pub include: bool,
    pub verbose: bool,
    pub max_time_ns: Option<u64>,
    pub connect_timeout_ns: Option<u64>,
    pub interface: Option<String>,
    pub local_port: Option<u16>,
    pub ipv4: bool,
    pub ipv6: bool,
    pub write_out: Option<String>,
    pub follows: bool,
    pub redirects_max: Option<u32>,
    pub fails: bool,
    pub fail_early: bool,
    pub method: String,
    pub data: Option<Vec<u8>>,
    pub headers: Vec<String>,
    pub agent: String,
    pub user: Option<String>,
    pub resolved: Vec<(String, u16, IpAddr)>,
    pub retries: u32,
    pub retry_delay_s: Option<u64>,
    pub retry_refused: bool,
    pub http10: bool,
    pub no_meter: bool,
    pub is_terminal: bool,
}

/// Seconds with a fraction, as nanoseconds.
fn seconds(text: &str) -> Option<u64> {
    let value: f64 = text.parse().ok()?;
    (value >= 0.0 && value.is_finite()).then_some(if value == 0.0 {
        u64::MAX / 4
    } else {
        (value * 1e9) as u64
    })
}

impl Options {
    /// Whether `curl: (7) …` is said.
    pub fn shows_errors(&self) -> bool {
        !self.silent || self.show_errors
    }

    pub fn read(program: &mut Program<'_>) -> Result<Options, Stop> {
        let mut options = Options {
            agent: AGENT.to_owned(),
            is_terminal: program.shell.is_terminal(),
            ..Options::default()
        };
        let (mut method, mut head) = (None, false);
        let mut words = program.args.iter();
        let mut only_operands = false;
        while let Some(word) = words.next() {
            if only_operands || !word.starts_with('-') || word == "-" {
                options.urls.push(word.clone());
            } else if word == "--" {
                only_operands = true;
            } else if let Some(long) = word.strip_prefix("--") {
                let plain =
                    long.strip_prefix("no-").filter(|name| *name != "progress-meter" && *name != "buffer");
                let name = plain.unwrap_or(long);
                let mut fitting = LONG.iter().filter(|(known, ..)| known.starts_with(name));
                let exact = LONG.iter().find(|(known, ..)| *known == name);
                let found = exact.or_else(|| fitting.next().filter(|_| fitting.next().is_none()));
                let Some((_, letter, takes)) = found else {
                    return Err(refuse(program, &format!("option {word}: is unknown")));
                };
                let value = if *takes { words.next() } else { None };
                if *takes && value.is_none() {
                    return Err(refuse(program, &format!("option {word}: requires parameter")));
                }
                if plain.is_some() {
                    continue;
                }
                options.set(
                    program,
                    *letter,
                    value.map_or("", String::as_str),
                    word,
                    &mut method,
                    &mut head,
                )?;
            } else {
                let mut letters = word.chars().skip(1);
                while let Some(letter) = letters.next() {
                    let mut value = String::new();
                    let takes = WITH_VALUE.contains(letter);
                    if takes {
                        value = letters.by_ref().collect();
                        if value.is_empty() {
                            match words.next() {
                                Some(next) => value.clone_from(next),
                                None => {
                                    return Err(refuse(
                                        program,
                                        &format!("option {word}: requires parameter"),
                                    ));
                                }
                            }
                        }
                    }
                    options.set(program, letter, &value, word, &mut method, &mut head)?;
                    if takes {
                        break;
                    }
                }
            }
        }
        if options.urls.is_empty() {
            let _ = program.shell.err().write_all(TRY.as_bytes());
            return Err(Stop(2));
        }
        let default = match (head, &options.data) {
            (true, _) => "HEAD",
            (false, Some(_)) => "POST",
            (false, None) => "GET",
        };
        options.method = method.unwrap_or_else(|| default.to_owned());
        Ok(options)
    }

    fn set(
        &mut self,
        program: &mut Program<'_>,
        letter: char,
        value: &str,
        word: &str,
        method: &mut Option<String>,
        head: &mut bool,
    ) -> Result<(), Stop> {
        let wrong = |program: &mut Program<'_>| {
            refuse(program, &format!("option {word}: expected a proper numerical parameter"))
        };
        match letter {
            's' => self.silent = true,
            'S' => self.show_errors = true,
            'o' => self.outputs.push(Output::Named(value.to_owned())),
            'O' => self.outputs.push(Output::Remote),
            'I' => *head = true,
            'i' => self.include = true,
            'v' => self.verbose = true,
            'm' => self.max_time_ns = Some(seconds(value).ok_or_else(|| wrong(program))?),
            '\u{1}' => self.connect_timeout_ns = Some(seconds(value).ok_or_else(|| wrong(program))?),
            '\u{2}' => self.interface = Some(value.to_owned()),
            '4' => (self.ipv4, self.ipv6) = (true, false),
            '6' => (self.ipv4, self.ipv6) = (false, true),
            'w' => self.write_out = Some(self.text_of(program, value)?),
            'L' => self.follows = true,
            'f' => self.fails = true,
            'X' => *method = Some(value.to_owned()),
            'd' | '\u{3}' => {
                let text = if letter == 'd' { self.text_of(program, value)? } else { value.to_owned() };
                let data = self.data.get_or_insert_default();
                if !data.is_empty() {
                    data.push(b'&');
                }
                data.extend(text.bytes());
            }
            'H' => self.headers.push(value.to_owned()),
            'A' => value.clone_into(&mut self.agent),
            'e' => self.headers.push(format!("Referer: {value}")),
            'u' => self.user = Some(value.to_owned()),
            'k' | 'g' | 'N' | '#' | 'q' | '\u{e}' | '\u{12}' | '\u{14}' => {}
            '0' => self.http10 = true,
            '\u{4}' => self.resolved.extend(resolved(value)),
            '\u{5}' => self.retries = value.parse().map_err(|_| wrong(program))?,
            '\u{6}' => self.retry_delay_s = Some(value.parse().map_err(|_| wrong(program))?),
            '\u{7}' => self.retry_refused = true,
            '\u{8}' => self.redirects_max = Some(value.parse().map_err(|_| wrong(program))?),
            '\u{f}' => self.no_meter = true,
            '\u{10}' => self.local_port = Some(value.parse().map_err(|_| wrong(program))?),
            '\u{11}' => self.fail_early = true,
            '\u{13}' => self.urls.push(value.to_owned()),
            'V' => {
                let _ =
                    writeln!(program.shell.out(), "curl 7.88.1 (hairpin) plain HTTP alone\nProtocols: http");
                return Err(Stop(0));
            }
            'h' => {
                let _ = writeln!(program.shell.out(), "Usage: curl [options...] <url>");
                return Err(Stop(0));
            }
            other if WITH_VALUE.contains(other) => {
                let _ = writeln!(program.shell.err(), "curl: {word} is not supported here");
                return Err(Stop(2));
            }
            _ => return Err(refuse(program, &format!("option {word}: is unknown"))),
        }
        Ok(())
    }

    /// `@FILE` is what the file says.
    fn text_of(&self, program: &mut Program<'_>, value: &str) -> Result<String, Stop> {
        let Some(path) = value.strip_prefix('@') else { return Ok(value.to_owned()) };
        let mut bytes = Vec::new();
        let read = match path {
            "-" => program.shell.input().read_to_end(&mut bytes).map(drop),
            path => program.shell.open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map(drop),
        };
        if read.is_err() {
            let _ = writeln!(program.shell.err(), "curl: Failed to open {path}");
            return Err(Stop(26));
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// `HOST:PORT:ADDRESS`
fn resolved(text: &str) -> Option<(String, u16, IpAddr)> {
    let mut words = text.trim_start_matches('+').splitn(3, ':');
    let (host, port, address) = (words.next()?, words.next()?, words.next()?);
    let address = address.split(',').next()?.trim_matches(['[', ']']);
    Some((host.to_owned(), port.parse().ok()?, address.parse().ok()?))
}

fn refuse(program: &mut Program<'_>, text: &str) -> Stop {
    let _ = write!(program.shell.err(), "curl: {text}\n{TRY}");
    Stop(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        assert_eq!(seconds("1.5"), Some(1_500_000_000));
        assert_eq!(seconds("x"), None);
        assert_eq!(resolved("www.lab:80:10.0.0.1"), Some(("www.lab".to_owned(), 80, [10, 0, 0, 1].into())));
        assert_eq!(resolved("www.lab:80"), None);
    }
}
