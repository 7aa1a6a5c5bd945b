//! The command line, as getopt_long takes it: options anywhere, joined short ones, long ones shortened.

use hairpin_capture::LinkType;
use hairpin_capture::pcap::SNAPLEN_MAX;
use hairpin_capture::text::{Dump, Options as TextOptions, TimeStyle};

/// Everything the command line says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub text: TextOptions,
    pub device: Option<String>,
    pub list_devices: bool,
    pub list_link_types: bool,
    pub list_time_stamp_types: bool,
    pub monitor_mode: bool,
    /// `-c`
    pub count: Option<u64>,
    pub read: Option<String>,
    pub write: Option<String>,
    /// `-U`
    pub flush_packets: bool,
    /// `-l`
    pub flush_lines: bool,
    pub promiscuous: bool,
    pub snaplen: u32,
    pub direction: Direction,
    pub filter_file: Option<String>,
    /// `--count`
    pub count_only: bool,
    /// `--print`
    pub print: bool,
    pub link: Option<LinkType>,
    /// In bytes.
    pub buffer: Option<u32>,
    pub foreign: bool,
    /// `-C`, in bytes: another file once one is longer.
    pub file_bytes: Option<u64>,
    /// `-G`: another file after so many seconds; 0: never.
    pub file_seconds: u64,
    /// `-W`: how many files there may be; 0: any number.
    pub files: u32,
    pub expression: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Direction {
    In,
    Out,
    #[default]
    Both,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Run(Box<Options>),
    Help,
    Version,
}

/// Why there is nothing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The text comes with the usage.
    Usage(String),
    Plain(String),
}

/// Short options; a colon follows those with an argument.
const SHORT: &str = "aAbB:c:C:dDeE:fF:G:hHi:Ij:JKlLm:M:nNOpqQ:r:s:StT:uUvV:w:W:xXy:Yz:Z:#";

