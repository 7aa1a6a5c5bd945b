//! A key of a namespace: its form, its default, and where its value is kept.

use hairpin_netlink::Errno;

use super::number;
use crate::netns::NsId;
use crate::sysctl::Sysctl;
use crate::world::World;

/// What may be written to a key, and how it shows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// Integers in a range, parted by tabs. Fewer written leave the last ones as they are.
    Integers { count: usize, min: i64, max: i64 },
    /// Any integer, kept as 0 or 1.
    Flag,
    /// One line.
    Text,
    /// One or more of these words.
    Words(&'static [&'static str]),
    /// A set of numbers below this.
    Bitmap(u32),
    /// Read only.
    Fixed,
    /// Write only: something happens, nothing is kept.
    Trigger,
}

/// Which namespaces have a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Where {
    Everywhere,
    /// It is the kernel's, and shows in its first namespace only.
    First,
    /// Where br_netfilter is loaded.
    BridgeNetfilter,
}

/// Of what kernel a namespace is, as far as keys hang on that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings {
    /// It is the first one.
    pub first: bool,
    pub bridge_netfilter: bool,
}

/// A value that the stack uses.
#[derive(Clone, Copy)]
pub(super) struct Field {
    get: fn(&Sysctl) -> Vec<i64>,
    set: fn(&mut World, NsId, &[i64]) -> Result<(), Errno>,
}

/// A file of `/proc/sys/net` that is there whatever devices there are.
#[derive(Clone, Copy)]
pub(super) struct Key {
    /// Path below `/proc/sys/net`.
    pub name: &'static str,
    form: Form,
    default: &'static str,
    place: Where,
    /// The first namespace alone may set it; the others show it.
    of_the_kernel: bool,
    field: Option<Field>,
}

const fn new(name: &'static str, form: Form, default: &'static str) -> Key {
    Key { name, form, default, place: Where::Everywhere, of_the_kernel: false, field: None }
}

/// `proc_dointvec`
pub(super) const fn int(name: &'static str, default: &'static str) -> Key {
    range(name, default, i32::MIN as i64, i32::MAX as i64)
}

/// `proc_dou8vec_minmax` and other small numbers from 0.
pub(super) const fn small(name: &'static str, default: &'static str, max: i64) -> Key {
    range(name, default, 0, max)
}

/// 0 or 1.
pub(super) const fn switch(name: &'static str, default: &'static str) -> Key {
    range(name, default, 0, 1)
}

/// `brnf_sysctl_call_tables`: any number but 0 is 1.
pub(super) const fn flag(name: &'static str, default: &'static str) -> Key {
    new(name, Form::Flag, default)
}

/// `proc_douintvec`
pub(super) const fn unsigned(name: &'static str, default: &'static str) -> Key {
    range(name, default, 0, u32::MAX as i64)
}

/// `proc_doulongvec_minmax`, as far as numbers reach here.
pub(super) const fn long(name: &'static str, default: &'static str) -> Key {
    range(name, default, 0, i64::MAX)
}

pub(super) const fn range(name: &'static str, default: &'static str, min: i64, max: i64) -> Key {
    new(name, Form::Integers { count: 1, min, max }, default)
}

pub(super) const fn integers(
    name: &'static str,
    default: &'static str,
    count: usize,
    min: i64,
    max: i64,
) -> Key {
    new(name, Form::Integers { count, min, max }, default)
}

pub(super) const fn text(name: &'static str, default: &'static str) -> Key {
    new(name, Form::Text, default)
}

pub(super) const fn words(name: &'static str, default: &'static str, known: &'static [&'static str]) -> Key {
    new(name, Form::Words(known), default)
}

pub(super) const fn bitmap(name: &'static str, default: &'static str, size: u32) -> Key {
    new(name, Form::Bitmap(size), default)
}

pub(super) const fn fixed(name: &'static str, value: &'static str) -> Key {
    new(name, Form::Fixed, value)
}

pub(super) const fn trigger(name: &'static str) -> Key {
    new(name, Form::Trigger, "")
}

impl Key {
    /// The first namespace alone has it.
    pub const fn first(mut self) -> Key {
        self.place = Where::First;
        self
    }

