//! Go's `text/template`, as far as `--format` needs it.
//!
//! * `parse` the text of a template to its nodes
//! * `run` the nodes over a [`Value`]
//! * `functions` what can be called

mod functions;
mod parse;
mod run;
#[cfg(test)]
mod tests;

use super::value::Value;

/// A parsed template.
#[derive(Clone, Debug)]
pub(super) struct Template {
    nodes: Vec<parse::Node>,
}

impl Template {
    /// # Errors
    /// What `template.Parse` says, behind `template parsing error: `.
    pub fn parse(text: &str) -> Result<Template, String> {
        parse::parse(text)
            .map(|nodes| Template { nodes })
            .map_err(|error| format!("template parsing error: template: {error}"))
    }

    /// The text for `data`. `kind` is the name of its Go type, for errors.
    ///
    /// # Errors
    /// What `Execute` says, behind `template parsing error: `.
    pub fn run(&self, data: &Value, kind: &str) -> Result<String, String> {
        run::run(&self.nodes, data, run::Mode::Data { kind })
            .map_err(|error| format!("template parsing error: template: {error}"))
    }

    /// The head of a table: functions leave titles as they are.
    pub fn heading(&self, titles: &Value) -> String {
        run::run(&self.nodes, titles, run::Mode::Heading).unwrap_or_default()
    }
}