const LONG: &[(&str, Long)] = &[
    ("buffer-size", Long::Short('B')),
    ("list-interfaces", Long::Short('D')),
    ("help", Long::Short('h')),
    ("interface", Long::Short('i')),
    ("monitor-mode", Long::Short('I')),
    ("time-stamp-type", Long::Short('j')),
    ("list-time-stamp-types", Long::Short('J')),
    ("micro", Long::Micro),
    ("nano", Long::Nano),
    ("time-stamp-precision", Long::Precision),
    ("dont-verify-checksums", Long::Short('K')),
    ("list-data-link-types", Long::Short('L')),
    ("no-optimize", Long::Short('O')),
    ("no-promiscuous-mode", Long::Short('p')),
    ("direction", Long::Short('Q')),
    ("snapshot-length", Long::Short('s')),
    ("absolute-tcp-sequence-numbers", Long::Short('S')),
    ("packet-buffered", Long::Short('U')),
    ("linktype", Long::Short('y')),
    ("immediate-mode", Long::Ignored),
    ("debug-filter-parser", Long::Short('Y')),
    ("relinquish-privileges", Long::Short('Z')),
    ("count", Long::Count),
    ("fp-type", Long::Ignored),
    ("number", Long::Short('#')),
    ("print", Long::Print),
    ("version", Long::Version),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Long {
    Short(char),
    Micro,
    Nano,
    Precision,
    Ignored,
    Count,
    Print,
    Version,
}

impl Long {
    fn takes_argument(self) -> bool {
        match self {
            Long::Short(option) => takes_argument(option) == Some(true),
            Long::Precision => true,
            _ => false,
        }
    }
}

/// Whether a short option takes an argument; none if there is no such option.
fn takes_argument(option: char) -> Option<bool> {
    let at = SHORT.find(option).filter(|_| option != ':')?;
    Some(SHORT[at + option.len_utf8()..].starts_with(':'))
}

pub(super) fn parse(args: &[String]) -> Result<Request, Fault> {
    let mut parser = Parser { counts: Counts::default(), options: Options::default() };
    parser.options.promiscuous = true;
    parser.options.snaplen = SNAPLEN_MAX;
    let mut rest = args.iter();
    while let Some(argument) = rest.next() {
        if argument == "--" {
            parser.options.expression.extend(rest.cloned());
            break;
        }
        if let Some(long) = argument.strip_prefix("--") {
            let (spelling, value) = match long.split_once('=') {
                Some((spelling, value)) => (spelling, Some(value.to_owned())),
                None => (long, None),
            };
            let (name, option) = long_option(spelling)?;
            let value = match (option.takes_argument(), value) {
                (true, Some(value)) => value,
                (true, None) => match rest.next() {
                    Some(value) => value.clone(),
                    None => return Err(Fault::Usage(format!("option '--{name}' requires an argument"))),
                },
                (false, Some(_)) => {
                    return Err(Fault::Usage(format!("option '--{name}' doesn't allow an argument")));
                }
                (false, None) => String::new(),
            };
            if let Some(request) = parser.long(option, &value)? {
                return Ok(request);
            }
        } else if let Some(cluster) = argument.strip_prefix('-').filter(|cluster| !cluster.is_empty()) {
            let mut letters = cluster.chars();
            while let Some(option) = letters.next() {
                let mut value = String::new();
                match takes_argument(option) {
                    None => return Err(Fault::Usage(format!("invalid option -- '{option}'"))),
                    Some(false) => {}
                    Some(true) => {
                        value = letters.as_str().to_owned();
                        letters = "".chars();
                        if value.is_empty() {
                            value = match rest.next() {
                                Some(value) => value.clone(),
                                None => {
                                    let text = format!("option requires an argument -- '{option}'");
                                    return Err(Fault::Usage(text));
                                }
                            };
                        }
                    }
                }
                if let Some(request) = parser.short(option, &value)? {
                    return Ok(request);
                }
            }
        } else {
            parser.options.expression.push(argument.clone());
        }
    }
    parser.finish()
}

/// By its name or the start of it.
fn long_option(spelling: &str) -> Result<(&'static str, Long), Fault> {
    if let Some(exact) = LONG.iter().find(|(name, _)| *name == spelling) {
        return Ok(*exact);
    }
    let candidates: Vec<_> = LONG.iter().filter(|(name, _)| name.starts_with(spelling)).collect();
    match candidates.as_slice() {
        [] => Err(Fault::Usage(format!("unrecognized option '--{spelling}'"))),
        [one] => Ok(**one),
        several => {
            let names: Vec<String> = several.iter().map(|(name, _)| format!("'--{name}'")).collect();
            Err(Fault::Usage(format!(
                "option '--{spelling}' is ambiguous; possibilities: {}",
                names.join(" ")
            )))
        }
    }
}

/// Options that count.
#[derive(Default)]
struct Counts {
    time: u32,
    hex: u32,
    hex_ascii: u32,
    ascii: u32,
}

struct Parser {
    counts: Counts,
    options: Options,
}

impl Parser {
    fn long(&mut self, option: Long, value: &str) -> Result<Option<Request>, Fault> {
        match option {
            Long::Short(option) => return self.short(option, value),
            Long::Version => return Ok(Some(Request::Version)),
            Long::Micro => self.options.text.nanoseconds = false,
            Long::Nano => self.options.text.nanoseconds = true,
            Long::Precision => {
                self.options.text.nanoseconds = match value {
                    "micro" => false,
                    "nano" => true,
                    _ => return Err(Fault::Plain("unsupported time stamp precision".to_owned())),
                }
            }
            Long::Count => self.options.count_only = true,
            Long::Print => self.options.print = true,
            Long::Ignored => {}
        }
        Ok(None)
    }

    fn short(&mut self, option: char, value: &str) -> Result<Option<Request>, Fault> {
        let options = &mut self.options;
        match option {
            'A' => self.counts.ascii += 1,
            'B' => {
                let kibibytes = leading_number(value);
                let bytes = u32::try_from(kibibytes).ok().and_then(|size| size.checked_mul(1024));
                options.buffer = bytes.filter(|bytes| *bytes > 0);
                if options.buffer.is_none() {
                    return Err(Fault::Plain(format!("invalid packet buffer size {value}")));
                }
            }
            'c' => match leading_number(value) {
                count @ 1.. => options.count = Some(count.unsigned_abs()),
                _ => return Err(Fault::Plain(format!("invalid packet count {value}"))),
            },
            'C' => {
                let millions =
                    value.trim_start().parse::<i64>().ok().and_then(|size| u64::try_from(size).ok());
                let bytes = millions.filter(|size| *size > 0).and_then(|size| size.checked_mul(1_000_000));
                options.file_bytes =
                    Some(bytes.ok_or_else(|| Fault::Plain(format!("invalid file size {value}")))?);
            }
            'D' => options.list_devices = true,
            'e' => options.text.link_header = true,
            'f' => options.foreign = true,
            'F' => options.filter_file = Some(value.to_owned()),
            'G' => {
                options.file_seconds = u64::try_from(leading_number(value))
                    .map_err(|_| Fault::Plain(format!("invalid number of seconds {value}")))?;
            }
            'h' => return Ok(Some(Request::Help)),
            'i' => options.device = Some(value.to_owned()),
            'I' => options.monitor_mode = true,
            'j' => match value {
                "host" => {}
                "host_lowprec" | "host_hiprec" | "host_hiprec_unsynced" | "adapter" | "adapter_unsynced" => {
                    return Err(Fault::Plain(format!("time stamp type {value} is not supported here")));
                }
                _ => return Err(Fault::Plain(format!("invalid time stamp type {value}"))),
            },
            'J' => options.list_time_stamp_types = true,
            'K' => options.text.skip_checksums = true,
            'l' => options.flush_lines = true,
            'L' => options.list_link_types = true,
            'n' => options.text.numeric = true,
            'p' => options.promiscuous = false,
            'q' => options.text.quiet = true,
            'Q' => {
                options.direction = match value.to_ascii_lowercase().as_str() {
                    "in" => Direction::In,
                    "out" => Direction::Out,
                    "inout" => Direction::Both,
                    _ => return Err(Fault::Plain(format!("unknown capture direction `{value}'"))),
                }
            }
            'r' => options.read = Some(value.to_owned()),
            's' => options.snaplen = snaplen(value)?,
            'S' => options.text.absolute_sequence = true,
            't' => self.counts.time += 1,
            'U' => options.flush_packets = true,
            'v' => options.text.verbose += 1,
            'w' => options.write = Some(value.to_owned()),
            'W' => {
                let files = u32::try_from(leading_number(value)).ok().filter(|files| *files > 0);
                options.files =
                    files.ok_or_else(|| Fault::Plain(format!("invalid number of output files {value}")))?;
            }
            'x' => self.counts.hex += 1,
            'X' => self.counts.hex_ascii += 1,
            'y' => options.link = Some(link_type(value)?),
            '#' => options.text.number = true,
            // They change nothing here: old options, addresses' domains, BGP and NFS details, optimizer, privileges.
            'a' | 'b' | 'H' | 'N' | 'O' | 'u' | 'Y' | 'Z' => {}
            _ => return Err(Fault::Plain(format!("-{option} is not supported here"))),
        }
        Ok(None)
    }

    fn finish(mut self) -> Result<Request, Fault> {
        self.options.text.time = match self.counts.time {
            0 => TimeStyle::Clock,
            1 => TimeStyle::None,
            2 => TimeStyle::Seconds,
            3 => TimeStyle::SincePrevious,
            4 => TimeStyle::Date,
            5 => TimeStyle::SinceFirst,
            _ => {
                let text = "only -t, -tt, -ttt, -tttt and -ttttt are supported";
                return Err(Fault::Plain(text.to_owned()));
            }
        };
        self.options.text.dump = match (self.counts.hex_ascii, self.counts.hex, self.counts.ascii) {
            (0, 0, 0) => Dump::None,
            (0, 0, count) => Dump::Ascii { link: count > 1 },
            (0, count, _) => Dump::Hex { link: count > 1 },
            (count, ..) => Dump::HexAscii { link: count > 1 },
        };
        if self.options.foreign && self.options.read.is_some() {
            return Err(Fault::Plain("-f can not be used with -V or -r".to_owned()));
        }
        Ok(Request::Run(Box::new(self.options)))
    }
}

/// `atoi`
fn leading_number(text: &str) -> i64 {
    let text = text.trim_start();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    let number = digits[..length].parse::<i32>().unwrap_or(if length == 0 { 0 } else { i32::MAX });
    if negative { -i64::from(number) } else { i64::from(number) }
}

/// `strtol` with any base.
fn snaplen(text: &str) -> Result<u32, Fault> {
    let digits = text.trim_start().trim_start_matches('+');
    let number = if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        u32::from_str_radix(hex, 16)
    } else if digits.len() > 1 && digits.starts_with('0') {
        u32::from_str_radix(digits, 8)
    } else {
        digits.parse()
    };
    match number {
        Ok(0) => Ok(SNAPLEN_MAX),
        Ok(length) if length <= SNAPLEN_MAX => Ok(length),
        _ => Err(Fault::Plain(format!("invalid snaplen {text} (must be >= 0 and <= {SNAPLEN_MAX})"))),
    }
}

