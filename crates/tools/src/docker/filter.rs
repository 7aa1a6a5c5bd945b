//! `--filter`, and the order of names.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// `KEY=VALUE`s: an object must match one value of each key.
#[derive(Debug, Default)]
pub(super) struct Filters {
    wanted: BTreeMap<String, Vec<String>>,
}

/// # Errors
/// A key that does not exist here, or none.
pub(super) fn parse(texts: &[String], known: &[&str]) -> Result<Filters, String> {
    let mut filters = Filters::default();
    for text in texts {
        let Some((key, value)) = text.split_once('=') else {
            return Err(format!(
                "invalid argument \"{text}\" for \"-f, --filter\" flag: invalid filter '{text}': must be in format \
                 name=value"
            ));
        };
        let key = key.trim().to_lowercase();
        if !known.contains(&key.as_str()) {
            return Err(format!("Error response from daemon: invalid filter '{key}'"));
        }
        filters.wanted.entry(key).or_default().push(value.trim().to_owned());
    }
    Ok(filters)
}

impl Filters {
    /// Whether one of the values of `key` fits; any does where there is none.
    pub fn any(&self, key: &str, fits: impl Fn(&str) -> bool) -> bool {
        self.wanted.get(key).is_none_or(|values| values.iter().any(|value| fits(value)))
    }

    /// Whether every value of `key` fits.
    pub fn all(&self, key: &str, fits: impl Fn(&str) -> bool) -> bool {
        self.wanted.get(key).is_none_or(|values| values.iter().all(|value| fits(value)))
    }

    pub fn has(&self, key: &str) -> bool {
        self.wanted.contains_key(key)
    }
}

/// `label=KEY` or `label=KEY=VALUE`
pub(super) fn has_label(labels: &BTreeMap<String, String>, wanted: &str) -> bool {
    match wanted.split_once('=') {
        Some((key, value)) => labels.get(key).is_some_and(|known| known == value),
        None => labels.contains_key(wanted),
    }
}

/// The natural order: numbers inside names count as numbers.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    loop {
        let (Some(first), Some(second)) = (a.first(), b.first()) else {
            return a.len().cmp(&b.len());
        };
        let lengths = (digits(a), digits(b));
        if lengths.0 > 0 && lengths.1 > 0 {
            let plain = |text: &[u8], length: usize| -> Vec<u8> {
                let digits = text.get(..length).unwrap_or(&[]);
                digits.iter().copied().skip_while(|digit| *digit == b'0').collect()
            };
            let (x, y) = (plain(a, lengths.0), plain(b, lengths.1));
            match x.len().cmp(&y.len()).then(x.cmp(&y)) {
                Ordering::Equal => {}
                other => return other,
            }
            (a, b) = (a.get(lengths.0..).unwrap_or(&[]), b.get(lengths.1..).unwrap_or(&[]));
            continue;
        }
        match first.cmp(second) {
            Ordering::Equal => (a, b) = (a.get(1..).unwrap_or(&[]), b.get(1..).unwrap_or(&[])),
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_numbers() {
        let mut names = ["net10", "net9", "host", "net9b", "net09", "a"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["a", "host", "net9", "net09", "net9b", "net10"]);
    }

    #[test]
    fn filters_of_one_key_are_alternatives() {
        let texts = ["driver=macvlan".to_owned(), "driver=ipvlan".to_owned()];
        let filters = parse(&texts, &["driver"]).expect("filters");
        assert!(filters.any("driver", |wanted| wanted == "ipvlan"));
        assert!(!filters.any("driver", |wanted| wanted == "bridge"));
        assert!(filters.any("name", |_| false));
        assert!(parse(&texts, &["name"]).is_err_and(|text| text.ends_with("invalid filter 'driver'")));
    }
}
