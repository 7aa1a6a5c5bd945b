//! An image is a name: what of it matters is which commands its programs are, and what it runs by itself.

use super::super::model::Container;

/// The name without registry, tag and digest: `nginx` of `docker.io/library/nginx:1.27`.
fn base(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image).rsplit('/').next().unwrap_or(image);
    name.split(':').next().unwrap_or(name)
}

/// What a container of the image runs where the user says nothing.
pub(super) fn default_command(image: &str) -> Vec<String> {
    let words: &[&str] = match base(image) {
        "alpine" => &["/bin/sh"],
        "debian" | "fedora" | "centos" | "rockylinux" | "netshoot" => &["bash"],
        "ubuntu" => &["/bin/bash"],
        "nginx" => &["/docker-entrypoint.sh", "nginx", "-g", "daemon off;"],
        "httpd" => &["httpd-foreground"],
        "redis" => &["docker-entrypoint.sh", "redis-server"],
        "hello-world" => &["/hello"],
        _ => &["sh"],
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Whose programs `ping` and its like are in the image: `busybox`, or nothing for those of iputils and iproute2.
pub(super) fn userland(image: &str) -> Option<&'static str> {
    matches!(base(image), "busybox" | "alpine").then_some("busybox")
}

/// What becomes of a container's own command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Main {
    /// It runs for as long as the container does and nothing is to be seen of it: no process is needed.
    Stays,
    /// It finds no input, and ends.
    EndsAtOnce,
    Runs,
}

/// A shell without a command waits at its prompt, if it has an input; what an image runs by itself is a service.
pub(super) fn main(container: &Container, in_background: bool) -> Main {
    let words: Vec<&str> = container.command.iter().map(String::as_str).collect();
    let is_shell = |word: &str| {
        let name = word.rsplit('/').next().unwrap_or(word);
        matches!(name, "sh" | "ash" | "bash" | "dash" | "zsh")
    };
    match words.as_slice() {
        [shell] | [shell, "-i" | "-l"] if is_shell(shell) && !container.stdin && !container.tty => {
            Main::EndsAtOnce
        }
        _ if !in_background => Main::Runs,
        [shell] | [shell, "-i" | "-l"] if is_shell(shell) => Main::Stays,
        ["sleep", "infinity" | "inf"] | ["tail", "-f", "/dev/null"] => Main::Stays,
        _ if !container.has_own_command => Main::Stays,
        _ => Main::Runs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_from_references() {
        for (image, name) in [
            ("busybox", "busybox"),
            ("docker.io/library/nginx:1.27", "nginx"),
            ("localhost:5000/a/b:c", "b"),
            ("alpine@sha256:0123", "alpine"),
        ] {
            assert_eq!(base(image), name);
        }
        assert_eq!(userland("alpine:3.20"), Some("busybox"));
        assert_eq!(userland("nicolaka/netshoot"), None);
    }
}
