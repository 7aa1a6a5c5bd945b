//! What every scenario ends with: captures, pings between all, changes, and a look at everything.

use super::Scenario;

/// Pings of one round at most.
const PINGS_MAX: usize = 10;

pub(super) fn talk(scenario: &mut Scenario) {
    neighbours(scenario);
    // The kernel looks at carriers once a second.
    scenario.line("sleep 1.5");
    look(scenario);
    let captures = begin(scenario);
    round(scenario);
    let mut changes = scenario.changes.clone();
    for link in scenario.links.clone() {
        changes.push(format!("ip -n {} link set {} down", link.ns, link.dev));
    }
    let count = scenario.between(1, 3);
    let at: Vec<usize> = (0..changes.len()).collect();
    for at in scenario.some(&at, count) {
        if let Some(change) = changes.get(at) {
            let change = change.clone();
            scenario.line(&change);
        }
    }
    scenario.line("sleep 2.3");
    round(scenario);
    scenario.show(&captures);
    look(scenario);
    for ns in scenario.namespaces.clone() {
        scenario.line(format!("ip -n {ns} neigh"));
        scenario.line(format!("ip -n {ns} -s link"));
    }
}

/// Some permanent neighbours, right and wrong ones.
fn neighbours(scenario: &mut Scenario) {
    if scenario.once_in(3) || scenario.stations.len() < 2 {
        return;
    }
    for _ in 0..scenario.between(1, 2) {
        let (from, to) = (scenario.below(scenario.stations.len()), scenario.below(scenario.stations.len()));
        let (from, to) = (scenario.stations[from].clone(), scenario.stations[to].clone());
        let wrong = scenario.mac();
        let mac = to.mac.clone().filter(|_| !scenario.once_in(3)).unwrap_or(wrong);
        let what = scenario.one(&["add", "replace", "change"]);
        scenario.line(format!(
            "ip -n {} neigh {what} {} lladdr {mac} nud permanent dev {}",
            from.ns, to.address, from.dev
        ));
    }
}

/// Starts captures on some links.
fn begin(scenario: &mut Scenario) -> Vec<(usize, String)> {
    let links = scenario.links.clone();
    let count = scenario.between(1, 3);
    let chosen = scenario.some(&links, count);
    let captures = chosen.iter().map(|link| scenario.capture(&link.ns, &link.dev)).collect();
    scenario.line("sleep 0.7");
    captures
}

/// Pings between all that have an address, so many as fit.
fn round(scenario: &mut Scenario) {
    let stations = scenario.stations.clone();
    let mut pairs = Vec::new();
    for from in &stations {
        for to in &stations {
            if from.address != to.address || stations.len() == 1 {
                pairs.push((from.clone(), to.clone()));
            }
        }
    }
    for (from, to) in scenario.some(&pairs, PINGS_MAX) {
        let options = match scenario.below(8) {
            0 => format!(" -I {}", from.dev),
            1 => " -s 1600".to_owned(),
            2 => " -s 1472 -M do".to_owned(),
            3 => " -b".to_owned(),
            4 => " -t 1".to_owned(),
            _ => String::new(),
        };
        let address = if options == " -b" {
            to.address.rsplit_once('.').map_or(to.address.clone(), |(net, _)| format!("{net}.255"))
        } else {
            to.address.clone()
        };
        if scenario.once_in(10) {
            scenario.line(format!("ip netns exec {} arping -c1 -w1 -I {} {}", from.ns, from.dev, to.address));
        } else {
            scenario.line(format!("ip netns exec {} ping -c1 -W0.31{options} {address}", from.ns));
        }
    }
    // Until nobody is asked for any more.
    scenario.line("sleep 3.6");
}

/// All that can be seen of the configuration.
fn look(scenario: &mut Scenario) {
    for ns in scenario.namespaces.clone() {
        for command in ["-d link", "addr", "route"] {
            scenario.line(format!("ip -n {ns} {command}"));
        }
        scenario.line(format!("bridge -n {ns} -d link"));
        scenario.line(format!("bridge -n {ns} fdb"));
    }
    scenario.line("ip netns");
}
