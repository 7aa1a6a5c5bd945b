//! `docker network ls`

use super::super::engine::{Docker, Failure, Outcome};
use super::super::flags::{Flag, Operands, Parsed, Syntax, switch, value};
use super::super::model::{Network, State, short};
use super::super::table::Listing;
use super::super::value::Value;
use super::super::{Command, filter, time};

const FLAGS: &[Flag] = &[
    value("filter", 'f', "filter", "Provide filter values (e.g. \"driver=bridge\")"),
    value(
        "format",
        ' ',
        "string",
        "Format output using a custom template: 'table', 'table TEMPLATE', 'json' or 'TEMPLATE'",
    ),
    switch("no-trunc", ' ', "Do not truncate the output"),
    switch("quiet", 'q', "Only display network IDs"),
];

pub(super) const COMMAND: Command = Command {
    names: &["ls", "list"],
    syntax: Syntax {
        path: "docker network ls",
        usage: "[OPTIONS]",
        short: "List networks",
        flags: &[FLAGS],
        operands: Operands::None,
        interspersed: true,
    },
    run,
};

const TITLES: &[(&str, &str)] = &[
    ("ID", "NETWORK ID"),
    ("Name", "NAME"),
    ("Driver", "DRIVER"),
    ("Scope", "SCOPE"),
    ("IPv4", "IPV4"),
    ("IPv6", "IPV6"),
    ("Internal", "INTERNAL"),
    ("Labels", "LABELS"),
    ("CreatedAt", "CREATED AT"),
];

fn run(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    let state = docker.state()?;
    let filters =
        filter::parse(parsed.all("filter"), &["dangling", "driver", "id", "label", "name", "scope", "type"])
            .map_err(|error| Failure { text: error, code: 1 })?;
    let mut networks: Vec<&Network> =
        state.networks.iter().filter(|network| is_wanted(&state, network, &filters)).collect();
    networks.sort_by(|a, b| filter::natural(&a.name, &b.name));
    let trunc = !parsed.is_on("no-trunc");
    let items: Vec<Value> = networks.into_iter().map(|network| listed(network, trunc)).collect();
    let listing = Listing {
        format: parsed.text("format"),
        quiet: parsed.is_on("quiet"),
        table: "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
        raw: "network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n",
        kind: "*network.networkContext",
        titles: TITLES,
    };
    let text = listing.write(&items).map_err(Failure::of_client)?;
    docker.print(&text);
    Ok(0)
}

fn is_wanted(state: &State, network: &Network, filters: &filter::Filters) -> bool {
    let dangling = !network.is_predefined() && state.endpoints(&network.id).next().is_none();
    let kind = if network.is_predefined() { "builtin" } else { "custom" };
    filters.any("driver", |wanted| wanted == network.driver.name())
        && filters.any("id", |wanted| network.id.contains(wanted))
        && filters.any("name", |wanted| network.name.contains(wanted))
        && filters.any("scope", |wanted| wanted == "local")
        && filters.any("type", |wanted| wanted == kind)
        && filters.any("dangling", |wanted| matches!(wanted, "true" | "1") == dangling)
        && filters.all("label", |wanted| filter::has_label(&network.labels, wanted))
}

fn listed(network: &Network, trunc: bool) -> Value {
    let id = if trunc { short(&network.id) } else { &network.id };
    let labels: Vec<String> = network.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    Value::fields([
        ("CreatedAt", time::go_string(network.created_ns).into()),
        ("Driver", network.driver.name().into()),
        ("ID", id.into()),
        ("IPv4", network.ipv4.to_string().into()),
        ("IPv6", network.ipv6.to_string().into()),
        ("Internal", network.internal.to_string().into()),
        ("\0Label", Value::texts(&network.labels)),
        ("Labels", labels.join(",").into()),
        ("Name", network.name.as_str().into()),
        ("Scope", "local".into()),
    ])
}
