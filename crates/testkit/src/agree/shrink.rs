//! The smallest script that still shows a difference (delta debugging, Zeller and Hildebrandt 2002).

/// Takes lines away, chunks first, as long as `differs` says that a difference remains. `told` hears of every step.
pub fn shrink(text: &str, mut differs: impl FnMut(&str) -> bool, mut told: impl FnMut(usize)) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let mut chunk = lines.len().div_ceil(2);
    while chunk > 0 {
        let mut at = 0;
        let mut taken = false;
        while at < lines.len() {
            let end = (at + chunk).min(lines.len());
            let mut without = lines.clone();
            without.drain(at..end);
            let candidate = joined(&without);
            if !without.is_empty() && differs(&candidate) {
                lines = without;
                taken = true;
                told(lines.len());
            } else {
                at = end;
            }
        }
        // Once more at the same size only where that helped and is cheap.
        chunk = if taken && chunk == 1 && lines.len() < 40 { 1 } else { chunk / 2 };
    }
    joined(&lines)
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
    assert_eq!(shrink(&text, differs, |_| ()), "17\n63\n");
}
