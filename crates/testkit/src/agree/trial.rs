//! One script on both sides, and what differs.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hairpin_netlink::Call;

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
    /// It differed in one run on the real kernel and agrees in another: Linux does not always print the same.
    pub wavers: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Agrees,
    Differs,
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

/// Runs a script on both sides; once more on the real kernel where it differs.
pub fn run(oracle: &Oracle, script: &Script) -> Trial {
    let ours = emulate(script, None);
    let mut busy = 0;
    let mut differed: Option<(Trial, Vec<String>)> = None;
    loop {
        let outcome = match oracle.run(script) {
            Ok(outcome) => outcome,
            Err(text) => return Trial::failed(script, text),
        };
        let judge = |ours: &Ran| judge(&oracle.release, script, &outcome, ours);
        let mut trial = judge(&ours);
        if trial.verdict == Verdict::Differs {
            let clock = oracle.kernel.clock_of(&outcome.ran);
            let on_its_clock = judge(&emulate(script, Some(&clock)));
            let missing = |score: &Score| score.lines - score.equal;
            if on_its_clock.verdict != Verdict::Differs
                || missing(&on_its_clock.score) < missing(&trial.score)
            {
                trial = Trial { on_its_clock: true, ..on_its_clock };
            }
        }
        if trial.verdict != Verdict::Differs {
            return Trial { wavers: differed.is_some(), ..trial };
        }
        let printed = normalise::lines(&outcome.ran.output, script, &oracle.release);
        match &differed {
            _ if trial.late > LATE_MAX => busy += 1,
            None => differed = Some((trial.clone(), printed)),
            // Alike twice, or never as ours.
            Some((_, before)) if *before == printed || busy > 0 => return trial,
            Some(_) => busy += 1,
        }
        if busy == ATTEMPTS {
            return Trial { verdict: Verdict::TooBusy, ..trial };
        }
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

fn judge(release: &str, script: &Script, outcome: &Outcome, ours: &Ran) -> Trial {
    let real = &outcome.ran;
    let score = compare::score(
        &script.name,
        &normalise::lines(&real.output, script, release),
        &normalise::lines(&ours.output, script, release),
    );
    let verdict = match (&real.error, &ours.error) {
        (Some(error), Some(same)) if error == same => Verdict::Failed(error.to_string()),
        (Some(error), _) => Verdict::Failed(format!("on Linux: {error}")),
        (None, Some(error)) => Verdict::Failed(format!("in the emulation: {error}")),
        (None, None) if score.difference.is_empty() => Verdict::Agrees,
        (None, None) => Verdict::Differs,
    };
    Trial {
        name: script.name.clone(),
        score,
        verdict,
        late: outcome.late,
        on_its_clock: false,
        wavers: false,
    }
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
