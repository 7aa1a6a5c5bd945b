//! Objects as `inspect` prints them: JSON, or a template.

use super::engine::{Docker, Failure, Outcome};
use super::template::Template;
use super::value::Value;

/// Prints what `find` has of each name; what it has not is told behind it.
///
/// # Errors
/// A template is wrong, or an object is missing.
pub(super) fn print(
    docker: &mut Docker<'_>,
    format: &str,
    names: &[String],
    find: impl Fn(&str) -> Result<Value, String>,
) -> Outcome {
    let template = match format {
        "" | "json" => None,
        format => Some(Template::parse(format).map_err(|text| Failure { text, code: 64 })?),
    };
    let mut found = Vec::new();
    let mut errors = Vec::new();
    for name in names {
        match find(name) {
            Ok(value) => found.push(value),
            Err(error) => errors.push(error),
        }
    }
    let text = match template {
        Some(template) => {
            let mut text = String::new();
            for value in &found {
                match template.run(value, "") {
                    Ok(line) => text.push_str(&(line + "\n")),
                    Err(error) => errors.push(error),
                }
            }
            if text.is_empty() { "\n".to_owned() } else { text }
        }
        None if found.is_empty() => "[]\n".to_owned(),
        None if format == "json" => Value::List(found).json() + "\n",
        None => Value::List(found).json_indented() + "\n",
    };
    docker.print(&text);
    match errors.is_empty() {
        true => Ok(0),
        false => Err(Failure { text: errors.join("\n"), code: 1 }),
    }
}
