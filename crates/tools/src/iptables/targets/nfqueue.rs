//! `-j NFQUEUE`

use hairpin_netlink::netfilter::Target;
use hairpin_netlink::netfilter::targets::Queue;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::super::names::number;

#[derive(Default)]
pub(super) struct Reading(Queue);

impl Reader<Target> for Reading {
    fn name(&self) -> &'static str {
        "NFQUEUE"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("queue-num").exclusive(1),
            opt("queue-balance").exclusive(1),
            opt("queue-bypass").flag(),
            opt("queue-cpu-fanout").flag().also("queue-balance"),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        match given.id {
            "queue-num" => self.0.first = given.number(0, 65_535)? as u16,
            "queue-bypass" => self.0.bypass = true,
            "queue-cpu-fanout" => self.0.cpu_fanout = true,
            _ => {
                let queue = |text: &str| number(text, 65_535).map(|queue| queue as u16);
                let parts = given.value.split_once(':').and_then(|(low, high)| queue(low).zip(queue(high)));
                let bad = || Fail::parameter(format!("Bad range \"{}\"", given.value));
                let (low, high) = parts.ok_or_else(bad)?;
                if low >= high {
                    return Err(Fail::parameter(format!("{low} should be less than {high}")));
                }
                (self.0.first, self.0.count) = (low, high - low + 1);
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Target, Fail> {
        Ok(Target::NfQueue(self.0))
    }
}

fn text(found: &Queue, title: &str, dashes: &str) -> String {
    let Queue { first, count, bypass, cpu_fanout } = *found;
    let mut text = match count {
        0 | 1 => format!(" {title}num {first}"),
        count => format!(" {title}balance {first}:{}", first.saturating_add(count - 1)),
    };
    for (on, name) in [(bypass, "bypass"), (cpu_fanout, "cpu-fanout")] {
        if on {
            text += &format!(" {dashes}{name}");
        }
    }
    text
}

pub(super) fn saved(found: &Queue) -> String {
    text(found, "--queue-", "--queue-")
}

pub(super) fn listed(found: &Queue) -> String {
    text(found, "NFQUEUE ", "")
}