    /// The kernel has one for all namespaces, and only the first one may set it.
    pub const fn of_the_kernel(mut self) -> Key {
        self.of_the_kernel = true;
        self
    }

    /// It comes with br_netfilter.
    pub const fn of_bridge_netfilter(mut self) -> Key {
        self.place = Where::BridgeNetfilter;
        self
    }

    /// The value is one that the stack uses.
    pub const fn field(
        mut self,
        get: fn(&Sysctl) -> Vec<i64>,
        set: fn(&mut World, NsId, &[i64]) -> Result<(), Errno>,
    ) -> Key {
        self.field = Some(Field { get, set });
        self
    }

    /// Whether a namespace has the key.
    pub fn is_in(&self, around: Surroundings) -> bool {
        match self.place {
            Where::Everywhere => true,
            Where::First => around.first,
            Where::BridgeNetfilter => around.bridge_netfilter,
        }
    }

    /// Who may do what with the file, as in its `struct ctl_table`.
    pub fn mode(&self, around: Surroundings) -> u32 {
        match self.form {
            Form::Trigger => 0o200,
            Form::Fixed => 0o444,
            _ if self.of_the_kernel && !around.first => 0o444,
            _ => 0o644,
        }
    }

    pub fn read(&self, sysctl: &Sysctl) -> Result<String, Errno> {
        if let Form::Trigger = self.form {
            return Err(Errno::EACCES);
        }
        Ok(self.value(sysctl) + "\n")
    }

    fn value(&self, sysctl: &Sysctl) -> String {
        match self.field {
            Some(field) => shown(&(field.get)(sysctl)),
            None => sysctl.other.get(self.name).cloned().unwrap_or_else(|| self.default.to_owned()),
        }
    }

    /// # Errors
    /// `EACCES` for a key that is read only, `EINVAL` for a value that it cannot have.
    pub fn write(&self, world: &mut World, ns: NsId, data: &[u8]) -> Result<(), Errno> {
        let refused = self.of_the_kernel && !super::device::is_first(world, ns);
        if matches!(self.form, Form::Fixed) || refused {
            return Err(Errno::EACCES);
        }
        if data.is_empty() {
            return Ok(());
        }
        let sysctl = &world.netns.get(ns).ok_or(Errno::ENOENT)?.sysctl;
        let value = match self.form {
            Form::Fixed => return Err(Errno::EACCES),
            Form::Trigger => {
                number::integers(data, 1)?;
                if self.name == "ipv4/route/flush" {
                    world.routes.flush(ns);
                }
                return Ok(());
            }
            Form::Integers { count, min, max } => {
                let written = number::integers(data, count)?;
                if written.iter().any(|value| !(min..=max).contains(value)) {
                    return Err(Errno::EINVAL);
                }
                // Those not written keep their values.
                let old = number::integers(self.value(sysctl).as_bytes(), count).unwrap_or_default();
                let all: Vec<i64> = written.iter().chain(old.iter().skip(written.len())).copied().collect();
                if let Some(field) = self.field {
                    return (field.set)(world, ns, &all);
                }
                shown(&all)
            }
            Form::Flag => {
                let on = number::integers(data, 1)?.first().is_some_and(|value| *value != 0);
                if let Some(field) = self.field {
                    return (field.set)(world, ns, &[i64::from(on)]);
                }
                u8::from(on).to_string()
            }
            Form::Text => number::text(data)?.lines().next().unwrap_or_default().to_owned(),
            Form::Words(known) => {
                let written: Vec<&str> = number::text(data)?.split_whitespace().collect();
                if written.is_empty() || written.iter().any(|word| !known.contains(word)) {
                    return Err(Errno::ENOENT);
                }
                written.join(" ")
            }
            Form::Bitmap(size) => number::bitmap(data, size)?,
        };
        if let Some(netns) = world.netns.get_mut(ns) {
            netns.sysctl.other.insert(self.name.to_owned(), value);
        }
        Ok(())
    }
}

fn shown(values: &[i64]) -> String {
    values.iter().map(i64::to_string).collect::<Vec<_>>().join("\t")
}
