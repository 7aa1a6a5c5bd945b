//! Wildcards in the keys of configuration files: `*`, `?` and `[...]` within one directory's names.

use hairpin_netlink::System;

pub(super) fn has_wildcards(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// The existing paths that match, sorted.
pub(super) fn expand(system: &mut dyn System, pattern: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let mut deeper = Vec::new();
        for directory in found {
            let names = system.list_directory(&format!("{directory}/")).unwrap_or_default();
            if has_wildcards(part) {
                let matching = names.iter().filter(|name| matches(name, part));
                deeper.extend(matching.map(|name| format!("{directory}/{name}")));
            } else {
                deeper.push(format!("{directory}/{part}"));
            }
        }
        found = deeper;
    }
    found.retain(|path| exists(system, path));
    found.sort();
    found
}

fn exists(system: &mut dyn System, path: &str) -> bool {
    !matches!(system.list_directory(path), Err(errno) if errno != hairpin_netlink::Errno::ENOTDIR)
}

/// `fnmatch` of one name; a leading dot matches only itself.
fn matches(name: &str, pattern: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let name: Vec<char> = name.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    // Where to go on after a mismatch: behind the last `*`, one character of the name further.
    let mut retry: Option<(usize, usize)> = None;
    let (mut n, mut p) = (0, 0);
    while let Some(c) = name.get(n) {
        let step = match pattern.get(p) {
            Some('*') => {
                retry = Some((n, p));
                p += 1;
                continue;
            }
            Some('?') => Some(1),
            Some('[') => bracket(&pattern, p, *c),
            Some('\\') if pattern.get(p + 1) == Some(c) => Some(2),
            Some(other) if other == c => Some(1),
            _ => None,
        };
        match (step, &mut retry) {
            (Some(length), _) => {
                n += 1;
                p += length;
            }
            (None, Some((at, star))) => {
                *at += 1;
                n = *at;
                p = *star + 1;
            }
            (None, None) => return false,
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

/// The length of the bracket expression at `start` if it takes `c`. One without end is a plain `[`.
fn bracket(pattern: &[char], start: usize, c: char) -> Option<usize> {
    let mut at = start + 1;
    let negated = matches!(pattern.get(at), Some('!' | '^'));
    at += usize::from(negated);
    let first = at;
    let mut taken = false;
    loop {
        match (pattern.get(at), pattern.get(at + 1), pattern.get(at + 2)) {
            (None, ..) => return (c == '[').then_some(1),
            (Some(']'), ..) if at > first => break,
            (Some(low), Some('-'), Some(high)) if *high != ']' => {
                taken |= (*low..=*high).contains(&c);
                at += 3;
            }
            (Some(one), ..) => {
                taken |= *one == c;
                at += 1;
            }
        }
    }
    (taken != negated).then_some(at + 1 - start)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn names_match_as_in_a_shell() {
        assert!(matches("eth0", "*"));
        assert!(matches("eth0", "eth?"));
        assert!(matches("eth0", "e*0"));
        assert!(matches("eth0", "[a-f]th[!1]"));
        assert!(matches("aXbXc", "*X*c"));
        assert!(!matches("eth0", "eth"));
        assert!(!matches("eth0", "eth[1-9]"));
        assert!(!matches(".eth0", "*"));
        assert!(matches("a[b", "a[b"));
    }
}
