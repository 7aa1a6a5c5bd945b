//! One script on both sides, and what differs.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hairpin_netlink::Call;

use super::chance::{self, Kept, Run};
use super::compare::{self, Score};
use super::oracle::Oracle;
use super::script::Script;
use super::shell::{Interpreter, Ran, ScriptError};
use super::worker::Outcome;
use super::{emulated, normalise};

/// A run on the real kernel in which something within a command came later than this is no measurement: what it shows
/// hangs on how busy the machine was. If it differs it is run again.
const LATE_MAX: Duration = Duration::from_millis(50);
const ATTEMPTS: usize = 6;
/// How often a script that differs runs on the real kernel: so many runs alike are no chance. (Of three runs, what happens two
/// times of three is alike in one case of three.)
const ALIKE: usize = 8;
const RUNS_MAX: usize = 12;

/// How a script came out.
#[derive(Clone, Debug)]
pub struct Trial {
    pub name: String,
    pub score: Score,
    pub verdict: Verdict,
    /// How late the real kernel was in the run that counts.
    pub late: Duration,
    /// It differs when the emulation takes its own time, and agrees when its commands start when they started on the
    /// real kernel, which was slow.
    pub on_its_clock: bool,
    /// Linux does not always print the same: what the emulation prints is, command by command, what one of its runs printed.
    pub wavers: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Agrees,
    Differs,
    /// It differs in nothing but what commands print of which no two runs on the real kernel need print the same: it differs
    /// from itself there, and the emulation from each of its runs.
    LinuxDiffers,
    /// It differs, but the machine was never idle enough to tell why.
    TooBusy,
    /// It did not run to its end; the text says why.
    Failed(String),
}

/// Runs the emulated side: in its own time, or with commands that start when they did on another kernel
/// ([`Kernel::clock_of`]).
pub fn emulate(script: &Script, clock: Option<&[u64]>) -> Ran {
    let (text, ipv6, modules) = (script.text.clone(), script.ipv6, script.modules.clone());
    let clock = clock.map(<[u64]>::to_vec);
    // A thread, so that a panic is the script's failure and not the end of all.
    let thread = std::thread::spawn(move || -> Result<Ran, String> {
        let mut kernel = emulated::bare()?;
        for name in modules {
            kernel.call(Call::Module { name, load: true }).map_err(|errno| errno.text())?;
        }
        let interpreter = Interpreter::new(kernel, ipv6);
        Ok(match clock {
            Some(clock) => interpreter.on_the_clock_of(clock).run(&text),
            None => interpreter.run(&text),
        })
    });
    let text = match thread.join() {
        Ok(Ok(ran)) => return ran,
        Ok(Err(text)) => text,
        Err(_) => "the emulation panicked".to_owned(),
    };
    let error = ScriptError { line: 0, word: script.name.clone(), text };
    Ran { error: Some(error), ..Ran::default() }
}

/// One run on the real kernel, and what it shows by itself.
struct Judged {
    printed: Run,
    trial: Trial,
}

/// Runs a script on both sides; again on the real kernel where it differs, to see whether that differs from itself.
pub fn run(oracle: &Oracle, script: &Script) -> Trial {
    let ours = emulate(script, None);
    let mut busy = 0;
    let mut runs: Vec<Run> = Vec::new();
    loop {
        let outcome = match oracle.run(script) {
            Ok(outcome) => outcome,
            Err(text) => return Trial::failed(script, text),
        };
        let judge = |ours: &Ran| judge(&oracle.release, script, &outcome, ours);
        let mut run = judge(&ours);
        if run.trial.verdict == Verdict::Differs {
            let clock = oracle.kernel.clock_of(&outcome.ran);
            let on_its_clock = judge(&emulate(script, Some(&clock)));
            let missing = |run: &Judged| run.trial.score.lines - run.trial.score.equal;
            if on_its_clock.trial.verdict != Verdict::Differs || missing(&on_its_clock) < missing(&run) {
                run = on_its_clock;
                run.trial.on_its_clock = true;
            }
        }
        if run.trial.verdict != Verdict::Differs {
            return Trial { wavers: !runs.is_empty(), ..run.trial };
        }
        if run.trial.late > LATE_MAX {
            busy += 1;
            if busy == ATTEMPTS {
                return Trial { verdict: Verdict::TooBusy, ..run.trial };
            }
            continue;
        }
        runs.push(run.printed);
        if let Some(trial) = together(&runs, &run.trial) {
            return trial;
        }
    }
}

/// What several runs of a script that differs show, once that is known; `last` is of the last one.
fn together(runs: &[Run], last: &Trial) -> Option<Trial> {
    let alike = runs.iter().all(|run| run.real == runs[0].real);
    match chance::command_by_command(runs) {
        Some(Kept::All) => Some(Trial { verdict: Verdict::Agrees, wavers: true, ..last.clone() }),
        _ if alike && runs.len() == ALIKE => Some(last.clone()),
        _ if runs.len() < RUNS_MAX => None,
        Some(Kept::ButWhereLinuxDiffers) => Some(Trial { verdict: Verdict::LinuxDiffers, ..last.clone() }),
        _ => Some(last.clone()),
    }
}

