//! `sleep`: lets time pass, in an emulated world without waiting for it. Grammar and texts of GNU coreutils 9.1.

use hairpin_netlink::Errno;

use crate::c_number::strtod;
use crate::getopt::{Getopt, Item, Long, Value};
use crate::{Program, Signal};

const LONG: &[Long] = &[("help", Value::None, 'h'), ("version", Value::None, 'V')];

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let mut options = Getopt::new(program.name, program.args, "", LONG);
    // The first option decides.
    if let Some(item) = options.next() {
        match item {
            Item::Option('h', _) => {
                let _ = writeln!(program.shell.out(), "Usage: sleep NUMBER[smhd]...");
                return 0;
            }
            Item::Option(..) => {
                let _ = writeln!(program.shell.out(), "sleep (hairpin), after GNU coreutils 9.1");
                return 0;
            }
            Item::Error(text) => {
                let _ = writeln!(program.shell.err(), "{text}");
                return usage(program);
            }
        }
    }
    let operands = options.operands();
    if operands.is_empty() {
        let _ = writeln!(program.shell.err(), "sleep: missing operand");
        return usage(program);
    }
    let (open, close) = quotes(program);
    let mut total = 0.0;
    let mut good = true;
    for operand in operands {
        match seconds(operand) {
            Some(seconds) => total += seconds,
            None => {
                let err = program.shell.err();
                let _ = writeln!(err, "sleep: invalid time interval {open}{operand}{close}");
                good = false;
            }
        }
    }
    if !good {
        return usage(program);
    }
    match wait(program, total) {
        Ok(code) => code,
        Err(errno) => {
            let _ = writeln!(program.shell.err(), "sleep: cannot read realtime clock: {errno}");
            1
        }
    }
}

/// The time that an operand names.
fn seconds(operand: &str) -> Option<f64> {
    let (number, length) = strtod(operand);
    let unit = match operand.get(length..)? {
        _ if length == 0 => return None,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => return None,
    };
    // A comparison, so that NaN fails too.
    (number >= 0.0).then_some(number * unit)
}

/// Waits; more than 580 years count as for ever. Ends early with the shell's code for a signal.
fn wait(program: &mut Program<'_>, seconds: f64) -> Result<i32, Errno> {
    let start = program.system.now()?.monotonic_ns;
    let length = seconds * 1e9;
    let until = if length < u64::MAX as f64 { start.checked_add(length.ceil() as u64) } else { None };
    loop {
        match program.system.wait(&[], until, until.is_some()) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
        match program.shell.take_signal() {
            Some(Signal::Interrupt) => return Ok(130),
            Some(Signal::Terminate) => return Ok(143),
            Some(Signal::Quit) => return Ok(131),
            None => {}
        }
        if until.is_some_and(|until| until <= start) {
            return Ok(0);
        }
        let now = program.system.now()?.monotonic_ns;
        if until.is_some_and(|until| now >= until) {
            return Ok(0);
        }
    }
}

fn usage(program: &mut Program<'_>) -> i32 {
    let _ = writeln!(program.shell.err(), "Try 'sleep --help' for more information.");
    1
}

/// gnulib's quotation marks: typographic ones where the locale's characters are UTF-8.
fn quotes(program: &Program<'_>) -> (char, char) {
    let set = |name: &str| program.shell.variable(name).filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default();
    let locale = locale.to_ascii_uppercase();
    if locale.ends_with(".UTF-8") || locale.ends_with(".UTF8") { ('‘', '’') } else { ('\'', '\'') }
}

#[cfg(test)]
mod tests {
    use super::seconds;
    use crate::Signal;
    use crate::fake::FakeKernel;

    #[test]
    fn it_sleeps_on_the_kernels_clock() {
        let mut kernel = FakeKernel::new(|_| Ok(Vec::new()));
        assert_eq!(kernel.run("sleep 2h 0.5"), (String::new(), 0));
        assert_eq!(kernel.now_ns, 7_200_500_000_000);
        kernel.signals.push((kernel.now_ns + 5, Signal::Interrupt));
        assert_eq!(kernel.run("sleep infinity"), (String::new(), 130));
    }

    #[test]
    fn operands_are_numbers_with_a_unit() {
        assert_eq!(seconds("1.5"), Some(1.5));
        assert_eq!(seconds("2m"), Some(120.0));
        assert_eq!(seconds("0.5h"), Some(1800.0));
        assert_eq!(seconds("1d"), Some(86400.0));
        assert_eq!(seconds("infinity"), Some(f64::INFINITY));
        for bad in ["", "s", "-1", "nan", "1x", "1ss"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
