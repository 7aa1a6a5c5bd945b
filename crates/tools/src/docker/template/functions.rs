//! The functions of templates: Go's own and those that the docker command adds.

use std::cmp::Ordering;

use super::super::value::Value;

const KNOWN: &[&str] = &[
    "and", "eq", "ge", "gt", "index", "join", "json", "le", "len", "lower", "lt", "ne", "not", "or", "pad",
    "print", "printf", "println", "slice", "split", "title", "truncate", "upper",
];

/// Functions that the head of a table is left alone by.
const NOT_FOR_TITLES: &[&str] = &["join", "json", "lower", "split", "title", "truncate", "upper"];

pub(super) fn is_known(name: &str) -> bool {
    KNOWN.contains(&name)
}

pub(super) fn leaves_titles(name: &str) -> bool {
    NOT_FOR_TITLES.contains(&name)
}

/// # Errors
/// Why the function cannot be called so.
pub(super) fn call(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let text = |at: usize| match arguments.get(at) {
        Some(Value::Text(text)) => Ok(text.as_str()),
        Some(_) => Err(format!("wrong type for value; expected string in argument {at} of {name}")),
        None => Err(format!("wrong number of args for {name}: want {} got {}", at + 1, arguments.len())),
    };
    let number = |at: usize| match arguments.get(at) {
        Some(Value::Int(number)) => Ok(*number),
        Some(_) => Err(format!("wrong type for value; expected int in argument {at} of {name}")),
        None => Err(format!("wrong number of args for {name}: want {} got {}", at + 1, arguments.len())),
    };
    let first = || arguments.first().ok_or_else(|| format!("wrong number of args for {name}: want 1 got 0"));
    Ok(match name {
        "json" => first()?.json().into(),
        "lower" => text(0)?.to_lowercase().into(),
        "upper" => text(0)?.to_uppercase().into(),
        "title" => title(text(0)?).into(),
        "split" => Value::List(text(0)?.split(text(1)?).map(Value::from).collect()),
        "join" => match first()? {
            Value::List(items) => items.iter().map(Value::print).collect::<Vec<_>>().join(text(1)?).into(),
            Value::NilList => "".into(),
            _ => return Err("wrong type for value; expected []string".to_owned()),
        },
        "pad" => {
            let blanks = |count: i64| " ".repeat(usize::try_from(count).unwrap_or(0).min(1024));
            match text(0)? {
                "" => "".into(),
                source => format!("{}{source}{}", blanks(number(1)?), blanks(number(2)?)).into(),
            }
        }
        "truncate" => {
            let source = text(0)?;
            let length = usize::try_from(number(1)?).unwrap_or(0);
            source.get(..length).unwrap_or(source).into()
        }
        "print" => arguments.iter().map(Value::print).collect::<Vec<_>>().join("").into(),
        "println" => (arguments.iter().map(Value::print).collect::<Vec<_>>().join(" ") + "\n").into(),
        "printf" => formatted(text(0)?, arguments.get(1..).unwrap_or(&[])).into(),
        "len" => match first()? {
            Value::Text(text) => (text.len() as i64).into(),
            Value::List(items) => (items.len() as i64).into(),
            Value::Map(entries) => (entries.len() as i64).into(),
            Value::NilList | Value::NilMap => 0.into(),
            other => return Err(format!("error calling len: len of type {}", other.print())),
        },
        "index" => index(arguments)?,
        "slice" => slice(arguments)?,
        "not" => (!first()?.is_true()).into(),
        "and" => arguments
            .iter()
            .find(|value| !value.is_true())
            .or(arguments.last())
            .cloned()
            .unwrap_or(Value::Null),
        "or" => arguments
            .iter()
            .find(|value| value.is_true())
            .or(arguments.last())
            .cloned()
            .unwrap_or(Value::Null),
        "eq" => arguments.iter().skip(1).any(|other| arguments.first() == Some(other)).into(),
        "ne" => (arguments.first() != arguments.get(1)).into(),
        "lt" => (order(arguments)? == Ordering::Less).into(),
        "le" => (order(arguments)? != Ordering::Greater).into(),
        "gt" => (order(arguments)? == Ordering::Greater).into(),
        "ge" => (order(arguments)? != Ordering::Less).into(),
        _ => return Err(format!("function \"{name}\" not defined")),
    })
}

