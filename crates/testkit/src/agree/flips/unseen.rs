//! Some flips nobody can see: what they change makes no difference. Those are in `mutants/unseen/*.txt`, each with the
//! reason:
//!
//! ```text
//! == FILE, FUNCTION: HOW
//! why: why no scenario could tell, in one sentence
//! ---
//! the text of the flip, in one line
//! ```

use std::fs;
use std::path::Path;

use super::Flip;

/// A flip that makes no difference to be seen.
#[derive(Clone, Debug)]
pub struct Unseen {
    pub file: String,
    pub function: String,
    pub how: String,
    pub text: String,
    pub why: String,
}

impl Unseen {
    pub fn is(&self, flip: &Flip) -> bool {
        self.file == flip.file
            && self.function == flip.function
            && self.how == flip.how
            && self.text == flip.text
    }
}

/// The flips that nobody can see, of the lists in a directory.
///
/// # Errors
/// A list cannot be read, or an entry lacks something; the text is for the user.
pub fn unseen(directory: &Path) -> Result<Vec<Unseen>, String> {
    let entries = fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        for entry in format!("\n{text}").split("\n== ").skip(1) {
            let head = entry.lines().next().unwrap_or_default();
            let parsed = (|| {
                let (place, how) = head.rsplit_once(": ")?;
                let (file, function) = place.split_once(", ")?;
                let (why, text) = entry.split_once("\n---\n")?;
                let why = why.lines().find_map(|line| line.strip_prefix("why: "))?;
                let [file, function, how, text, why] =
                    [file, function, how, text.trim(), why].map(str::to_owned);
                Some(Unseen { file, function, how, text, why })
            })();
            all.push(parsed.ok_or(format!("{}: '{head}' lacks something", file.display()))?);
        }
    }
    Ok(all)
}
