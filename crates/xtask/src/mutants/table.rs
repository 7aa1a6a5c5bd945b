//! `docs/mutants.md`.

use std::fmt::Write as _;

use hairpin_testkit::agree::flips::Flip;

use super::{FLIPS, Fate, Fault, LISTS, NAMED, Options, What};

/// The table of what became of the faults.
pub(super) fn table(
    fates: &[(&Fault, Fate)],
    faults: usize,
    recorded: &str,
    places: &str,
    options: &Options,
) -> String {
    let only = options.only.as_ref().map_or(String::new(), |names| format!(" --only {names}"));
    let mut sampled = String::new();
    if options.flips > 0 {
        sampled = format!(" --flips {} --flips-seed {}", options.flips, options.flips_seed);
    }
    let (flips, listed): (Vec<_>, Vec<_>) = fates.iter().partition(|(fault, _)| fault.list == FLIPS);
    let mut text = format!(
        "# Planted faults\n\n\
         Does the comparison with Linux notice a rule that is broken? `cargo xtask mutants` breaks one at a time in a copy \
         of the checkout and runs the cases that agree with Linux without the fault until one of them differs. \
         The faults are in `{LISTS}`; a test checks that each still fits the code. This table is written by\n\n\
         ```sh\ncargo xtask mutants{only} --seed {} --count {}{sampled} --report docs/mutants.md\n```\n\n\
         {recorded}. {} A case NAME-SEED is generated (`cargo xtask agree --only NAME --seed SEED --count 1`), any other is \
         a script of `{NAMED}`. The last column is the first line that differs: `-` is printed by Linux only, `+` by the \
         emulation with the fault only.\n",
        options.seed,
        options.count,
        Count::of(&listed).text("faults"),
    );
    if options.flips > 0 {
        let _ = write!(
            text,
            "\nBeside those that somebody thought of, the command finds faults by the looks of the code: conditions negated, \
             parts of them left out, comparisons that take their limit or not, statements left out, arms of a match that do \
             what another one does, numbers one too great. There are {places}, the code of devices and neighbours; of a \
             sample of {}: {} They are [below](#flips).\n",
            flips.len(),
            Count::of(&flips).text("flips"),
        );
    }
    if fates.len() != faults {
        let _ = write!(text, "\n{} more have no verdict.\n", faults - fates.len());
    }
    let mut list = "";
    for (fault, fate) in fates {
        if fault.list != list {
            list = &fault.list;
            let _ = write!(
                text,
                "\n## {list}\n\n| {} | caught by | line |\n|---|---|---|---|\n",
                if list == FLIPS { "where | what" } else { "fault | rule that it breaks" }
            );
        }
        let (case, line) = match fate {
            Fate::Caught { case, line, .. } => (case.as_str(), code(line.trim_end())),
            Fate::Survived { cases } => ("**survived**", format!("{cases} cases come to it")),
            Fate::Unseen { why } => ("makes no difference", why.clone()),
        };
        let _ = match &fault.kind {
            What::Listed(mutant) => writeln!(text, "| {} | {} | {case} | {line} |", fault.name, mutant.rule),
            What::Flip(Flip { file, function, how, text: what, .. }) => {
                let file = file.trim_start_matches("crates/kernel/src/");
                writeln!(text, "| `{file}` {function} | {how}: {} | {case} | {line} |", code(&short(what)))
            }
        };
    }
    text
}

/// How many faults of some came out how.
struct Count {
    all: usize,
    caught: usize,
    by_generated: usize,
    unseen: usize,
}

impl Count {
    fn of(fates: &[&(&Fault, Fate)]) -> Count {
        let count = |is: fn(&Fate) -> bool| fates.iter().filter(|(_, fate)| is(fate)).count();
        Count {
            all: fates.len(),
            caught: count(|fate| matches!(fate, Fate::Caught { .. })),
            by_generated: count(|fate| matches!(fate, Fate::Caught { generated: true, .. })),
            unseen: count(|fate| matches!(fate, Fate::Unseen { .. })),
        }
    }

    fn text(&self, what: &str) -> String {
        let Count { all, caught, by_generated, unseen } = self;
        let judged = all - unseen;
        let share = *by_generated as f64 * 100.0 / judged.max(1) as f64;
        let without = match unseen {
            0 => String::new(),
            _ => format!(", not counting {unseen} that make no difference to be seen"),
        };
        format!(
            "**{caught} of {judged} {what} are caught, {by_generated} ({share:.1} %) of them by a generated case**{without}."
        )
    }
}

/// A table's cell of code.
fn code(line: &str) -> String {
    let line = line.replace('|', "\\|").replace('`', "'");
    if line.is_empty() { line } else { format!("`{line}`") }
}

fn short(text: &str) -> String {
    const MOST: usize = 120;
    match text.chars().count() > MOST {
        true => text.chars().take(MOST).chain(['…']).collect(),
        false => text.to_owned(),
    }
}
