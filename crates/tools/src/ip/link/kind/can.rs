//! `type can`: a CAN controller's clocks and modes. Only real controllers have such; a kernel says so.

use hairpin_netlink::route::link::InfoData;

use super::help;
use super::raw::Raw;
use crate::iproute2::number::{get_u16, get_u32};
use crate::iproute2::{Args, Stop, matches};

/// `IFLA_CAN_*`
mod attr {
    pub const BITTIMING: u16 = 1;
    pub const CTRLMODE: u16 = 5;
    pub const RESTART_MS: u16 = 6;
    pub const RESTART: u16 = 7;
    pub const DATA_BITTIMING: u16 = 9;
    pub const TERMINATION: u16 = 11;
    pub const TDC: u16 = 16;
}

/// Fields of `struct can_bittiming`, in their order, by their words.
const TIMING: [&str; 7] = ["bitrate", "sample-point", "tq", "prop-seg", "phase-seg1", "phase-seg2", "sjw"];
/// Words of all fields, which are eight.
const FIELDS: usize = 8;
const SAMPLE_POINT: usize = 1;
const TQ: usize = 2;

/// `CAN_CTRLMODE_*`
const MODES: &[(&str, u32)] = &[
    ("loopback", 0x01),
    ("listen-only", 0x02),
    ("triple-sampling", 0x04),
    ("one-shot", 0x08),
    ("berr-reporting", 0x10),
    ("fd", 0x20),
    ("fd-non-iso", 0x80),
    ("presume-ack", 0x40),
    ("cc-len8-dlc", 0x100),
];
const TDC_AUTO: u32 = 0x200;
const TDC_MANUAL: u32 = 0x400;

/// `IFLA_CAN_TDC_TDCV`, `TDCO`, `TDCF`
const TDC: &[(&str, u16)] = &[("tdcv", 7), ("tdco", 8), ("tdcf", 9)];

/// What the words come to.
#[derive(Default)]
struct Controller {
    /// Of the arbitration phase, and of the data phase.
    timings: [[u32; FIELDS]; 2],
    mask: u32,
    modes: u32,
    tdc: Raw,
}

pub(super) fn parse(args: &mut Args<'_>) -> Result<InfoData, Stop> {
    let mut raw = Raw::default();
    let mut controller = Controller::default();
    while let Some(word) = args.take() {
        if controller.timing(word, args)? || controller.mode(word, args)? {
            continue;
        }
        if matches(word, "restart") {
            raw.u32(attr::RESTART, 1);
        } else if matches(word, "restart-ms") {
            let value = args.value()?;
            raw.u32(attr::RESTART_MS, number("restart-ms", value)?);
        } else if matches(word, "termination") {
            let value = args.value()?;
            let ohms =
                get_u16(value, 0).ok_or_else(|| Stop::invarg("invalid \"termination\" value\n", value))?;
            raw.bytes(attr::TERMINATION, &ohms.to_ne_bytes());
        } else {
            let text = help("can").unwrap_or_default();
            return Err(match matches(word, "help") {
                true => Stop::fail(1, text),
                false => Stop::fail(1, format!("can: unknown option \"{word}\"\n{text}")),
            });
        }
    }
    controller.write(&mut raw);
    Ok(raw.into_data())
}

fn number(word: &str, value: &str) -> Result<u32, Stop> {
    get_u32(value, 0).ok_or_else(|| Stop::invarg(&format!("invalid \"{word}\" value\n"), value))
}

impl Controller {
    /// Words of bit timings; those of the data phase begin with a `d`.
    fn timing(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        let field = |word: &str| TIMING.iter().position(|name| matches(word, name));
        let (phase, at) = match (field(word), word.strip_prefix('d').and_then(field)) {
            (Some(at), _) => (0, at),
            (None, Some(at)) => (1, at),
            (None, None) => return Ok(false),
        };
        let value = args.value()?;
        let name = [["", "d"][phase], TIMING[at]].concat();
        self.timings[phase][at] = match at {
            SAMPLE_POINT => {
                let point = value.parse::<f32>().ok().filter(|point| point.is_finite());
                let point =
                    point.ok_or_else(|| Stop::invarg(&format!("invalid \"{name}\" value\n"), value))?;
                (point * 1000.0) as u32
            }
            _ => number(&name, value)?,
        };
        Ok(true)
    }

    /// Words of modes.
    fn mode(&mut self, word: &str, args: &mut Args<'_>) -> Result<bool, Stop> {
        if let Some((name, mode)) = MODES.iter().find(|(name, _)| matches(word, name)) {
            self.mask |= mode;
            match args.value()? {
                "on" => self.modes |= mode,
                "off" => {}
                value => {
                    let text =
                        format!("Error: argument of \"{name}\" must be \"on\" or \"off\", not \"{value}\"\n");
                    return Err(Stop::exit(255, text));
                }
            }
        } else if let Some((name, kind)) = TDC.iter().find(|(name, _)| matches(word, name)) {
            let value = number(name, args.value()?)?;
            self.tdc.u32(*kind, value);
        } else if matches(word, "tdc-mode") {
            let (mask, mode) = match args.value()? {
                "auto" => (TDC_AUTO, TDC_AUTO),
                "manual" => (TDC_MANUAL, TDC_MANUAL),
                "off" => (TDC_AUTO | TDC_MANUAL, 0),
                value => {
                    let text = format!(
                        "Error: argument of \"tdc-mode\" must be \"auto\", \"manual\" or \"off\", not \"{value}\"\n"
                    );
                    return Err(Stop::exit(255, text));
                }
            };
            self.mask |= mask;
            self.modes |= mode;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn write(self, raw: &mut Raw) {
        for (timing, kind) in self.timings.iter().zip([attr::BITTIMING, attr::DATA_BITTIMING]) {
            // Field 0 is the rate.
            if timing[0] != 0 || timing[TQ] != 0 {
                let bytes: Vec<u8> = timing.iter().flat_map(|field| field.to_ne_bytes()).collect();
                raw.bytes(kind, &bytes);
            }
        }
        if self.mask != 0 {
            raw.bytes(attr::CTRLMODE, &[self.mask.to_ne_bytes(), self.modes.to_ne_bytes()].concat());
        }
        if let Some(tdc) = self.tdc.filled() {
            raw.bytes(attr::TDC | NESTED, tdc);
        }
    }
}

/// `NLA_F_NESTED`
const NESTED: u16 = 0x8000;
