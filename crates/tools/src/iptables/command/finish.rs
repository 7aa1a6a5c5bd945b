//! A command of the words that were read: what goes together, and a rule for every pair of addresses.

use hairpin_netlink::netfilter::{Network, Rule};

use super::action::{Action, Command};
use super::{CHAIN_MAX, Parser};
use crate::iptables::extension::Rest;
use crate::iptables::fail::Fail;
use crate::iptables::list::Format;

impl Parser<'_, '_, '_> {
    pub(super) fn finish(&mut self) -> Result<Command, Fail> {
        let table = self.table.clone().unwrap_or_else(|| "filter".to_owned());
        let drops = |name: &str| name == "DROP";
        if table == "nat" && (drops(&self.policy) || self.jump.as_deref().is_some_and(drops)) {
            return Err(Fail::parameter(
                "\nThe \"nat\" table is not intended for filtering, the use of DROP is therefore inhibited.\n\n",
            ));
        }
        let protocol = self.header.protocol;
        let mut rest = Rest { names: self.names, protocol };
        let mut found = Vec::new();
        for reading in self.matches.drain(..) {
            found.push(reading.finish(&mut rest)?);
        }
        let extension = self.target.take().map(|reading| reading.finish(&mut rest)).transpose()?;
        if self.invert {
            return Err(Fail::parameter("nothing appropriate following !"));
        }
        let Some((action, then_zero)) = self.command else {
            return Err(Fail::parameter("no command specified"));
        };
        if self.given.contains(&'W') && !self.given.contains(&'w') {
            return Err(Fail::parameter("--wait-interval only makes sense with --wait\n"));
        }
        let illegal = action.refuses().chars().find(|letter| self.given.contains(letter));
        if let Some(letter) = illegal {
            return Err(Fail::parameter(format!("Illegal option `-{letter}' with this command")));
        }
        let mut command = Command {
            action,
            then_zero,
            table,
            chain: self.chain.clone(),
            new_name: self.new_name.clone(),
            policy: self.policy.clone(),
            rules: Vec::new(),
            jump: self.jump.clone().filter(|_| extension.is_none()),
            goto: self.goto,
            counters: self.counters,
            format: Format {
                verbose: self.verbose > 0,
                numeric: self.given.contains(&'n'),
                exact: self.given.contains(&'x'),
                line_numbers: self.given.contains(&'0'),
                single: false,
            },
            verbose: self.verbose,
        };
        if let Some(chain) = command.chain.as_deref()
            && chain.len() >= CHAIN_MAX
        {
            return Err(Fail::parameter(format!(
                "chain name `{chain}' too long (must be under {CHAIN_MAX} chars)"
            )));
        }
        if action.has_rule() {
            let template = Rule {
                counters: self.counters.unwrap_or_default(),
                header: self.header.clone(),
                matches: found,
                target: extension.unwrap_or_default(),
                ..Rule::default()
            };
            command.rules = self.rules(&template)?;
            self.check_interfaces(&command)?;
        }
        Ok(command)
    }

    /// A rule for every pair of addresses.
    fn rules(&mut self, template: &Rule) -> Result<Vec<Rule>, Fail> {
        let mut sides = Vec::new();
        for side in [self.sources.take(), self.destinations.take()] {
            let networks: Vec<Option<Network>> = match side {
                None => vec![None],
                Some((text, invert)) => {
                    let networks = self.names.parse_networks(&text, invert)?;
                    if networks.len() > 1 && invert {
                        return Err(Fail::parameter(
                            "! not allowed with multiple source or destination IP addresses",
                        ));
                    }
                    let anything = |network: &Network| network.prefix() == Some(0) && !network.invert;
                    networks.into_iter().map(|n| if anything(&n) { None } else { Some(n) }).collect()
                }
            };
            sides.push(networks);
        }
        let (sources, destinations) = (&sides[0], &sides[1]);
        if matches!(self.command, Some((Action::Replace(_), _))) && sources.len() * destinations.len() != 1 {
            return Err(Fail::parameter("Replacement rule does not specify a unique address"));
        }
        let mut rules = Vec::new();
        for source in sources {
            for destination in destinations {
                let mut rule = template.clone();
                rule.header.source = *source;
                rule.header.destination = *destination;
                rules.push(rule);
            }
        }
        Ok(rules)
    }

    fn check_interfaces(&self, command: &Command) -> Result<(), Fail> {
        let chain = command.chain.as_deref().unwrap_or("");
        let wrong = match chain {
            "PREROUTING" | "INPUT" if self.given.contains(&'o') => 'o',
            "POSTROUTING" | "OUTPUT" if self.given.contains(&'i') => 'i',
            _ => return Ok(()),
        };
        Err(Fail::parameter(format!("Can't use -{wrong} with {chain}\n")))
    }
}
