//! Worlds for the tests of files: made by command lines, asked by path.
#![allow(dead_code)]

use hairpin_kernel::task::LocalSystem;
use hairpin_kernel::{TaskId, World};
use hairpin_netlink::{Errno, System as _};
use hairpin_tools::quiet::{self, QuietShell};

/// One machine with a task in a second namespace, as `unshare -n` makes one.
pub struct Lab {
    pub world: World,
    pub task: TaskId,
}

/// Devices of every kind that stacks.
pub const DEVICES: &[&str] = &[
    "ip link add br0 type bridge",
    "ip link add v0 type veth peer name v1",
    "ip link set v0 master br0",
    "ip link add mv0 link v1 type macvlan mode bridge",
];

impl Lab {
    pub fn new() -> Lab {
        let mut world = World::new(1);
        world.add_host("pc").expect("a first host");
        let task = world.open_task("pc", None).expect("a task");
        let mut lab = Lab { world, task };
        lab.run("ip netns add x");
        lab.task = lab.world.open_task("pc", Some("x")).expect("a namespace just made");
        lab
    }

    /// In the machine's first namespace.
    pub fn first() -> Lab {
        let mut world = World::new(1);
        world.add_host("pc").expect("a first host");
        let task = world.open_task("pc", None).expect("a task");
        Lab { world, task }
    }

    pub fn usual() -> Lab {
        let mut lab = Lab::new();
        for line in DEVICES {
            lab.run(line);
        }
        lab
    }

    pub fn run(&mut self, line: &str) {
        let argv: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let mut shell = QuietShell::default();
        let mut system = LocalSystem { world: &mut self.world, task: self.task };
        let code = quiet::run(&mut system, &mut shell, &argv);
        assert_eq!(code, 0, "{line}: {}", String::from_utf8_lossy(&shell.err));
    }

    /// What a command prints.
    pub fn output(&mut self, line: &str) -> String {
        let argv: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let mut shell = QuietShell::default();
        let mut system = LocalSystem { world: &mut self.world, task: self.task };
        quiet::run(&mut system, &mut shell, &argv);
        String::from_utf8_lossy(&shell.out).into_owned() + &String::from_utf8_lossy(&shell.err)
    }

    pub fn system(&mut self) -> LocalSystem<'_> {
        LocalSystem { world: &mut self.world, task: self.task }
    }

    pub fn read(&mut self, path: &str) -> Result<String, Errno> {
        // A bridge's addresses are no text.
        self.system().read_file(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    pub fn write(&mut self, path: &str, value: &str) -> Result<(), Errno> {
        self.system().write_file(path, value.as_bytes())
    }

    pub fn list(&mut self, path: &str) -> Result<Vec<String>, Errno> {
        self.system().list_directory(path)
    }

    /// What reading gives, errors by their texts.
    pub fn shown(&mut self, path: &str) -> String {
        self.read(path).unwrap_or_else(|errno| errno.text())
    }
}
