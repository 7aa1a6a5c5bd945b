//! `docker ps`

use super::super::engine::{Docker, Failure, Outcome};
use super::super::flags::{Flag, Operands, Parsed, Syntax, switch, value};
use super::super::model::{Container, State, Status};
use super::super::table::Listing;
use super::super::value::Value;
use super::super::{Command, filter, time};
use super::port::shown_addresses;

const FLAGS: &[Flag] = &[
    switch("all", 'a', "Show all containers (default shows just running)"),
    value("filter", 'f', "filter", "Filter output based on conditions provided"),
    value(
        "format",
        ' ',
        "string",
        "Format output using a custom template: 'table', 'table TEMPLATE', 'json' or 'TEMPLATE'",
    ),
    value("last", 'n', "int", "Show n last created containers (includes all states) (default -1)"),
    switch("latest", 'l', "Show the latest created container (includes all states)"),
    switch("no-trunc", ' ', "Don't truncate output"),
    switch("quiet", 'q', "Only display container IDs"),
    switch("size", 's', "Display total file sizes"),
];

pub(super) const COMMAND: Command = Command {
    names: &["ps", "ls", "list"],
    syntax: Syntax {
        path: "docker ps",
        usage: "[OPTIONS]",
        short: "List containers",
        flags: &[FLAGS],
        operands: Operands::None,
        interspersed: true,
    },
    run,
};

const TITLES: &[(&str, &str)] = &[
    ("ID", "CONTAINER ID"),
    ("Names", "NAMES"),
    ("Image", "IMAGE"),
    ("Command", "COMMAND"),
    ("CreatedAt", "CREATED AT"),
    ("RunningFor", "CREATED"),
    ("Ports", "PORTS"),
    ("State", "STATE"),
    ("Status", "STATUS"),
    ("Size", "SIZE"),
    ("Labels", "LABELS"),
    ("Mounts", "MOUNTS"),
    ("LocalVolumes", "LOCAL VOLUMES"),
    ("Networks", "NETWORKS"),
];

const FILTERS: &[&str] =
    &["ancestor", "exited", "expose", "id", "label", "name", "network", "publish", "status"];

fn run(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    let state = docker.state()?;
    let now = docker.now();
    let filters = filter::parse(parsed.all("filter"), FILTERS).map_err(Failure::of_client)?;
    let last: Option<usize> = match parsed.is_on("latest") {
        true => Some(1),
        false => parsed.text("last").parse().ok(),
    };
    let all = parsed.is_on("all") || last.is_some() || filters.has("status") || filters.has("exited");
    let mut containers: Vec<&Container> = state.containers.iter().collect();
    containers.sort_by_key(|container| std::cmp::Reverse(container.created_ns));
    containers.truncate(last.unwrap_or(usize::MAX));
    containers.retain(|container| (all || container.is_running()) && is_wanted(&state, container, &filters));
    let trunc = !parsed.is_on("no-trunc");
    let items: Vec<Value> = containers.into_iter().map(|one| listed(&state, one, now, trunc)).collect();
    let listing = Listing {
        format: parsed.text("format"),
        quiet: parsed.is_on("quiet"),
        table: "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}",
        raw: "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\nstate: \
              {{- pad .State 1 0}}\nstatus: {{- pad .Status 1 0}}\nnames: {{.Names}}\nlabels: {{- pad .Labels 1 \
              0}}\nports: {{- pad .Ports 1 0}}\n",
        kind: "*formatter.ContainerContext",
        titles: TITLES,
    };
    let text = listing.write(&items).map_err(Failure::of_client)?;
    docker.print(&text);
    Ok(0)
}

fn is_wanted(state: &State, container: &Container, filters: &filter::Filters) -> bool {
    let in_network = |wanted: &str| {
        container.endpoints.iter().any(|endpoint| {
            endpoint.network == wanted
                || state.network_by_id(&endpoint.network).is_some_and(|network| {
                    network.name == wanted || !wanted.is_empty() && network.id.starts_with(wanted)
                })
        })
    };
    filters.any("id", |wanted| container.id.starts_with(wanted))
        && filters.any("name", |wanted| container.name.contains(wanted.trim_matches(['/', '^', '$'])))
        && filters.any("status", |wanted| wanted == container.state())
        && filters.any("network", in_network)
        && filters.any("ancestor", |wanted| container.image.split(':').next() == wanted.split(':').next())
        && filters.any("exited", |wanted| {
            container.status == Status::Exited && wanted == container.exit_code.to_string()
        })
        && filters.any("publish", |wanted| {
            let ports = super::super::sandbox::published(container);
            ports.into_iter().any(|(port, public)| is_port(wanted, public, &port.protocol))
        })
        && filters.any("expose", |wanted| {
            container.exposed.iter().any(|(port, protocol)| is_port(wanted, *port, protocol))
        })
        && filters.all("label", |wanted| filter::has_label(&container.labels, wanted))
}

fn is_port(wanted: &str, port: u16, protocol: &str) -> bool {
    let (number, kind) = wanted.split_once('/').unwrap_or((wanted, "tcp"));
    number == port.to_string() && kind == protocol
}