fn index(arguments: &[Value]) -> Result<Value, String> {
    let Some((collection, keys)) = arguments.split_first() else {
        return Err("wrong number of args for index: want at least 1 got 0".to_owned());
    };
    let mut value = collection.clone();
    for key in keys {
        value = match (&value, key) {
            (Value::List(items), Value::Int(at)) => {
                let item = usize::try_from(*at).ok().and_then(|at| items.get(at));
                item.cloned().ok_or_else(|| format!("error calling index: index out of range: {at}"))?
            }
            (Value::NilList, Value::Int(at)) => {
                return Err(format!("error calling index: index out of range: {at}"));
            }
            // What a map does not have is its type's zero.
            (map @ Value::Map(_), Value::Text(key)) => map.get(key).cloned().unwrap_or(Value::Null),
            (Value::NilMap, Value::Text(_)) => Value::Null,
            (Value::Null, _) => return Err("error calling index: index of untyped nil".to_owned()),
            (other, _) => {
                return Err(format!("error calling index: can't index item of type {}", other.print()));
            }
        };
    }
    Ok(value)
}

fn slice(arguments: &[Value]) -> Result<Value, String> {
    let bound = |at: usize, default: usize| match arguments.get(at) {
        Some(Value::Int(number)) => usize::try_from(*number).unwrap_or(usize::MAX),
        _ => default,
    };
    let out_of_range = || "error calling slice: index out of range".to_owned();
    match arguments.first() {
        Some(Value::Text(text)) => {
            let range = bound(1, 0)..bound(2, text.len());
            text.get(range).map(Value::from).ok_or_else(out_of_range)
        }
        Some(Value::List(items)) => {
            let range = bound(1, 0)..bound(2, items.len());
            items.get(range).map(|part| Value::List(part.to_vec())).ok_or_else(out_of_range)
        }
        _ => Err("error calling slice: can't slice item".to_owned()),
    }
}

fn order(arguments: &[Value]) -> Result<Ordering, String> {
    match arguments {
        [Value::Int(a), Value::Int(b)] => Ok(a.cmp(b)),
        [Value::Text(a), Value::Text(b)] => Ok(a.cmp(b)),
        _ => Err("incompatible types for comparison".to_owned()),
    }
}

/// `strings.Title`: the first letter of each word in upper case.
fn title(text: &str) -> String {
    let mut inside = false;
    text.chars()
        .map(|letter| {
            let first = !inside;
            inside = letter.is_alphanumeric() || letter == '_' || letter == '\'';
            if first { letter.to_ascii_uppercase() } else { letter }
        })
        .collect()
}

/// `fmt.Sprintf` with the verbs that people use: `%s %v %d %q %t %x %%`, a width, `-`, `0`.
fn formatted(format: &str, arguments: &[Value]) -> String {
    let mut text = String::new();
    let mut arguments = arguments.iter();
    let mut letters = format.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        let mut flags = String::new();
        while let Some(flag) = letters.next_if(|letter| "-+ #0".contains(*letter)) {
            flags.push(flag);
        }
        let mut width = 0usize;
        while let Some(digit) = letters.next_if(char::is_ascii_digit) {
            width = (width * 10 + digit.to_digit(10).unwrap_or(0) as usize).min(1024);
        }
        let Some(verb) = letters.next() else {
            text.push_str("%!(NOVERB)");
            break;
        };
        if verb == '%' {
            text.push('%');
            continue;
        }
        let Some(value) = arguments.next() else {
            text.push_str(&format!("%!{verb}(MISSING)"));
            continue;
        };
        let shown = match (verb, value) {
            ('q', value) => format!("{:?}", value.print()),
            ('x', Value::Int(number)) => format!("{number:x}"),
            ('x', value) => value.print().bytes().map(|byte| format!("{byte:02x}")).collect(),
            (_, value) => value.print(),
        };
        let missing = width.saturating_sub(shown.chars().count());
        let fill = if flags.contains('0') && !flags.contains('-') { "0" } else { " " };
        match flags.contains('-') {
            true => text.push_str(&format!("{shown}{}", " ".repeat(missing))),
            false => text.push_str(&format!("{}{shown}", fill.repeat(missing))),
        }
    }
    text
}
