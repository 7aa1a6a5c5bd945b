//! `-m statistic`

use hairpin_netlink::netfilter::Match;
use hairpin_netlink::netfilter::counting::Statistic;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::not;

/// A probability of one.
const CERTAIN: f64 = 2_147_483_648.0;

#[derive(Default)]
pub(super) struct Reading {
    nth: bool,
    probability: Option<(u32, bool)>,
    every: Option<(u32, bool)>,
    packet: Option<u32>,
}

impl Reader<Match> for Reading {
    fn name(&self) -> &'static str {
        "statistic"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("mode").required(),
            opt("probability").invertible(),
            opt("every").invertible().also("packet"),
            opt("packet"),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        match given.id {
            "mode" => match given.value {
                "random" => self.nth = false,
                "nth" => self.nth = true,
                other => return Err(Fail::parameter(format!("Bad mode \"{other}\""))),
            },
            "probability" => {
                let share = given.value.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
                let bad = || {
                    Fail::parameter(
                        "statistic: bad value for option \"--probability\", or out of range (0-1).\n",
                    )
                };
                self.probability = Some(((share.ok_or_else(bad)? * CERTAIN).round() as u32, given.invert));
            }
            "every" => self.every = Some((given.number(1, u64::from(u32::MAX))? as u32, given.invert)),
            _ => self.packet = Some(given.number(0, u64::from(u32::MAX))? as u32),
        }
        Ok(())
    }

    fn first(&mut self) -> Result<(), Fail> {
        match (self.nth, self.probability, self.every) {
            (false, None, _) => {
                Err(Fail::parameter("--probability must be specified when using random mode"))
            }
            (true, _, None) => {
                Err(Fail::parameter("--every and --packet must be specified when using nth mode"))
            }
            (true, _, Some((every, _))) if self.packet.unwrap_or(0) >= every => {
                Err(Fail::parameter("the --packet p must be 0 <= p <= n-1"))
            }
            _ => Ok(()),
        }
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::Statistic(match (self.nth, self.every) {
            (true, Some((every, invert))) => {
                Statistic::Nth { every, packet: self.packet.unwrap_or(0), invert }
            }
            _ => {
                let (probability, invert) = self.probability.unwrap_or((0, false));
                Statistic::Random { probability, invert }
            }
        }))
    }
}

/// `dashes` in front of options; the listing does not tell of packet 0.
fn text(found: &Statistic, dashes: &str) -> String {
    match *found {
        Statistic::Random { probability, invert } => {
            let share = f64::from(probability) / CERTAIN;
            format!(" {dashes}mode random{} {dashes}probability {share:.11}", not(invert))
        }
        Statistic::Nth { every, packet, invert } => {
            let mut text = format!(" {dashes}mode nth{} {dashes}every {every}", not(invert));
            if packet != 0 || !dashes.is_empty() {
                text += &format!(" {dashes}packet {packet}");
            }
            text
        }
    }
}

pub(super) fn saved(found: &Statistic) -> String {
    " -m statistic".to_owned() + &text(found, "--")
}

pub(super) fn listed(found: &Statistic) -> String {
    " statistic".to_owned() + &text(found, "")
}
