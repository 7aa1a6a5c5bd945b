//! What `teamd` says of itself: as JSON, and as `teamdctl state` shows it.

use hairpin_netlink::team::{
    TeamDaemon, TeamLacpInfo, TeamLacpPort, TeamMode, TeamPortState, TeamState, TeamWatch, TeamWatchState,
};
use serde_json::{Map, Value as Json, json};

use crate::Shell;
use crate::interfaces::Interface;
use crate::net_tools::hardware::colons;

/// The name of the active port, if it is up.
fn active(state: &TeamState) -> &str {
    let active = state.ports.iter().find(|port| Some(port.ifindex) == state.active && port.watched_up);
    active.map_or("", |port| port.name.as_str())
}

fn duplex(port: &TeamPortState) -> &'static str {
    if port.full_duplex { "full" } else { "half" }
}

fn up_or_down(up: bool) -> &'static str {
    if up { "up" } else { "down" }
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn pid_file(daemon: &TeamDaemon) -> String {
    let config: Json = serde_json::from_str(&daemon.config).unwrap_or_else(|_| json!({}));
    format!("/var/run/teamd/{}.pid", config.get("device").and_then(Json::as_str).unwrap_or_default())
}

fn watch_name(watch: &TeamWatch) -> &'static str {
    match watch {
        TeamWatch::Ethtool { .. } => "ethtool",
        TeamWatch::ArpPing(_) => "arp_ping",
    }
}

fn watch_json(state: &TeamWatchState) -> Json {
    let mut all = match &state.watch {
        TeamWatch::Ethtool { delay_up, delay_down } => {
            json!({"delay_down": delay_down, "delay_up": delay_up})
        }
        TeamWatch::ArpPing(ping) => json!({
            "init_wait": ping.init_wait,
            "interval": ping.interval,
            "missed": state.missed,
            "missed_max": ping.missed_max,
            "send_always": ping.send_always,
            "source_host": ping.source.to_string(),
            "target_host": ping.target.to_string(),
            "validate_active": ping.validate_active,
            "validate_inactive": ping.validate_inactive,
        }),
    };
    if let Json::Object(map) = &mut all {
        map.insert("down_count".to_owned(), json!(state.down_count));
        map.insert("name".to_owned(), json!(watch_name(&state.watch)));
        map.insert("up".to_owned(), json!(state.up));
    }
    all
}

fn info_json(info: &TeamLacpInfo) -> Json {
    json!({
        "key": info.key,
        "port": info.port,
        "port_priority": info.port_priority,
        "state": info.state,
        "system": colons(&info.system),
        "system_priority": info.system_priority,
    })
}

fn lacp_json(port: &TeamLacpPort) -> Json {
    json!({
        "actor_lacpdu_info": info_json(&port.actor),
        "aggregator": {"id": port.aggregator, "selected": port.aggregator_selected},
        "key": port.actor.key,
        "partner_lacpdu_info": info_json(&port.partner),
        "prio": port.actor.port_priority,
        "selected": port.selected,
        "state": port.state,
    })
}

fn port_json(port: &TeamPortState) -> Json {
    let mut watches = Map::new();
    for (at, watch) in port.watches.iter().enumerate() {
        watches.insert(format!("link_watch_{at}"), watch_json(watch));
    }
    let mut all = json!({
        "ifinfo": {
            "dev_addr": colons(&port.mac),
            "dev_addr_len": 6,
            "ifindex": port.ifindex,
            "ifname": port.name,
        },
        "link": {"duplex": duplex(port), "speed": port.speed, "up": port.up},
        "link_watches": {"list": watches, "up": port.watched_up},
    });
    if let (Json::Object(map), Some(lacp)) = (&mut all, &port.lacp) {
        map.insert("runner".to_owned(), lacp_json(lacp));
    }
    all
}

/// What the daemon tells of itself.
pub(super) fn state_json(team: &Interface, state: &TeamState, daemon: &TeamDaemon) -> Json {
    let mac = colons(team.address());
    let ports: Map<String, Json> =
        state.ports.iter().map(|port| (port.name.clone(), port_json(port))).collect();
    let mut all = json!({
        "setup": {
            "daemonized": true,
            "dbus_enabled": false,
            "debug_level": daemon.debug_level,
            "kernel_team_mode_name": daemon.mode.name(),
            "pid": daemon.process_id,
            "pid_file": pid_file(daemon),
            "runner_name": daemon.runner_name(),
            "zmq_enabled": false,
        },
        "team_device": {
            "ifinfo": {"dev_addr": mac, "dev_addr_len": 6, "ifindex": team.index(), "ifname": team.name()},
        },
    });
    let runner = match (&daemon.lacp, daemon.mode) {
        (Some(lacp), _) => Some(json!({
            "active": lacp.active,
            "fast_rate": lacp.fast_rate,
            "select_policy": lacp.policy.name(),
            "sys_prio": lacp.system_priority,
        })),
        (None, TeamMode::ActiveBackup) => Some(json!({"active_port": active(state)})),
        _ => None,
    };
    if let Json::Object(map) = &mut all {
        if !ports.is_empty() {
            map.insert("ports".to_owned(), Json::Object(ports));
        }
        if let Some(runner) = runner {
            map.insert("runner".to_owned(), runner);
        }
    }
    all
}