fn link_type(name: &str) -> Result<LinkType, Fault> {
    let known = [LinkType::ETHERNET, LinkType::LINUX_SLL, LinkType::LINUX_SLL2];
    let found =
        known.into_iter().find(|link| link.name().is_some_and(|known| known.eq_ignore_ascii_case(name)));
    found.ok_or_else(|| Fault::Plain(format!("invalid data link type {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(args: &[&str]) -> Options {
        let args: Vec<String> = args.iter().map(|argument| (*argument).to_owned()).collect();
        match parse(&args) {
            Ok(Request::Run(options)) => *options,
            other => panic!("{other:?}"),
        }
    }

    fn fault(args: &[&str]) -> Fault {
        let args: Vec<String> = args.iter().map(|argument| (*argument).to_owned()).collect();
        parse(&args).expect_err("a fault")
    }

    #[test]
    fn options_join_and_mix_with_the_expression() {
        let options = run(&["-i", "eth0", "icmp or arp", "-e", "-nn"]);
        assert_eq!(options.device.as_deref(), Some("eth0"));
        assert!(options.text.link_header && options.text.numeric);
        assert_eq!(options.expression, ["icmp or arp"]);
        let options = run(&["-nnevvc3", "-ieth0", "-ttttXX", "tcp", "port", "80"]);
        assert_eq!((options.count, options.text.verbose), (Some(3), 2));
        assert_eq!(options.text.time, TimeStyle::Date);
        assert_eq!(options.text.dump, Dump::HexAscii { link: true });
        assert_eq!(options.expression, ["tcp", "port", "80"]);
        assert_eq!(run(&["--", "-ip[9]", "= 1"]).expression, ["-ip[9]", "= 1"]);
        assert_eq!(run(&["--inter=eth0", "--direction", "in"]).direction, Direction::In);
    }

    #[test]
    fn faults_have_the_real_texts() {
        let usage = |text: &str| Fault::Usage(text.to_owned());
        let plain = |text: &str| Fault::Plain(text.to_owned());
        assert_eq!(fault(&["-k"]), usage("invalid option -- 'k'"));
        assert_eq!(fault(&["-c"]), usage("option requires an argument -- 'c'"));
        assert_eq!(fault(&["--foo"]), usage("unrecognized option '--foo'"));
        assert_eq!(
            fault(&["--n"]),
            usage(
                "option '--n' is ambiguous; possibilities: '--nano' '--no-optimize' '--no-promiscuous-mode' \
                 '--number'"
            )
        );
        assert_eq!(fault(&["-c", "0"]), plain("invalid packet count 0"));
        assert_eq!(fault(&["-s", "-1"]), plain("invalid snaplen -1 (must be >= 0 and <= 262144)"));
        assert_eq!(fault(&["-C", "1k"]), plain("invalid file size 1k"));
        assert_eq!(fault(&["-G", "-1"]), plain("invalid number of seconds -1"));
        assert_eq!(fault(&["-W", "0"]), plain("invalid number of output files 0"));
        assert_eq!(fault(&["-Qfoo"]), plain("unknown capture direction `foo'"));
        assert_eq!(fault(&["-tttttt"]), plain("only -t, -tt, -ttt, -tttt and -ttttt are supported"));
    }
}
