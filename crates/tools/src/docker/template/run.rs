//! Runs the nodes of a template over a value.

use super::super::value::Value;
use super::functions;
use super::parse::{Base, Command, Node, Operand, Pipeline};

/// A template that prints more than this is stopped.
const OUTPUT_MAX: usize = 64 << 20;

/// What the data is.
#[derive(Clone, Copy)]
pub(super) enum Mode<'a> {
    /// An object of this Go type.
    Data { kind: &'a str },
    /// The titles of a table's columns, which functions leave alone.
    Heading,
}

/// Where a list of nodes ended.
#[derive(PartialEq)]
enum Flow {
    On,
    Break,
    Continue,
}

struct Run<'a> {
    root: &'a Value,
    mode: Mode<'a>,
    variables: Vec<(String, Value)>,
    text: String,
}

pub(super) fn run(nodes: &[Node], data: &Value, mode: Mode<'_>) -> Result<String, String> {
    let mut run = Run { root: data, mode, variables: Vec::new(), text: String::new() };
    run.list(nodes, data)?;
    Ok(run.text)
}

impl Run<'_> {
    fn list(&mut self, nodes: &[Node], dot: &Value) -> Result<Flow, String> {
        let known = self.variables.len();
        for node in nodes {
            let flow = self.node(node, dot)?;
            if self.text.len() > OUTPUT_MAX {
                return Err("output is too long".to_owned());
            }
            if flow != Flow::On {
                self.variables.truncate(known);
                return Ok(flow);
            }
        }
        self.variables.truncate(known);
        Ok(Flow::On)
    }

    fn node(&mut self, node: &Node, dot: &Value) -> Result<Flow, String> {
        match node {
            Node::Text(text) => self.text.push_str(text),
            Node::Print(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    match value {
                        Some(value) => self.text.push_str(&value.print()),
                        None => self.text.push_str("<no value>"),
                    }
                }
            }
            Node::If { condition, body, otherwise } => {
                let known = self.variables.len();
                let holds = self.pipeline(condition, dot)?.is_some_and(|value| value.is_true());
                let flow = self.list(if holds { body } else { otherwise }, dot)?;
                self.variables.truncate(known);
                return Ok(flow);
            }
            Node::With { value, body, otherwise } => {
                let known = self.variables.len();
                let flow = match self.pipeline(value, dot)?.filter(Value::is_true) {
                    Some(value) => self.list(body, &value)?,
                    None => self.list(otherwise, dot)?,
                };
                self.variables.truncate(known);
                return Ok(flow);
            }
            Node::Range { over, body, otherwise } => {
                let known = self.variables.len();
                let items = self.items(over, dot)?;
                if items.is_empty() {
                    self.list(otherwise, dot)?;
                }
                for (key, item) in items {
                    self.variables.truncate(known);
                    match over.variables.as_slice() {
                        [value] => self.variables.push((value.clone(), item.clone())),
                        [index, value] => {
                            self.variables.push((index.clone(), key));
                            self.variables.push((value.clone(), item.clone()));
                        }
                        _ => {}
                    }
                    if self.list(body, &item)? == Flow::Break {
                        break;
                    }
                }
                self.variables.truncate(known);
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    /// Keys and items of what a `range` goes over.
    fn items(&mut self, over: &Pipeline, dot: &Value) -> Result<Vec<(Value, Value)>, String> {
        let plain = Pipeline { variables: Vec::new(), ..over.clone() };
        let place =
            over.commands.first().and_then(|command| command.first()).map_or("", |o| o.place.as_str());
        Ok(match self.pipeline(&plain, dot)? {
            Some(Value::List(items)) => {
                (0i64..).zip(items).map(|(number, item)| (Value::Int(number), item)).collect()
            }
            Some(Value::Map(entries)) => entries.into_iter().map(|(key, item)| (key.into(), item)).collect(),
            Some(Value::Null | Value::NilList | Value::NilMap) | None => Vec::new(),
            Some(Value::Int(count)) => {
                (0..count.min(1 << 20)).map(|n| (Value::Int(n), Value::Int(n))).collect()
            }
            Some(other) => {
                return Err(format!(
                    "{place}: executing \"\" at <>: range can't iterate over {}",
                    other.print()
                ));
            }
        })
    }

    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Option<Value>, String> {
        let mut value = None;
        for (number, command) in pipeline.commands.iter().enumerate() {
            let fed = (number > 0).then_some(value);
            value = self.command(command, dot, fed)?;
        }
        for name in &pipeline.variables {
            let known = self.variables.iter_mut().rev().find(|(known, _)| known == name);
            let new = value.clone().unwrap_or(Value::Null);
            match known {
                Some((_, old)) if pipeline.assigns => *old = new,
                _ => self.variables.push((name.clone(), new)),
            }
        }
        Ok(value)
    }

    fn command(
        &mut self,
        command: &Command,
        dot: &Value,
        fed: Option<Option<Value>>,
    ) -> Result<Option<Value>, String> {
        let Some((first, rest)) = command.split_first() else { return Ok(None) };
        let mut arguments = Vec::new();
        if let Base::Function(name) = &first.base {
            for operand in rest {
                arguments.push(self.operand(operand, dot)?.unwrap_or(Value::Null));
            }
            arguments.extend(fed.map(|value| value.unwrap_or(Value::Null)));
            if matches!(self.mode, Mode::Heading) && functions::leaves_titles(name) {
                return Ok(arguments.into_iter().find(|value| matches!(value, Value::Text(_))));
            }
            let result = functions::call(name, &arguments);
            return result
                .map(Some)
                .map_err(|text| format!("{}: executing \"\" at <{name}>: {text}", first.place));
        }
        let value = self.operand(first, dot)?;
        if rest.is_empty() {
            return Ok(value);
        }
        // A method of a listed object (`.Label "a"`): a look into a map.
        match (value, self.operand(&rest[0], dot)?) {
            (Some(map @ (Value::Map(_) | Value::NilMap)), Some(Value::Text(key))) => {
                Ok(Some(map.get(&key).cloned().unwrap_or_else(|| "".into())))
            }
            (Some(title), _) if matches!(self.mode, Mode::Heading) => Ok(Some(title)),
            _ => Err(format!("{}: executing \"\" at <>: can't give argument to non-function", first.place)),
        }
    }

    fn operand(&mut self, operand: &Operand, dot: &Value) -> Result<Option<Value>, String> {
        let mut value = match &operand.base {
            Base::Dot => Some(dot.clone()),
            Base::Variable(name) if name.is_empty() => Some(self.root.clone()),
            Base::Variable(name) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                match known {
                    Some((_, value)) => Some(value.clone()),
                    None => return Err(format!("{}: undefined variable \"${name}\"", operand.place)),
                }
            }
            Base::Literal(value) => Some(value.clone()),
            Base::Nil => Some(Value::Null),
            Base::Group(pipeline) => self.pipeline(pipeline, dot)?,
            Base::Function(name) => functions::call(name, &[])
                .map(Some)
                .map_err(|text| format!("{}: executing \"\" at <{name}>: {text}", operand.place))?,
        };
        let mut at = String::new();
        for name in &operand.fields {
            at = format!("{at}.{name}");
            value = match value {
                Some(inner @ (Value::Struct(_) | Value::Map(_))) => {
                    let found = inner.get(name).cloned();
                    if found.is_none() && matches!(inner, Value::Struct(_)) {
                        return Err(self.no_field(operand, &at, name));
                    }
                    found
                }
                Some(Value::NilMap) | None => None,
                Some(Value::Null) => {
                    return Err(format!(
                        "{}: executing \"\" at <{at}>: nil pointer evaluating *.{name}",
                        operand.place
                    ));
                }
                Some(_) => return Err(self.no_field(operand, &at, name)),
            };
        }
        Ok(value)
    }

    fn no_field(&self, operand: &Operand, at: &str, name: &str) -> String {
        let place = &operand.place;
        match self.mode {
            // An object that is inspected is looked at a second time as a map of its JSON.
            Mode::Data { kind: "" } => {
                format!("{place}: executing \"\" at <{at}>: map has no entry for key \"{name}\"")
            }
            Mode::Data { kind } => {
                format!("{place}: executing \"\" at <{at}>: can't evaluate field {name} in type {kind}")
            }
            Mode::Heading => String::new(),
        }
    }
}
