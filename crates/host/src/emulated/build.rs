//! A world from its file: the steps of its plan, one after the other.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use hairpin_kernel::control::advertise::Advertisement;
use hairpin_kernel::route::Prefix;
use hairpin_kernel::task::LocalSystem;
use hairpin_kernel::{Mac, SegmentKind, World};
use hairpin_lab::{DnsName, LearnsFromIp, NicKind, Plan, Step};
use hairpin_netlink::Errno;
use hairpin_tools::quiet::{self, QuietShell};
use hairpin_wire::dns::response;
use hairpin_wire::zone::Zone;

/// A world that is built, and the files its hosts have.
pub struct Built {
    pub world: World,
    pub files: BTreeMap<String, Vec<(String, Vec<u8>)>>,
}

/// The seed of a world's random numbers: the same world draws the same MACs.
const SEED: u64 = 1;
/// How long the internet's names may be kept.
const DNS_TTL_S: u32 = 300;
/// How long advertised prefixes are good for, as radvd says where it is not told: at all, and as preferred ones.
const VALID_S: u32 = 86_400;
const PREFERRED_S: u32 = 14_400;
/// How long a world has stood when its first program starts: its addresses are found to be nobody else's by then.
const SETTLED: Duration = Duration::from_secs(3);

/// Builds the world called `name`: a built-in one, or a file. What cannot be built yet is named on standard
/// error and left out.
pub fn build(name: &str) -> Result<Built, String> {
    let mut loader = |path: &str| std::fs::read_to_string(path);
    let world = hairpin_lab::open(name, &mut loader).map_err(|errors| errors.to_string())?;
    let mut builder = Builder {
        world: World::new(SEED),
        segments: BTreeMap::new(),
        learning: Vec::new(),
        files: BTreeMap::new(),
    };
    if let Ok(now) = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
        builder.world.set_epoch(nanos(now.saturating_sub(SETTLED)));
    }
    builder.perform(&hairpin_lab::plan(&world))?;
    let settled = builder.world.now() + SETTLED;
    builder.world.advance_to(settled);
    Ok(Built { world: builder.world, files: builder.files })
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX / 2)
}

/// What a server of the internet knows.
fn zone(names: &[DnsName]) -> Zone {
    let mut zone = Zone::new(response::NAME_ERROR);
    (zone.ttl, zone.one_address) = (DNS_TTL_S, true);
    for name in names {
        // The addresses are the alias's.
        let owner = name.cname.as_ref().unwrap_or(&name.name);
        let entry = zone.entry(owner);
        entry.a.extend(&name.a);
        entry.aaaa.extend(&name.aaaa);
        let entry = zone.entry(&name.name);
        entry.alias.clone_from(&name.cname);
        entry.ptr.extend(name.ptr.clone());
    }
    zone
}

struct Builder {
    world: World,
    segments: BTreeMap<String, usize>,
    learning: Vec<(usize, LearnsFromIp)>,
    files: BTreeMap<String, Vec<(String, Vec<u8>)>>,
}

impl Builder {
    fn perform(&mut self, plan: &Plan) -> Result<(), String> {
        for step in &plan.steps {
            self.step(step)?;
        }
        // Routers that learn from packets need their cards first.
        for (segment, learns) in std::mem::take(&mut self.learning) {
            let prefix = Prefix::of(learns.prefix, learns.prefix_len);
            let host = self.host(&learns.host)?;
            self.world
                .learn_neighbours_from_ip(segment, host, &learns.dev, prefix)
                .map_err(|errno| format!("{}: card '{}': {errno}", learns.host, learns.dev))?;
        }
        Ok(())
    }

    fn host(&self, name: &str) -> Result<usize, String> {
        self.world.host_named(name).ok_or_else(|| format!("there is no host '{name}'"))
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Segment { name, kind, pad, trunk, gateway_learns_from_ip } => {
                let kind = match kind {
                    hairpin_lab::SegmentKind::Switch => SegmentKind::Switch,
                    hairpin_lab::SegmentKind::Hub => SegmentKind::Hub,
                    hairpin_lab::SegmentKind::Cable => SegmentKind::Cable,
                };
                let number = self.world.add_segment(name, kind, usize::from(pad.unwrap_or(0)));
                if let Some(vlans) = trunk {
                    self.world.set_trunk(number, vlans.clone());
                }
                self.learning.extend(gateway_learns_from_ip.clone().map(|learns| (number, learns)));
                self.segments.insert(name.clone(), number);
                Ok(())
            }
            Step::Host { name } => {
                self.world.add_host(name).map(|_| ()).map_err(|errno| format!("host '{name}': {errno}"))
            }
            Step::Nic { host, name, kind: NicKind::Infiniband, mac, .. } => {
                let number = self.host(host)?;
                self.world
                    .add_infiniband_card(number, name, Mac(*mac))
                    .map_err(|errno| format!("{host}: card '{name}': {errno}"))
            }
            Step::Nic { host, name, mac, segment, .. } => {
                let number = self.host(host)?;
                let segment = segment.as_ref().and_then(|segment| self.segments.get(segment)).copied();
                self.world
                    .add_card(number, name, Some(Mac(*mac)), segment)
                    .map_err(|errno| format!("{host}: card '{name}': {errno}"))
            }
            Step::Command { host, argv } => self.command(host, argv),
            Step::ReplyTtl { host, ip, ttl } => {
                if let IpAddr::V4(ip) = ip {
                    let number = self.host(host)?;
                    self.world.set_answer_ttl(number, *ip, *ttl);
                }
                Ok(())
            }
            Step::File { host, path, text } => {
                let mut content = text.clone();
                if !content.ends_with('\n') {
                    content.push('\n');
                }
                self.files.entry(host.clone()).or_default().push((path.clone(), content.into_bytes()));
                Ok(())
            }
            Step::Shell { host, line } => Err(format!(
                "{host}: setup '{line}' needs a shell, which a world cannot have while it is built: write it as \
                 plain commands, or put it into the script"
            )),
            Step::Dns { host, servers, names } => {
                let number = self.host(host)?;
                for server in servers {
                    self.world
                        .serve_dns(number, *server, zone(names))
                        .map_err(|errno| format!("{host}: dns server {server}: {errno}"))?;
                }
                Ok(())
            }
            Step::Advertise { host, advertised } => {
                let number = self.host(host)?;
                let told = Advertisement {
                    prefixes: advertised.prefixes.clone(),
                    lifetime: advertised.lifetime,
                    valid: VALID_S,
                    preferred: PREFERRED_S,
                    mtu: advertised.mtu,
                };
                self.world
                    .advertise(number, &advertised.dev, told)
                    .map_err(|errno| format!("{host}: ra on {}: {errno}", advertised.dev))
            }
        }
    }

    /// Runs one of our own commands on a host.
    fn command(&mut self, host: &str, argv: &[String]) -> Result<(), String> {
        let task = self.world.open_task(host, None);
        let task = task.map_err(|errno: Errno| format!("{host}: {errno}"))?;
        let mut shell = QuietShell::default();
        let code = quiet::run(&mut LocalSystem { world: &mut self.world, task }, &mut shell, argv);
        self.world.close_task(task);
        if code == 0 {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&shell.err);
        Err(format!("{host}: '{}' failed: {}", argv.join(" "), said.trim()))
    }
}
