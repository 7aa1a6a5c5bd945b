//! What templates walk and JSON is made of, as Go's `encoding/json` and `text/template` treat it.

/// A value. A struct's fields keep their order; who makes a map sorts its keys.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A pointer to nothing.
    Null,
    NilList,
    NilMap,
    Bool(bool),
    Int(i64),
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
    Struct(Vec<(String, Value)>),
}

/// Fields that only templates see have names that start so.
pub(super) const HIDDEN: char = '\0';

impl Value {
    /// A struct from its fields.
    pub fn fields<const N: usize>(fields: [(&str, Value); N]) -> Value {
        Value::Struct(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// A map of texts, with sorted keys.
    pub fn texts<'a>(entries: impl IntoIterator<Item = (&'a String, &'a String)>) -> Value {
        let mut entries: Vec<_> =
            entries.into_iter().map(|(key, value)| (key.clone(), Value::Text(value.clone()))).collect();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        Value::Map(entries)
    }

    /// A list of texts, nil where there is none.
    pub fn list<T: AsRef<str>>(items: &[T]) -> Value {
        if items.is_empty() {
            return Value::NilList;
        }
        Value::List(items.iter().map(|item| Value::Text(item.as_ref().to_owned())).collect())
    }

    /// A field or an entry. Structs answer to the names of their fields in JSON and, for `Id`, in Go.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let find = |entries: &'_ [(String, Value)], name: &str| {
            entries.iter().position(|(key, _)| key.strip_prefix(HIDDEN).unwrap_or(key) == name)
        };
        match self {
            Value::Map(entries) => entries.get(find(entries, name)?).map(|(_, value)| value),
            Value::Struct(entries) => {
                let other = match name {
                    "ID" => "Id",
                    "AuxAddress" => "AuxiliaryAddresses",
                    other => other,
                };
                let at = find(entries, name).or_else(|| find(entries, other))?;
                entries.get(at).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// Whether Go's templates take it for true.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Null | Value::NilList | Value::NilMap => false,
            Value::Bool(on) => *on,
            Value::Int(number) => *number != 0,
            Value::Text(text) => !text.is_empty(),
            Value::List(items) => !items.is_empty(),
            Value::Map(entries) => !entries.is_empty(),
            Value::Struct(_) => true,
        }
    }

    /// What `%v` of Go's `fmt` prints.
    pub fn print(&self) -> String {
        let entries = |entries: &[(String, Value)]| -> Vec<String> {
            entries.iter().map(|(key, value)| format!("{key}:{}", value.print())).collect()
        };
        match self {
            Value::Null => "<nil>".to_owned(),
            Value::NilList => "[]".to_owned(),
            Value::NilMap => "map[]".to_owned(),
            Value::Bool(on) => on.to_string(),
            Value::Int(number) => number.to_string(),
            Value::Text(text) => text.clone(),
            Value::List(items) => {
                format!("[{}]", items.iter().map(Value::print).collect::<Vec<_>>().join(" "))
            }
            Value::Map(map) => format!("map[{}]", entries(map).join(" ")),
            Value::Struct(fields) => {
                let shown = fields.iter().filter(|(name, _)| !name.starts_with(HIDDEN));
                format!("{{{}}}", shown.map(|(_, value)| value.print()).collect::<Vec<_>>().join(" "))
            }
        }
    }

    /// JSON in one line.
    pub fn json(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, None);
        text
    }

    /// JSON over many lines, indented by four blanks a level.
    pub fn json_indented(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, Some(0));
        text
    }

    fn write(&self, text: &mut String, depth: Option<usize>) {
        match self {
            Value::Null | Value::NilList | Value::NilMap => text.push_str("null"),
            Value::Bool(on) => text.push_str(if *on { "true" } else { "false" }),
            Value::Int(number) => text.push_str(&number.to_string()),
            Value::Text(string) => text.push_str(&quoted(string)),
            Value::List(items) => {
                let write = |item: &Value, text: &mut String, depth| item.write(text, depth);
                collection(text, depth, ('[', ']'), items, write);
            }
            Value::Map(entries) | Value::Struct(entries) => {
                let shown: Vec<_> = entries.iter().filter(|(key, _)| !key.starts_with(HIDDEN)).collect();
                let write = |(key, value): &&(String, Value), text: &mut String, depth: Option<usize>| {
                    text.push_str(&quoted(key));
                    text.push_str(if depth.is_some() { ": " } else { ":" });
                    value.write(text, depth);
                };
                collection(text, depth, ('{', '}'), &shown, write);
            }
        }
    }
}

/// A list or an object around its items.
fn collection<T>(
    text: &mut String,
    depth: Option<usize>,
    (open, close): (char, char),
    items: &[T],
    write: impl Fn(&T, &mut String, Option<usize>),
) {
    let line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.push_str(&"    ".repeat(depth));
    };
    let inside = depth.map(|depth| depth + 1);
    text.push(open);
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            text.push(',');
        }
        if let Some(depth) = inside {
            line(text, depth);
        }
        write(item, text, inside);
    }
    if let Some(depth) = depth.filter(|_| !items.is_empty()) {
        line(text, depth);
    }
    text.push(close);
}

/// A text in double quotes, with JSON's escapes.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<bool> for Value {
    fn from(on: bool) -> Value {
        Value::Bool(on)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Int(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_the_order_of_fields_and_hides_what_only_templates_see() {
        let value = Value::fields([
            ("Name", "a\"b".into()),
            ("\0Label", Value::NilMap),
            ("Ids", Value::list(&["x", "y"])),
            ("None", Value::NilList),
            ("Empty", Value::Map(Vec::new())),
        ]);
        assert_eq!(value.json(), r#"{"Name":"a\"b","Ids":["x","y"],"None":null,"Empty":{}}"#);
        let lines = "{\n    \"Name\": \"a\\\"b\",\n    \"Ids\": [\n        \"x\",\n        \"y\"\n    ],\n    \"None\": \
                     null,\n    \"Empty\": {}\n}";
        assert_eq!(value.json_indented(), lines);
    }

    #[test]
    fn printing_is_that_of_go() {
        let map = Value::Map(vec![("a".to_owned(), Value::list(&["x", "y"])), ("b".to_owned(), Value::Null)]);
        assert_eq!(map.print(), "map[a:[x y] b:<nil>]");
        assert_eq!(Value::fields([("A", true.into()), ("B", 7.into())]).print(), "{true 7}");
    }
}
