//! When virtual time moves.
//!
//! Time moves only while programs wait for it:
//!
//! 1. A foreground program in a bounded wait (`sleep 6`, `ping -c 3`) lets it jump to the next instant at which
//!    something happens.
//! 2. A foreground program in an unbounded wait (`tcpdump`) lets it follow the wall clock.
//! 3. Programs in the background move it only while nothing else in the session is running.
//! 4. A shell at which somebody types waits without end while it shows its prompt: then, too, it follows the wall clock.
//!
//! A program that is not waiting stops it for everybody, unless it is stuck elsewhere (a full pipe, a terminal).

use super::Pace;

/// One program, as the clock sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Participant {
    pub foreground: bool,
    pub state: Activity,
}

/// What a program is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// In [`hairpin_netlink::Call::Wait`].
    Waiting { bounded: bool },
    /// Computing: it will call again.
    Busy,
    /// Blocked on something that the session does not see.
    Stuck,
}

/// What the clock does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It stands.
    Stand,
    /// It jumps to the next event or deadline.
    Jump,
    /// It follows the wall clock.
    Follow,
    /// It jumps if the session is idle, and does `otherwise` if it is not.
    JumpIfIdle { follow_otherwise: bool },
    /// It follows the wall clock if the session is idle.
    FollowIfIdle,
}

/// The rules.
pub fn decide(
    pace: Pace,
    participants: impl IntoIterator<Item = Participant>,
    somebody_types: bool,
) -> Decision {
    if pace == Pace::Real {
        return Decision::Follow;
    }
    // [foreground][bounded]
    let mut waiting = [[false; 2]; 2];
    for participant in participants {
        match participant.state {
            Activity::Busy => return Decision::Stand,
            Activity::Stuck => {}
            Activity::Waiting { bounded } => {
                waiting[usize::from(participant.foreground)][usize::from(bounded)] = true;
            }
        }
    }
    let [[background_open, background_bounded], [foreground_open, foreground_bounded]] = waiting;
    if foreground_bounded {
        Decision::Jump
    } else if background_bounded {
        Decision::JumpIfIdle { follow_otherwise: foreground_open }
    } else if foreground_open {
        Decision::Follow
    } else if background_open || somebody_types {
        Decision::FollowIfIdle
    } else {
        Decision::Stand
    }
}

/// Ties virtual time to the wall clock while it follows it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pacer {
    /// Wall clock and virtual clock at the start of following, in nanoseconds.
    anchor: Option<(u64, u64)>,
}

impl Pacer {
    /// The virtual time that belongs to `wall_ns`; starts following at the first call after [`Pacer::stop`].
    pub fn target(&mut self, wall_ns: u64, virtual_ns: u64) -> u64 {
        let (wall, start) = *self.anchor.get_or_insert((wall_ns, virtual_ns));
        start.saturating_add(wall_ns.saturating_sub(wall))
    }

    pub fn stop(&mut self) {
        self.anchor = None;
    }

    pub fn is_following(&self) -> bool {
        self.anchor.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLEEP: Activity = Activity::Waiting { bounded: true };
    const WATCH: Activity = Activity::Waiting { bounded: false };

    fn foreground(state: Activity) -> Participant {
        Participant { foreground: true, state }
    }

    fn background(state: Activity) -> Participant {
        Participant { foreground: false, state }
    }

    fn virtually(participants: &[Participant]) -> Decision {
        decide(Pace::Virtual, participants.iter().copied(), false)
    }

    #[test]
    fn nobody_waits() {
        assert_eq!(virtually(&[]), Decision::Stand);
        assert_eq!(virtually(&[foreground(Activity::Stuck)]), Decision::Stand);
    }

    #[test]
    fn a_bounded_wait_jumps_once_everybody_waits() {
        assert_eq!(virtually(&[foreground(SLEEP)]), Decision::Jump);
        assert_eq!(virtually(&[foreground(SLEEP), background(WATCH)]), Decision::Jump);
        assert_eq!(virtually(&[foreground(SLEEP), foreground(WATCH)]), Decision::Jump);
        assert_eq!(virtually(&[foreground(SLEEP), background(Activity::Busy)]), Decision::Stand);
        assert_eq!(virtually(&[foreground(SLEEP), background(Activity::Stuck)]), Decision::Jump);
    }

    #[test]
    fn an_unbounded_wait_follows_the_wall_clock() {
        assert_eq!(virtually(&[foreground(WATCH)]), Decision::Follow);
        assert_eq!(virtually(&[foreground(WATCH), background(WATCH)]), Decision::Follow);
        assert_eq!(virtually(&[foreground(WATCH), foreground(Activity::Busy)]), Decision::Stand);
    }

    #[test]
    fn the_background_moves_time_only_while_idle() {
        let jump = |follow_otherwise| Decision::JumpIfIdle { follow_otherwise };
        assert_eq!(virtually(&[background(SLEEP)]), jump(false));
        assert_eq!(virtually(&[background(SLEEP), background(WATCH)]), jump(false));
        assert_eq!(virtually(&[background(SLEEP), foreground(WATCH)]), jump(true));
        assert_eq!(virtually(&[background(WATCH)]), Decision::FollowIfIdle);
    }

    #[test]
    fn a_prompt_follows_the_wall_clock_while_nothing_runs() {
        let prompting =
            |participants: &[Participant]| decide(Pace::Virtual, participants.iter().copied(), true);
        assert_eq!(prompting(&[]), Decision::FollowIfIdle);
        assert_eq!(prompting(&[foreground(Activity::Busy)]), Decision::Stand);
        assert_eq!(prompting(&[foreground(SLEEP)]), Decision::Jump);
        assert_eq!(prompting(&[background(SLEEP)]), Decision::JumpIfIdle { follow_otherwise: false });
    }

    #[test]
    fn the_real_pace_asks_nobody() {
        assert_eq!(decide(Pace::Real, [foreground(Activity::Busy)], false), Decision::Follow);
    }

    #[test]
    fn the_pacer_counts_from_where_it_started() {
        let mut pacer = Pacer::default();
        assert_eq!(pacer.target(1000, 5), 5);
        assert_eq!(pacer.target(1400, 5), 405);
        pacer.stop();
        assert_eq!(pacer.target(9000, 405), 405);
        assert_eq!(pacer.target(8000, 405), 405);
    }
}
