//! The network cards of a world's hosts.

use crate::place::Place;

/// `$ COMMAND`, what it prints, `rc=CODE`.
const RECORDED: &str = include_str!("card.txt");

#[test]
fn a_card_and_what_stands_on_it_say_what_an_e1000_says() {
    let place = Place::new("card");
    let recorded: Vec<&str> = RECORDED.lines().filter(|line| !line.starts_with('#')).collect();
    let commands = recorded.iter().filter_map(|line| line.strip_prefix("$ "));
    let script: String =
        commands.map(|command| format!("echo '$ {command}'; {command} 2>&1; echo rc=$?\n")).collect();
    let outcome = place.hairpin_with(&["run", "-"], &script);
    assert_eq!(outcome.err, "");
    let printed: Vec<&str> = outcome.out.lines().collect();
    assert_eq!(printed.join("\n"), recorded.join("\n"));
}

#[test]
fn a_card_is_a_device_of_the_bus() {
    let place = Place::new("card-bus");
    let world = "\
hosts:
  pc:
    nics: {eth0: {segment: lan}, eth1: {segment: lan}}
segments:
  lan: {kind: switch}
";
    place.write("w.yaml", world);
    let script = "\
for card in eth0 eth1; do
    ip -d link show dev $card | grep -o 'parentbus.*[0-9]'
    grep -E 'DRIVER|SLOT' /sys/class/net/$card/device/uevent
    cat /sys/class/net/$card/device/vendor
    basename \"$(readlink /sys/class/net/$card/device/driver)\"
done
ls -d /sys/class/net/lo/device 2>/dev/null || echo none
";
    let outcome = place.hairpin_with(&["run", "--world", "w.yaml", "-"], script);
    assert_eq!(outcome.err, "");
    assert_eq!(
        outcome.out,
        "parentbus pci parentdev 0000:00:03.0\nDRIVER=e1000\nPCI_SLOT_NAME=0000:00:03.0\n0x8086\ne1000\n\
         parentbus pci parentdev 0000:00:04.0\nDRIVER=e1000\nPCI_SLOT_NAME=0000:00:04.0\n0x8086\ne1000\nnone\n"
    );
}
