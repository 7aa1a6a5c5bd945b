//! What several runs of one script show together: Linux does not print the same each time.

/// The lines that both sides printed in one run.
#[derive(Clone, Debug)]
pub struct Run {
    pub real: Vec<String>,
    pub ours: Vec<String>,
}

/// How far the emulation keeps to what the real kernel prints in some run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// What each command printed here in at least half of the runs, it printed there in one of them.
    All,
    /// But for commands of which no two runs on the real kernel need print the same.
    ButWhereLinuxDiffers,
    /// The real kernel prints something each time that the emulation does not print.
    No,
}

/// Judges command by command. None where the runs did not even run the same commands.
pub fn command_by_command(runs: &[Run]) -> Option<Kept> {
    let real: Vec<_> = runs.iter().map(|run| parts(&run.real)).collect();
    let ours: Vec<_> = runs.iter().map(|run| parts(&run.ours)).collect();
    let (first, rest) = real.split_first()?;
    let count = first.len();
    if real.iter().chain(&ours).any(|parts| parts.len() != count) {
        return None;
    }
    let mut kept = Kept::All;
    for at in 0..count {
        let kept_to = ours.iter().filter(|ours| real.iter().any(|real| real[at] == ours[at])).count();
        if kept_to * 2 >= ours.len() {
            continue;
        }
        if rest.iter().all(|real| real[at] == first[at]) {
            return Some(Kept::No);
        }
        kept = Kept::ButWhereLinuxDiffers;
    }
    Some(kept)
}

/// What each command printed. The commands themselves, as a shell tells them, may hold numbers of processes.
fn parts(lines: &[String]) -> Vec<&[String]> {
    let is_command = |line: &String| line.starts_with('$');
    lines
        .chunk_by(|_, line| !is_command(line))
        .map(|part| {
            part.split_first().filter(|(line, _)| is_command(line)).map_or(part, |(_, printed)| printed)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(real: &str, ours: &str) -> Run {
        let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<String>>();
        Run { real: lines(real), ours: lines(ours) }
    }

    #[test]
    fn what_linux_prints_each_time_must_be_printed() {
        let same = || run("$1 a $2 b", "$1 a $2 c");
        assert_eq!(command_by_command(&[same(), same()]), Some(Kept::No));
        // One command wavers, of another all runs print the same.
        let other = || run("$1 x $2 b", "$1 a $2 c");
        assert_eq!(command_by_command(&[same(), other()]), Some(Kept::No));
        assert_eq!(command_by_command(&[run("$1 a b", "$1 a")]), Some(Kept::No));
    }

    #[test]
    fn each_command_may_agree_in_a_run_of_its_own() {
        let runs = [run("$1 a $2 b", "$1 a $2 c"), run("$1 x $2 c", "$1 y $2 d")];
        assert_eq!(command_by_command(&runs), Some(Kept::All));
    }

    #[test]
    fn what_is_right_by_chance_here_is_not_enough() {
        let wrong = || run("$1 a", "$1 b");
        assert_eq!(command_by_command(&[wrong(), run("$1 a", "$1 a")]), Some(Kept::All));
        assert_eq!(command_by_command(&[wrong(), wrong(), run("$1 a", "$1 a")]), Some(Kept::No));
    }

    #[test]
    fn commands_do_not_count_but_their_number_does() {
        assert_eq!(command_by_command(&[run("$U=17 a", "$U=9 a")]), Some(Kept::All));
        assert_eq!(command_by_command(&[run("a $1 b", "c $1 b")]), Some(Kept::No));
        assert_eq!(command_by_command(&[run("$1 a $2 b", "$1 a")]), None);
        assert_eq!(command_by_command(&[]), None);
    }

    #[test]
    fn where_linux_differs_from_itself_is_told() {
        let runs = [run("$1 a $2 v", "$1 a $2 c"), run("$1 a $2 w", "$1 a $2 c")];
        assert_eq!(command_by_command(&runs), Some(Kept::ButWhereLinuxDiffers));
    }
}
