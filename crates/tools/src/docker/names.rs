//! Names of containers: each has a hosts file that knows itself; the others of its user-defined networks are known to its
//! name server (`resolver`).

use super::engine::Docker;
use super::model::{Container, Endpoint};

const HEAD: &str = "\
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
";

/// Writes the files of every running container. Where there is no session there are no files.
///
/// # Errors
/// The state cannot be read.
pub(super) fn write(docker: &mut Docker<'_>) -> Result<(), String> {
    let state = docker.state().map_err(|failure| failure.text)?;
    let own = |container: &&Container| container.is_running() && container.shares_with.is_none();
    for container in state.containers.iter().filter(own) {
        let Some(directory) = directory(container) else { continue };
        let _ = docker.write_file(&format!("{directory}/hosts"), &hosts(container));
        let _ = docker.write_file(&format!("{directory}/hostname"), &format!("{}\n", container.hostname));
    }
    Ok(())
}

/// Where the files of a container's namespace are; nowhere for one in the host's.
pub(super) fn directory(container: &Container) -> Option<String> {
    let name = container.sandbox.strip_prefix("/var/run/docker/netns/")?;
    Some(format!("/etc/netns/{name}"))
}

fn hosts(container: &Container) -> String {
    let mut text = HEAD.to_owned();
    for extra in &container.extra_hosts {
        if let Some((name, address)) = extra.split_once(':') {
            text.push_str(&format!("{address}\t{name}\n"));
        }
    }
    let addresses = container.endpoints.iter().flat_map(|endpoint| [endpoint.ipv4, endpoint.ipv6]).flatten();
    for address in addresses {
        text.push_str(&format!("{address}\t{}\n", container.hostname));
    }
    text
}

/// The names by which a container is known in a user-defined network (`buildEndpointDNSNames`).
pub(super) fn names(container: &Container, endpoint: &Endpoint) -> Vec<String> {
    let mut names = vec![container.name.clone()];
    for name in endpoint.aliases.iter().map(String::as_str).chain([container.short_id(), &container.hostname])
    {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}
