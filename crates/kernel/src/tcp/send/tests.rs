use super::*;

const NOW: Time = Time(1_000_000_000);

fn sender() -> Sender {
    let mut sender = Sender::new(Seq(999));
    sender.sent_syn(NOW);
    sender.start_window(65_535, Seq(0), Seq(1000));
    sender.acknowledge(Seq(1), Seq(1000), 65_535, &[], None, false, NOW + Duration::from_millis(1));
    sender.mss = 100;
    sender
}

fn sent(sender: &mut Sender) -> Vec<(u32, u32)> {
    std::iter::from_fn(|| sender.next_segment(100, NOW)).map(|(seq, len, _, _)| (seq.0, len)).collect()
}

#[test]
fn a_small_segment_waits_for_the_one_before() {
    let mut sender = sender();
    sender.write(b"ab");
    assert_eq!(sender.next_segment(100, NOW), Some((Seq(1000), 2, true, false)));
    sender.write(b"cd");
    assert_eq!(sender.next_segment(100, NOW), None);
    sender.acknowledge(Seq(1), Seq(1002), 65_535, &[], None, true, NOW);
    assert_eq!(sender.next_segment(100, NOW), Some((Seq(1002), 2, true, false)));
    sender.no_delay = true;
    sender.write(b"e");
    assert_eq!(sender.next_segment(100, NOW), Some((Seq(1004), 1, true, false)));
}

#[test]
fn the_congestion_window_opens_as_acknowledgements_come() {
    let mut sender = sender();
    sender.write(&[0; 5000]);
    assert_eq!(sent(&mut sender).len(), 10);
    sender.acknowledge(Seq(1), Seq(1200), 65_535, &[], None, true, NOW);
    assert_eq!(sent(&mut sender), [(2000, 100), (2100, 100), (2200, 100), (2300, 100)]);
}

#[test]
fn a_loss_is_mended_after_three_duplicates() {
    let mut sender = sender();
    sender.write(&[0; 1000]);
    sent(&mut sender);
    for _ in 0..2 {
        sender.acknowledge(Seq(1), Seq(1100), 65_535, &[], None, true, NOW);
        assert_eq!(sent(&mut sender), []);
    }
    for _ in 0..2 {
        sender.acknowledge(Seq(1), Seq(1100), 65_535, &[], None, true, NOW);
    }
    assert_eq!(sent(&mut sender), [(1100, 100)]);
}

#[test]
fn sack_tells_what_is_lost() {
    let mut sender = sender();
    sender.write(&[0; 1000]);
    sent(&mut sender);
    let blocks = [(Seq(1200), Seq(1300)), (Seq(1400), Seq(1600))];
    sender.acknowledge(Seq(1), Seq(1100), 65_535, &blocks, None, true, NOW);
    assert_eq!(sent(&mut sender), [(1100, 100)]);
    sender.acknowledge(Seq(1), Seq(1100), 65_535, &[(Seq(1400), Seq(1900))], None, true, NOW);
    assert_eq!(sent(&mut sender), [(1300, 100)]);
}

#[test]
fn after_a_timeout_everything_goes_again_one_by_one() {
    let mut sender = sender();
    sender.write(&[0; 300]);
    sent(&mut sender);
    let due = sender.timeout_at.expect("a timeout");
    assert!(due >= NOW + Duration::from_millis(200) && due < NOW + Duration::from_millis(230));
    sender.timed_out(due);
    assert_eq!(sent(&mut sender), [(1000, 100)]);
    sender.acknowledge(Seq(1), Seq(1100), 65_535, &[], None, true, due);
    assert_eq!(sent(&mut sender), [(1100, 100), (1200, 100)]);
}

#[test]
fn a_closed_window_is_probed() {
    let mut sender = sender();
    sender.acknowledge(Seq(2), Seq(1000), 0, &[], None, true, NOW);
    sender.write(b"x");
    assert_eq!(sender.next_segment(100, NOW), None);
    sender.watch_window(NOW);
    assert!(sender.is_blocked() && sender.timeout_at.is_some());
    sender.acknowledge(Seq(3), Seq(1000), 10, &[], None, true, NOW);
    assert_eq!(sent(&mut sender), [(1000, 1)]);
}

#[test]
fn the_end_rides_on_the_last_data() {
    let mut sender = sender();
    sender.write(&[1; 150]);
    sender.is_closing = true;
    assert_eq!(sender.next_segment(100, NOW), Some((Seq(1000), 100, false, false)));
    assert_eq!(sender.next_segment(100, NOW), Some((Seq(1100), 50, true, true)));
    assert_eq!(sender.next_segment(100, NOW), None);
    assert_eq!(sender.next, Seq(1151));
}
