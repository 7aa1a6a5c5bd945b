//! From a file's name to a [`World`]: reading the file and what it extends, and merging them.

use std::io;
use std::sync::Arc;

use crate::builtin;
use crate::error::{Error, Errors};
use crate::model::World;
use crate::node::{Data, Node, Place, merge};
use crate::{read, suggest, yaml};

/// Gives the text of the file with this path.
pub type Loader<'a> = dyn FnMut(&str) -> io::Result<String> + 'a;

/// The longest chain of `extends`.
const MAX_EXTENDS: usize = 16;

/// A world as a user names one: a built-in world's name, or a file's path.
///
/// # Errors
/// There is neither, or the file is no world.
pub fn open(world: &str, loader: &mut Loader<'_>) -> Result<World, Errors> {
    match builtin::text(world) {
        Some(text) => parse(world, text),
        None => load(world, loader),
    }
}

/// The world in a file, whose path may lack its `.yaml`.
///
/// # Errors
/// The file, or one it extends, cannot be read or is no world.
pub fn load(path: &str, loader: &mut Loader<'_>) -> Result<World, Errors> {
    let longer = format!("{path}.yaml");
    let (path, text) = match loader(path) {
        Ok(text) => (path, text),
        Err(error) => match (error.kind() == io::ErrorKind::NotFound).then(|| loader(&longer)) {
            Some(Ok(text)) => (longer.as_str(), text),
            _ => return Err(unreadable(path, &error)),
        },
    };
    let mut files = Files { loader, chain: vec![normal(path)] };
    let root = files.resolve(path, &text)?;
    read::world(world_name(path), &root)
}

/// The world in a text that is not a file. It can extend only built-in worlds.
///
/// # Errors
/// The text is no world.
pub fn parse(name: &str, text: &str) -> Result<World, Errors> {
    let mut no_files = |_: &str| Err(io::Error::from(io::ErrorKind::NotFound));
    let mut files = Files { loader: &mut no_files, chain: Vec::new() };
    let root = files.resolve(name, text)?;
    read::world(world_name(name), &root)
}

struct Files<'a, 'b> {
    loader: &'a mut Loader<'b>,
    /// The files being read, each extended by the one before it.
    chain: Vec<String>,
}

impl Files<'_, '_> {
    /// The tree of a file laid over the tree of what it extends.
    fn resolve(&mut self, path: &str, text: &str) -> Result<Node, Errors> {
        let file: Arc<str> = Arc::from(path);
        let mut root = yaml::read(&file, text).map_err(Errors::new)?;
        let Data::Map(entries) = &mut root.data else {
            let help = "it begins with `hosts:` or `extends:`";
            return Err(root.place.error_with(format!("a world is a map, not {}", root.kind()), help).into());
        };
        let Some(index) = entries.iter().position(|entry| entry.key == "extends") else { return Ok(root) };
        let extends = entries.remove(index).value;
        if extends.is_null() {
            return Ok(root);
        }
        let Data::Scalar { text: name, .. } = &extends.data else {
            let message = format!("`extends` names one file, not {}", extends.kind());
            return Err(extends.place.error_with(message, "`extends: NAME`").into());
        };
        let base = self.base(path, name, &extends.place)?;
        Ok(merge(base, root))
    }

    /// The tree of the file that `path` extends.
    fn base(&mut self, path: &str, name: &str, place: &Place) -> Result<Node, Errors> {
        if self.chain.len() > MAX_EXTENDS {
            return Err(place.error(format!("a chain of more than {MAX_EXTENDS} `extends`")).into());
        }
        let candidates = candidates(path, name);
        for candidate in &candidates {
            let normal = normal(candidate);
            if self.chain.contains(&normal) {
                let message = match self.chain.last() {
                    Some(last) if *last == normal => format!("`{name}` is this file itself"),
                    _ => format!("these files extend each other: {}", self.cycle(&normal)),
                };
                return Err(place.error_with(message, "let one of them stand alone").into());
            }
            match (self.loader)(candidate) {
                Ok(text) => {
                    self.chain.push(normal);
                    let node = self.resolve(candidate, &text);
                    self.chain.pop();
                    return node;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(place.error(format!("cannot read {candidate}: {}", plain(&error))).into());
                }
            }
        }
        if let Some(text) = builtin::text(name) {
            self.chain.push(name.to_owned());
            let node = self.resolve(name, text);
            self.chain.pop();
            return node;
        }
        let message = format!("there is no file {} to extend", candidates.join(" or "));
        let help = match suggest::nearest(name, builtin::names()) {
            Some(near) => format!("did you mean the built-in world `{near}`?"),
            None => "the name is relative to this file's directory, with or without .yaml".to_owned(),
        };
        Err(place.error_with(message, help).into())
    }

    /// The files from `first` on, as they extend each other.
    fn cycle(&self, first: &str) -> String {
        let from = self.chain.iter().position(|file| file == first).unwrap_or(0);
        self.chain.get(from..).unwrap_or_default().join(", ")
    }
}

/// The paths that `extends: name` in the file `path` can mean.
fn candidates(path: &str, name: &str) -> Vec<String> {
    let full = match path.rsplit_once('/') {
        Some((directory, _)) if !name.starts_with('/') => format!("{directory}/{name}"),
        _ => name.to_owned(),
    };
    if is_yaml(name) { vec![full] } else { vec![format!("{full}.yaml"), full] }
}

/// The path without `.` and `..`, to tell whether two paths mean the same file.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            "" if !parts.is_empty() => {}
            ".." if parts.last().is_some_and(|last| !last.is_empty() && *last != "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

fn world_name(path: &str) -> &str {
    let file = path.rsplit_once('/').map_or(path, |(_, file)| file);
    match file.strip_suffix(".yaml").or_else(|| file.strip_suffix(".yml")) {
        Some(stem) if !stem.is_empty() => stem,
        _ => file,
    }
}

fn is_yaml(name: &str) -> bool {
    name.ends_with(".yaml") || name.ends_with(".yml")
}

fn unreadable(path: &str, error: &io::Error) -> Errors {
    let help = (!path.contains('/') && !is_yaml(path))
        .then(|| suggest::help(path, "built-in worlds", builtin::names()));
    Error { file: Arc::from(path), position: None, message: format!("cannot read: {}", plain(error)), help }
        .into()
}

/// An error's words without its number.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error").map_or(text.as_str(), |(words, _)| words).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        assert_eq!(candidates("w/a.yaml", "b"), ["w/b.yaml", "w/b"]);
        assert_eq!(candidates("a.yaml", "b.yml"), ["b.yml"]);
        assert_eq!(candidates("w/a.yaml", "/x/b.yaml"), ["/x/b.yaml"]);
        assert_eq!(normal("./w//x/../a.yaml"), "w/a.yaml");
        assert_eq!(normal("../../a"), "../../a");
        assert_eq!(normal("/a/./b"), "/a/b");
        assert_eq!(normal("/../a"), "/../a");
        assert_eq!(world_name("worlds/office.yaml"), "office");
        assert_eq!(world_name(".yaml"), ".yaml");
    }
}
