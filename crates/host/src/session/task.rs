//! What a program says about where it is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `HOST`, `HOST:NETNS` or, for a namespace that an open connection keeps alive, `HOST:NETNS#TOKEN`.
/// An empty host is the only one of the world.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskName {
    pub host: String,
    pub netns: Option<String>,
    /// A holder of the namespace; where it is gone the name is looked up again.
    pub token: Option<u64>,
}

impl TaskName {
    pub fn parse(text: &str) -> TaskName {
        let (rest, token) = match text.rsplit_once('#') {
            Some((rest, token)) => match token.parse() {
                Ok(token) => (rest, Some(token)),
                Err(_) => (text, None),
            },
            None => (text, None),
        };
        let (host, netns) = match rest.split_once(':') {
            Some((host, "")) => (host, None),
            Some((host, netns)) => (host, Some(netns.to_owned())),
            None => (rest, None),
        };
        TaskName { host: host.to_owned(), netns, token }
    }
}

impl fmt::Display for TaskName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        if let Some(netns) = &self.netns {
            write!(f, ":{netns}")?;
        }
        if let Some(token) = self.token {
            write!(f, "#{token}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_the_round_trip() {
        for text in ["", "S3", "S3:blue", "S3:blue#17", ":blue", "S3#4"] {
            assert_eq!(TaskName::parse(text).to_string(), text);
        }
        assert_eq!(TaskName::parse("S3:"), TaskName { host: "S3".to_owned(), ..TaskName::default() });
        assert_eq!(TaskName::parse("a#b").host, "a#b");
    }
}