impl Trial {
    fn failed(script: &Script, text: String) -> Trial {
        let score = Score { equal: 0, lines: 0, difference: String::new() };
        let verdict = Verdict::Failed(text);
        Trial {
            name: script.name.clone(),
            score,
            verdict,
            late: Duration::ZERO,
            on_its_clock: false,
            wavers: false,
        }
    }
}

fn judge(release: &str, script: &Script, outcome: &Outcome, ours: &Ran) -> Judged {
    let theirs = &outcome.ran;
    let real = normalise::lines(&theirs.output, script, release);
    let printed = normalise::lines(&ours.output, script, release);
    let score = compare::score(&script.name, &real, &printed);
    let verdict = match (&theirs.error, &ours.error) {
        (Some(error), Some(same)) if error == same => Verdict::Failed(error.to_string()),
        (Some(error), _) => Verdict::Failed(format!("on Linux: {error}")),
        (None, Some(error)) => Verdict::Failed(format!("in the emulation: {error}")),
        (None, None) if score.difference.is_empty() => Verdict::Agrees,
        (None, None) => Verdict::Differs,
    };
    let trial = Trial {
        name: script.name.clone(),
        score,
        verdict,
        late: outcome.late,
        on_its_clock: false,
        wavers: false,
    };
    Judged { printed: Run { real, ours: printed }, trial }
}

/// Runs scripts on both sides, many at once; `told` hears of each as it ends. The results are in the scripts' order.
pub fn run_all(oracle: &Oracle, scripts: &[Script], told: impl Fn(&Trial) + Sync) -> Vec<Trial> {
    let next = AtomicUsize::new(0);
    let trials: Mutex<Vec<(usize, Trial)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..oracle.at_once.min(scripts.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(script) = scripts.get(at) else { return };
                    let trial = run(oracle, script);
                    told(&trial);
                    trials.lock().unwrap_or_else(PoisonError::into_inner).push((at, trial));
                }
            });
        }
    });
    let mut trials = trials.into_inner().unwrap_or_else(PoisonError::into_inner);
    trials.sort_by_key(|(at, _)| *at);
    trials.into_iter().map(|(_, trial)| trial).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(real: &str, ours: &str) -> Run {
        let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<String>>();
        Run { real: lines(real), ours: lines(ours) }
    }

    fn verdict(runs: &[Run]) -> Option<(Verdict, bool)> {
        let score = Score { equal: 0, lines: 0, difference: String::new() };
        let last = Trial {
            name: String::new(),
            score,
            verdict: Verdict::Differs,
            late: Duration::ZERO,
            on_its_clock: false,
            wavers: false,
        };
        together(runs, &last).map(|trial| (trial.verdict, trial.wavers))
    }

    #[test]
    fn what_linux_prints_alike_is_our_difference() {
        let same = || run("$1 a $2 b", "$1 a $2 c");
        let runs = |of: &dyn Fn(usize) -> Run, count| (0..count).map(of).collect::<Vec<Run>>();
        assert_eq!(verdict(&runs(&|_| same(), ALIKE - 1)), None);
        assert_eq!(verdict(&runs(&|_| same(), ALIKE)), Some((Verdict::Differs, false)));
        // One command wavers, of another all runs print the same.
        let either = |at| if at % 2 == 0 { same() } else { run("$1 x $2 b", "$1 a $2 c") };
        assert_eq!(verdict(&runs(&either, RUNS_MAX - 1)), None);
        assert_eq!(verdict(&runs(&either, RUNS_MAX)), Some((Verdict::Differs, false)));
    }

    #[test]
    fn each_command_may_agree_in_a_run_of_its_own() {
        let runs = [run("$1 a $2 b", "$1 a $2 c"), run("$1 x $2 c", "$1 a $2 c")];
        assert_eq!(verdict(&runs), Some((Verdict::Agrees, true)));
    }

    #[test]
    fn where_linux_differs_from_itself_is_said_to_be_no_agreement() {
        let runs = |ours: &str| -> Vec<Run> {
            (0..RUNS_MAX).map(|by_chance| run(&format!("$1 a $2 {by_chance}"), ours)).collect()
        };
        let (all, others) = (runs("$1 a $2 c"), runs("$1 a"));
        assert_eq!(verdict(&all[..RUNS_MAX - 1]), None);
        assert_eq!(verdict(&all), Some((Verdict::LinuxDiffers, false)));
        // Another number of commands.
        assert_eq!(verdict(&others), Some((Verdict::Differs, false)));
    }
}
