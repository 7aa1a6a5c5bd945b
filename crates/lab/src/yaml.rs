//! YAML text to a tree of [`Node`]s, with bounds: a world file cannot exhaust memory or stack.
//!
//! Scalars stay text. YAML would read `10.0` as a number and `no` as false or as a word depending on its
//! version; here the key a value belongs to says what it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use granit_parser::{Event, Marker, Options, Parser, ScalarStyle, Tag};

use crate::error::{Error, Position};
use crate::node::{Data, Entry, Node, Place};
use crate::syntax_help;

/// The longest file, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// The most values, aliases counted with all they stand for.
const MAX_NODES: usize = 100_000;
/// The deepest nesting, aliases likewise. A world needs six levels.
const MAX_DEPTH: usize = 24;

/// Reads one document. All duplicate keys are reported; anything else ends the reading at once.
pub(crate) fn read(file: &Arc<str>, text: &str) -> Result<Node, Vec<Error>> {
    if text.len() > MAX_BYTES {
        let message = format!("the file is too long for a world: {} bytes, at most {MAX_BYTES}", text.len());
        return Err(vec![Error { file: file.clone(), position: None, message, help: None }]);
    }
    let mut builder = Builder {
        file,
        open: Vec::new(),
        anchors: BTreeMap::new(),
        nodes: 0,
        root: None,
        errors: Vec::new(),
    };
    let mut options = Options::default();
    options.flow_nesting_limit = MAX_DEPTH;
    options.block_nesting_limit = MAX_DEPTH;
    options.set_emit_comments(false);
    for item in Parser::new_from_str_with_options(text, options) {
        let step = match item {
            Ok((event, span)) => builder.event(event, span.tag_start().unwrap_or(span.start)),
            Err(error) => {
                let message = format!("not YAML: {}", error.kind());
                Err(builder.place(*error.marker()).error_with(message, syntax_help::help(error.kind())))
            }
        };
        if let Err(error) = step {
            builder.errors.push(error);
            return Err(builder.errors);
        }
    }
    if !builder.errors.is_empty() {
        return Err(builder.errors);
    }
    builder.root.ok_or_else(|| {
        let message = "the file is empty".to_owned();
        let help = Some("a world needs at least one host: `hosts: {box: }`".to_owned());
        vec![Error { file: file.clone(), position: None, message, help }]
    })
}

struct Builder<'a> {
    file: &'a Arc<str>,
    /// The collections begun and not yet ended, outermost first.
    open: Vec<Open>,
    anchors: BTreeMap<usize, Anchored>,
    nodes: usize,
    root: Option<Node>,
    errors: Vec<Error>,
}

struct Open {
    place: Place,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, seen: BTreeMap<String, Place>, key: Option<(String, Place)> },
}

struct Anchored {
    node: Node,
    size: usize,
    depth: usize,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, at: Marker) -> Result<(), Error> {
        let place = self.place(at);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                refuse_tag(&place, tag.as_deref())?;
                let data = Data::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                self.complete(Node { place, data }, anchor)
            }
            Event::Alias(id) => self.alias(&place, id),
            Event::SequenceStart(_, anchor, tag) => {
                refuse_tag(&place, tag.as_deref())?;
                self.begin(place, anchor, Content::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                refuse_tag(&place, tag.as_deref())?;
                let content = Content::Map { entries: Vec::new(), seen: BTreeMap::new(), key: None };
                self.begin(place, anchor, content)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open { place, anchor, content: Content::List(items) }) => {
                    self.complete(Node { place, data: Data::List(items) }, anchor)
                }
                Some(Open { place, anchor, content: Content::Map { entries, .. } }) => {
                    self.complete(Node { place, data: Data::Map(entries) }, anchor)
                }
                None => Err(place.error("not YAML: an end without a beginning")),
            },
            Event::DocumentStart(..) if self.root.is_some() => {
                Err(place.error_with("a second document", "one file holds one world: remove the `---`"))
            }
            _ => Ok(()),
        }
    }

    fn place(&self, at: Marker) -> Place {
        let position = Position { line: at.line(), column: at.col().saturating_add(1) };
        Place { file: self.file.clone(), position }
    }

    fn begin(&mut self, place: Place, anchor: usize, content: Content) -> Result<(), Error> {
        if let Some(Open { content: Content::Map { key: None, .. }, .. }) = self.open.last() {
            return Err(place.error("a key must be a single word or text, not a list or a map"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(place.error(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.open.push(Open { place, anchor, content });
        Ok(())
    }

    fn alias(&mut self, place: &Place, id: usize) -> Result<(), Error> {
        // Inside the anchored value itself the anchor is not known yet: that would be a value without end.
        let Some(anchored) = self.anchors.get(&id) else {
            return Err(place.error("an alias inside the value it stands for"));
        };
        if self.open.len().saturating_add(anchored.depth) > MAX_DEPTH {
            return Err(place.error(format!("with this alias nested deeper than {MAX_DEPTH} levels")));
        }
        self.nodes = self.nodes.saturating_add(anchored.size);
        if self.nodes > MAX_NODES {
            return Err(place.error(format!("more than {MAX_NODES} values with all aliases written out")));
        }
        let node = anchored.node.clone();
        self.insert(Node { place: place.clone(), data: node.data })
    }

    fn complete(&mut self, node: Node, anchor: usize) -> Result<(), Error> {
        self.nodes = self.nodes.saturating_add(1);
        if self.nodes > MAX_NODES {
            return Err(node.place.error(format!("more than {MAX_NODES} values")));
        }
        if anchor != 0 {
            let (size, depth) = node.extent();
            self.anchors.insert(anchor, Anchored { node: node.clone(), size, depth });
            self.nodes = self.nodes.saturating_add(size);
        }
        self.insert(node)
    }

    /// Puts a value where the innermost open collection wants it.
    fn insert(&mut self, node: Node) -> Result<(), Error> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        let (entries, seen, key) = match &mut open.content {
            Content::List(items) => {
                items.push(node);
                return Ok(());
            }
            Content::Map { entries, seen, key } => (entries, seen, key),
        };
        if let Some((name, place)) = key.take() {
            match seen.get(&name) {
                Some(first) => {
                    let line = first.position.line;
                    let message = format!("`{name}` appears twice here, first in line {line}");
                    self.errors.push(place.error_with(message, "merge the two, or rename one"));
                }
                None => {
                    seen.insert(name.clone(), place.clone());
                    entries.push(Entry { key: name, place, value: node });
                }
            }
            return Ok(());
        }
        match node.data {
            Data::Scalar { text, plain: true } if text == "<<" => Err(node.place.error_with(
                "merge keys (`<<`) are not part of a world file",
                "`extends: FILE` merges files",
            )),
            Data::Scalar { text, .. } => {
                *key = Some((text, node.place));
                Ok(())
            }
            _ => Err(node.place.error("a key must be a single word or text, not a list or a map")),
        }
    }
}

fn refuse_tag(place: &Place, tag: Option<&Tag>) -> Result<(), Error> {
    match tag {
        Some(tag) => {
            let message = format!("a tag: `{}`", tag.original());
            Err(place.error_with(message, "world files need no tags: remove it"))
        }
        None => Ok(()),
    }
}