/// Shows a state.
pub(super) struct View<'a> {
    pub shell: &'a mut dyn Shell,
    pub verbose: bool,
}

impl View<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.shell.out(), "{:1$}{text}", "", 2 * depth);
    }

    /// Only with `-v`.
    fn detail(&mut self, depth: usize, text: &str) {
        if self.verbose {
            self.line(depth, text);
        }
    }

    /// `stateview_json_process`
    pub(super) fn show(&mut self, state: &TeamState, daemon: &TeamDaemon) {
        self.line(0, "setup:");
        self.line(1, &format!("runner: {}", daemon.runner_name()));
        for text in [
            format!("kernel team mode: {}", daemon.mode.name()),
            "D-BUS enabled: no".to_owned(),
            "ZeroMQ enabled: no".to_owned(),
            format!("debug level: {}", daemon.debug_level),
            "daemonized: yes".to_owned(),
            format!("PID: {}", daemon.process_id),
            format!("PID file: {}", pid_file(daemon)),
        ] {
            self.detail(1, &text);
        }
        if !state.ports.is_empty() {
            self.line(0, "ports:");
        }
        let mut ports: Vec<&TeamPortState> = state.ports.iter().collect();
        ports.sort_by(|a, b| a.name.cmp(&b.name));
        for port in ports {
            self.port(port);
        }
        if let Some(lacp) = &daemon.lacp {
            self.line(0, "runner:");
            self.line(1, &format!("active: {}", yes_or_no(lacp.active)));
            self.line(1, &format!("fast rate: {}", yes_or_no(lacp.fast_rate)));
            self.detail(1, &format!("system priority: {}", lacp.system_priority));
        } else if daemon.mode == TeamMode::ActiveBackup {
            self.line(0, "runner:");
            self.line(1, &format!("active port: {}", active(state)));
        }
    }

    fn port(&mut self, port: &TeamPortState) {
        self.line(1, &port.name);
        self.detail(2, &format!("ifindex: {}", port.ifindex));
        self.detail(2, &format!("addr: {}", colons(&port.mac)));
        self.detail(
            2,
            &format!("ethtool link: {}mbit/{}duplex/{}", port.speed, duplex(port), up_or_down(port.up)),
        );
        self.line(2, "link watches:");
        self.line(3, &format!("link summary: {}", up_or_down(port.watched_up)));
        for (at, watch) in port.watches.iter().enumerate() {
            self.line(3, &format!("instance[link_watch_{at}]:"));
            self.line(4, &format!("name: {}", watch_name(&watch.watch)));
            self.line(4, &format!("link: {}", up_or_down(watch.up)));
            self.line(4, &format!("down count: {}", watch.down_count));
            self.watch(watch);
        }
        if let Some(lacp) = &port.lacp {
            self.lacp(lacp);
        }
    }

    fn watch(&mut self, state: &TeamWatchState) {
        match &state.watch {
            TeamWatch::Ethtool { delay_up, delay_down } => {
                self.detail(4, &format!("link up delay: {delay_up}"));
                self.detail(4, &format!("link down delay: {delay_down}"));
            }
            TeamWatch::ArpPing(ping) => {
                for text in [
                    format!("source host: {}", ping.source),
                    format!("target host: {}", ping.target),
                    format!("interval: {}", ping.interval),
                    format!("missed packets: {}/{}", state.missed, ping.missed_max),
                    format!("validate_active: {}", yes_or_no(ping.validate_active)),
                    format!("validate_inactive: {}", yes_or_no(ping.validate_inactive)),
                    format!("send_always: {}", yes_or_no(ping.send_always)),
                    format!("initial wait: {}", ping.init_wait),
                ] {
                    self.detail(4, &text);
                }
            }
        }
    }

    fn lacp(&mut self, port: &TeamLacpPort) {
        self.line(2, "runner:");
        let selected = if port.aggregator_selected { ", Selected" } else { "" };
        self.line(3, &format!("aggregator ID: {}{selected}", port.aggregator));
        self.line(3, &format!("selected: {}", yes_or_no(port.selected)));
        self.line(3, &format!("state: {}", port.state));
        self.detail(3, &format!("key: {}", port.actor.key));
        self.detail(3, &format!("priority: {}", port.actor.port_priority));
        for (name, info) in [("actor", &port.actor), ("partner", &port.partner)] {
            self.detail(3, &format!("{name} LACPDU info:"));
            for text in [
                format!("system priority: {}", info.system_priority),
                format!("system: {}", colons(&info.system)),
                format!("key: {}", info.key),
                format!("port_priority: {}", info.port_priority),
                format!("port: {}", info.port),
                format!("state: 0x{:x}", info.state),
            ] {
                self.detail(4, &text);
            }
        }
    }
}