fn listed(state: &State, container: &Container, now: u64, trunc: bool) -> Value {
    let id = if trunc { container.short_id() } else { &container.id };
    let command = container.command.join(" ");
    let command = match trunc && command.chars().count() > 20 {
        true => command.chars().take(19).chain(['…']).collect(),
        false => command,
    };
    let labels: Vec<String> = container.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let networks: Vec<&str> = container
        .endpoints
        .iter()
        .map(|place| {
            state.network_by_id(&place.network).map_or(place.network.as_str(), |network| &network.name)
        })
        .collect();
    Value::fields([
        ("Command", format!("{command:?}").into()),
        ("CreatedAt", time::go_string(container.created_ns / 1_000_000_000 * 1_000_000_000).into()),
        ("ID", id.into()),
        ("Image", container.image.as_str().into()),
        ("\0Label", Value::texts(&container.labels)),
        ("Labels", labels.join(",").into()),
        ("LocalVolumes", "0".into()),
        ("Mounts", "".into()),
        ("Names", container.name.as_str().into()),
        ("Networks", networks.join(",").into()),
        ("Ports", ports(container).into()),
        ("RunningFor", format!("{} ago", time::human(now.saturating_sub(container.created_ns))).into()),
        ("Size", "0B".into()),
        ("State", container.state().into()),
        ("Status", status(container, now).into()),
    ])
}

fn status(container: &Container, now: u64) -> String {
    let ago = |then: u64| time::human(now.saturating_sub(then));
    match container.status {
        Status::Created => "Created".to_owned(),
        Status::Running => format!("Up {}", ago(container.started_ns)),
        Status::Exited => format!("Exited ({}) {} ago", container.exit_code, ago(container.finished_ns)),
    }
}

/// `DisplayablePorts`: ports in their order; those that are published on another number come behind the others, and
/// neighbours become ranges.
fn ports(container: &Container) -> String {
    if !container.is_running() {
        return String::new();
    }
    let mut all: Vec<(u16, String, u16, &str)> = Vec::new();
    for (port, public) in super::super::sandbox::published(container) {
        for ip in shown_addresses(&port.host_ip) {
            all.push((port.private, ip, public, &port.protocol));
        }
    }
    for (port, protocol) in &container.exposed {
        if !all.iter().any(|(private, _, _, kind)| private == port && kind == protocol) {
            all.push((*port, String::new(), 0, protocol));
        }
    }
    all.sort();
    let (mut groups, mut others): (Vec<(String, u16, u16)>, Vec<String>) = (Vec::new(), Vec::new());
    for (private, ip, public, protocol) in all {
        if !ip.is_empty() && public != private {
            others.push(format!("{ip}:{public}->{private}/{protocol}"));
            continue;
        }
        let key = format!("{ip}/{protocol}");
        match groups.iter_mut().rev().find(|(known, _, _)| *known == key) {
            Some((_, _, last)) if private == *last + 1 => *last = private,
            _ => groups.push((key, private, private)),
        }
    }
    let shown = groups.into_iter().map(|(key, first, last)| {
        let (ip, protocol) = key.split_once('/').unwrap_or(("", &key));
        let range = if first == last { first.to_string() } else { format!("{first}-{last}") };
        match ip {
            "" => format!("{range}/{protocol}"),
            ip => format!("{ip}:{range}->{range}/{protocol}"),
        }
    });
    shown.chain(others).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::publish;
    use super::*;
    use crate::docker::model::Bound;

    #[test]
    fn ports_are_grouped() {
        let mut container: Container = serde_json::from_str(
            r#"{"id":"","name":"","image":"","command":[],"has_own_command":false,"main":null,"programs":[],"created_ns":0,"started_ns":0,"finished_ns":0,
                "status":"Running","exit_code":0,"error":"","hostname":"","tty":false,"stdin":false,
                "auto_remove":false,"privileged":false,"environment":[],"labels":{},"extra_hosts":[],
                "dns":{"servers":[],"search":[],"options":[]},"resolver":null,"sysctls":{},
                "network_mode":"","shares_with":null,"sandbox":"","process":0,"endpoints":[],"ports":[],
                "exposed":[[9000,"tcp"]],"publish_all":false}"#,
        )
        .expect("a container");
        for text in ["8080:80", "90-91:90-91", "127.0.0.1:53:53/udp"] {
            container.ports.extend(publish::parse(text).expect("ports"));
        }
        for port in &mut container.ports {
            let address = [172, 17, 0, 2].into();
            port.bound = Some(Bound {
                public: port.host_first,
                address,
                address6: None,
                link: "docker0".to_owned(),
                proxies: Vec::new(),
            });
        }
        let text = "127.0.0.1:53->53/udp, 0.0.0.0:90-91->90-91/tcp, [::]:90-91->90-91/tcp, 9000/tcp, \
                    0.0.0.0:8080->80/tcp, [::]:8080->80/tcp";
        assert_eq!(ports(&container), text);
    }
}
