//! The smallest script that still shows a difference (delta debugging, Zeller and Hildebrandt 2002).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Takes lines away as long as `differs` says that the difference remains: it is asked about several candidates at
/// once, in `at_once` threads. Sleeps stay, for without them another difference would show, that of an instant. `told`
/// hears how many lines are left.
pub fn shrink(
    text: &str,
    at_once: usize,
    differs: impl Fn(&str) -> bool + Sync,
    mut told: impl FnMut(usize),
) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let mut parts = 8;
    loop {
        let chunks = chunks(&lines, parts);
        if chunks.is_empty() {
            return joined(&lines);
        }
        let candidates: Vec<String> = chunks.iter().map(|chunk| without(&lines, &[chunk])).collect();
        let good = ask(&candidates, at_once, &differs);
        let good: Vec<&Vec<usize>> =
            chunks.iter().zip(good).filter(|(_, good)| *good).map(|(chunk, _)| chunk).collect();
        // What may go one by one may often go together; else half of it, and so on.
        let mut taken = good.len();
        while taken > 1 && !differs(&without(&lines, &good[..taken])) {
            taken /= 2;
        }
        if taken > 0 {
            let kept: Vec<usize> =
                (0..lines.len()).filter(|at| !good[..taken].iter().any(|chunk| chunk.contains(at))).collect();
            lines = kept.into_iter().filter_map(|at| lines.get(at).copied()).collect();
            told(lines.len());
        }
        let all_single = chunks.iter().all(|chunk| chunk.len() == 1);
        match (taken, all_single) {
            (0, true) => return joined(&lines),
            (0, false) => parts *= 2,
            _ => {}
        }
    }
}

/// The places of the lines that may go, in so many parts.
fn chunks(lines: &[&str], parts: usize) -> Vec<Vec<usize>> {
    let places: Vec<usize> =
        lines.iter().enumerate().filter(|(_, line)| !line.starts_with("sleep ")).map(|(at, _)| at).collect();
    if places.len() < 2 {
        return Vec::new();
    }
    places.chunks(places.len().div_ceil(parts).max(1)).map(<[usize]>::to_vec).collect()
}

fn without(lines: &[&str], chunks: &[&Vec<usize>]) -> String {
    let kept: Vec<&str> = lines
        .iter()
        .enumerate()
        .filter(|(at, _)| !chunks.iter().any(|chunk| chunk.contains(at)))
        .map(|(_, line)| *line)
        .collect();
    joined(&kept)
}

fn ask(candidates: &[String], at_once: usize, differs: &(impl Fn(&str) -> bool + Sync)) -> Vec<bool> {
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(vec![false; candidates.len()]);
    std::thread::scope(|scope| {
        for _ in 0..at_once.min(candidates.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(candidate) = candidates.get(at) else { return };
                    let answer = differs(candidate);
                    if let Some(place) = answers.lock().unwrap_or_else(PoisonError::into_inner).get_mut(at) {
                        *place = answer;
                    }
                }
            });
        }
    });
    answers.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn joined(lines: &[&str]) -> String {
    lines.iter().flat_map(|line| [*line, "\n"]).collect()
}

#[test]
fn what_does_not_matter_goes() {
    let text: String = (0..100).map(|number| format!("{number}\n")).collect();
    let differs = |text: &str| {
        let has = |line: &str| text.lines().any(|known| known == line);
        has("17") && has("63")
    };
    assert_eq!(shrink(&text, 4, differs, |_| ()), "17\n63\n");
}
