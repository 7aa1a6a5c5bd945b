//! Lists of objects as `--format` asks for them: tables, templates, JSON.

use super::template::Template;
use super::value::Value;

/// Columns are at least this wide, with this much between them.
const COLUMN_MIN: usize = 10;
const PADDING: usize = 3;

/// What is listed, and how.
pub(super) struct Listing<'a> {
    /// `--format`; empty for the default.
    pub format: &'a str,
    pub quiet: bool,
    /// The default table: a template with `\t` between columns.
    pub table: &'a str,
    /// What `raw` stands for.
    pub raw: &'a str,
    /// The name of an object's Go type.
    pub kind: &'a str,
    /// Titles of columns by field.
    pub titles: &'a [(&'a str, &'a str)],
}

impl Listing<'_> {
    /// # Errors
    /// What is wrong with the template.
    pub fn write(&self, items: &[Value]) -> Result<String, String> {
        let (is_table, template) = match self.format {
            "" | "table" if self.quiet => (false, "{{.ID}}"),
            "" | "table" => (true, self.table),
            "json" => (false, "{{json .}}"),
            "raw" if self.quiet => (false, "id: {{.ID}}"),
            "raw" => (false, self.raw),
            own => match own.strip_prefix("table") {
                Some(columns) => (true, columns),
                None => (false, own),
            },
        };
        let template = template.trim_matches(' ').replace("\\t", "\t").replace("\\n", "\n");
        let template = Template::parse(&template)?;
        let mut text = String::new();
        if is_table {
            let titles = self.titles.iter().map(|(field, title)| ((*field).to_owned(), (*title).into()));
            text.push_str(&template.heading(&Value::Map(titles.collect())));
            text.push('\n');
        }
        for item in items {
            text.push_str(&template.run(item, self.kind)?);
            text.push('\n');
        }
        Ok(if is_table { align(&text) } else { text })
    }
}

/// Go's `tabwriter` with a minimal width of 10, a padding of 3 and blanks: cells end with a tab; a column reaches over
/// consecutive lines that have it.
pub(super) fn align(text: &str) -> String {
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let mut widths: Vec<Vec<usize>> = lines.iter().map(|cells| vec![0; cells.len()]).collect();
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    for column in 0..columns {
        let has = |line: &Vec<&str>| line.len() > column + 1;
        let mut first = 0;
        while first < lines.len() {
            if !has(&lines[first]) {
                first += 1;
                continue;
            }
            let block = lines[first..].iter().take_while(|line| has(line)).count();
            let cells = lines[first..first + block].iter().map(|line| line[column].chars().count() + PADDING);
            let width = cells.max().unwrap_or(0).max(COLUMN_MIN);
            for line in widths.iter_mut().skip(first).take(block) {
                line[column] = width;
            }
            first += block;
        }
    }
    let mut aligned = String::new();
    for (cells, widths) in lines.iter().zip(&widths) {
        for (cell, width) in cells.iter().zip(widths) {
            aligned.push_str(cell);
            aligned.push_str(&" ".repeat(width.saturating_sub(cell.chars().count())));
        }
        aligned.push('\n');
    }
    aligned
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORKS: Listing<'_> = Listing {
        format: "",
        quiet: false,
        table: "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
        raw: "",
        kind: "*network.networkContext",
        titles: &[("ID", "NETWORK ID"), ("Name", "NAME"), ("Driver", "DRIVER"), ("Scope", "SCOPE")],
    };

    fn items() -> Vec<Value> {
        let item = |id: &str, name: &str| {
            Value::fields([
                ("Driver", "bridge".into()),
                ("ID", id.into()),
                ("Name", name.into()),
                ("Scope", "local".into()),
            ])
        };
        vec![item("0123456789ab", "bridge"), item("ba9876543210", "a-longer-name")]
    }

    #[test]
    fn the_default_is_a_table() {
        let text = "\
NETWORK ID     NAME            DRIVER    SCOPE
0123456789ab   bridge          bridge    local
ba9876543210   a-longer-name   bridge    local
";
        assert_eq!(NETWORKS.write(&items()).as_deref(), Ok(text));
        assert_eq!(NETWORKS.write(&[]).as_deref(), Ok("NETWORK ID   NAME      DRIVER    SCOPE\n"));
    }

    #[test]
    fn formats_of_ones_own() {
        let write = |format: &'static str, quiet| Listing { format, quiet, ..NETWORKS }.write(&items());
        assert_eq!(write("{{.Name}}", false).as_deref(), Ok("bridge\na-longer-name\n"));
        assert_eq!(write("", true).as_deref(), Ok("0123456789ab\nba9876543210\n"));
        let table = "NAME            DRIVER\nBRIDGE          bridge\nA-LONGER-NAME   bridge\n";
        assert_eq!(write("table {{upper .Name}}\\t{{.Driver}}", false).as_deref(), Ok(table));
        let json = r#"{"Driver":"bridge","ID":"0123456789ab","Name":"bridge","Scope":"local"}"#;
        assert_eq!(write("json", false).expect("JSON").lines().next(), Some(json));
    }
}
