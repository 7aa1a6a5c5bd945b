//! Line by line: how many are equal, and a unified difference of the rest.

use std::fmt::Write as _;

/// How much of a script's output agrees.
#[derive(Clone, Debug)]
pub struct Score {
    /// Equal lines of output. The commands themselves do not count.
    pub equal: usize,
    pub lines: usize,
    pub difference: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Both,
    Real,
    Ours,
}

/// Compares two outputs. Lines that start with `$` are the commands.
pub fn score(name: &str, real: &[String], ours: &[String]) -> Score {
    let steps = align(real, ours);
    let (mut equal, mut lines) = (0, 0);
    let (mut at_real, mut at_ours) = (0, 0);
    let mut text: Vec<(Step, &str)> = Vec::new();
    for step in steps {
        let line = match step {
            Step::Both | Step::Real => &real[at_real],
            Step::Ours => &ours[at_ours],
        };
        at_real += usize::from(step != Step::Ours);
        at_ours += usize::from(step != Step::Real);
        if !line.starts_with('$') {
            equal += usize::from(step == Step::Both);
            lines += 1;
        }
        text.push((step, line));
    }
    Score { equal, lines, difference: unified(name, &text) }
}

/// The longest common subsequence.
fn align(real: &[String], ours: &[String]) -> Vec<Step> {
    // What is equal at both ends needs no search.
    let front = std::iter::zip(real, ours).take_while(|(a, b)| a == b).count();
    let (real, ours) = (&real[front..], &ours[front..]);
    let back = std::iter::zip(real.iter().rev(), ours.iter().rev()).take_while(|(a, b)| a == b).count();
    let (real, ours) = (&real[..real.len() - back], &ours[..ours.len() - back]);
    let width = ours.len() + 1;
    let mut longest = vec![0u32; (real.len() + 1) * width];
    for i in (0..real.len()).rev() {
        for j in (0..ours.len()).rev() {
            longest[i * width + j] = match real[i] == ours[j] {
                true => longest[(i + 1) * width + j + 1] + 1,
                false => longest[(i + 1) * width + j].max(longest[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut steps = vec![Step::Both; front];
    while i < real.len() || j < ours.len() {
        let step = if i < real.len() && j < ours.len() && real[i] == ours[j] {
            Step::Both
        } else if j == ours.len()
            || i < real.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1]
        {
            Step::Real
        } else {
            Step::Ours
        };
        i += usize::from(step != Step::Ours);
        j += usize::from(step != Step::Real);
        steps.push(step);
    }
    steps.extend(std::iter::repeat_n(Step::Both, back));
    steps
}

/// Changed lines with the last command and three lines around them.
fn unified(name: &str, text: &[(Step, &str)]) -> String {
    let mut out = String::new();
    if text.iter().all(|(step, _)| *step == Step::Both) {
        return out;
    }
    let _ = writeln!(out, "--- {name}: linux\n+++ {name}: hairpin");
    let shown = |at: usize| {
        text[at.saturating_sub(2)..(at + 3).min(text.len())].iter().any(|(step, _)| *step != Step::Both)
    };
    let (mut command, mut gap) = (None, true);
    for (at, (step, line)) in text.iter().enumerate() {
        if line.starts_with('$') {
            command = Some(*line);
        }
        if !shown(at) {
            gap = true;
            continue;
        }
        if std::mem::take(&mut gap) {
            let _ = writeln!(out, "@@ {} @@", command.unwrap_or_default());
        }
        let sign = match step {
            Step::Both => ' ',
            Step::Real => '-',
            Step::Ours => '+',
        };
        let _ = writeln!(out, "{sign}{line}");
    }
    out
}

#[test]
fn commands_do_not_count() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let score = score("x", &lines("$ ip link\na\nb\nc"), &lines("$ ip link\na\nx\nc"));
    assert_eq!((score.equal, score.lines), (2, 4));
    assert_eq!(
        score.difference,
        "--- x: linux\n+++ x: hairpin\n@@ $ ip link @@\n a\n-b\n+x\n c\n"
            .replace("@@\n a", "@@\n $ ip link\n a")
    );
}
