//! JSON as libjansson writes it.

/// A value whose members stay in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(i64),
    Unsigned(u64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// An object or list as it is written.
macro_rules! json {
    (@members $into:ident) => {};
    (@members $into:ident $name:literal : null $(, $($rest:tt)*)?) => {
        member(&mut $into, $name, Json::Null);
        $(json!(@members $into $($rest)*);)?
    };
    (@members $into:ident $name:literal : { $($inner:tt)* } $(, $($rest:tt)*)?) => {
        member(&mut $into, $name, json!({ $($inner)* }));
        $(json!(@members $into $($rest)*);)?
    };
    (@members $into:ident $name:literal : [ $($inner:tt)* ] $(, $($rest:tt)*)?) => {
        member(&mut $into, $name, json!([ $($inner)* ]));
        $(json!(@members $into $($rest)*);)?
    };
    (@members $into:ident $name:literal : $value:expr $(, $($rest:tt)*)?) => {
        member(&mut $into, $name, Json::from($value));
        $(json!(@members $into $($rest)*);)?
    };
    ({ $($inner:tt)* }) => {{
        let mut members: Vec<(String, Json)> = Vec::new();
        json!(@members members $($inner)*);
        Json::Object(members)
    }};
    ([ $($value:expr),* $(,)? ]) => { Json::List(vec![$(Json::from($value)),*]) };
    ($value:expr) => { Json::from($value) };
}

pub(super) fn member(members: &mut Vec<(String, Json)>, name: &str, value: Json) {
    members.push((name.to_owned(), value));
}

macro_rules! numbers {
    ($($kind:ty),*) => {
        $(
            impl From<$kind> for Json {
                fn from(value: $kind) -> Json {
                    Json::Unsigned(u64::from(value))
                }
            }

            impl From<&$kind> for Json {
                fn from(value: &$kind) -> Json {
                    Json::Unsigned(u64::from(*value))
                }
            }
        )*
    };
}

numbers!(u8, u16, u32, u64);

impl From<i32> for Json {
    fn from(value: i32) -> Json {
        Json::Number(i64::from(value))
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Json {
        Json::Bool(value)
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Json {
        Json::Text(value.to_owned())
    }
}

impl From<&&str> for Json {
    fn from(value: &&str) -> Json {
        Json::Text((*value).to_owned())
    }
}

impl From<&String> for Json {
    fn from(value: &String) -> Json {
        Json::Text(value.clone())
    }
}

impl From<String> for Json {
    fn from(value: String) -> Json {
        Json::Text(value)
    }
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(values: Vec<T>) -> Json {
        Json::List(values.into_iter().map(Into::into).collect())
    }
}

fn metainfo() -> Json {
    json!({"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}})
}

/// The members of the document, as the program writes it: with a space behind commas and colons.
pub(super) fn document(members: Vec<Json>) -> String {
    let all: Vec<Json> = std::iter::once(metainfo()).chain(members).collect();
    spaced(&json!({"nftables": all})) + "\n"
}

/// JSON with spaces as libjansson writes it.
fn spaced(value: &Json) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(value) => value.to_string(),
        Json::Number(value) => value.to_string(),
        Json::Unsigned(value) => value.to_string(),
        Json::Text(text) => quoted(text),
        Json::List(items) => format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        Json::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{}: {}", quoted(name), spaced(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What an object is made of, in order.
pub(super) fn object(members: Vec<(&str, Option<Json>)>) -> Json {
    let there = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Json::Object(there.collect())
}

pub(super) fn is_empty(value: &Json) -> bool {
    matches!(value, Json::Object(members) if members.is_empty())
}

pub(super) fn member_of(name: &str, value: Json) -> Json {
    Json::Object(vec![(name.to_owned(), value)])
}
