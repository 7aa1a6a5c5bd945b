//! The secondary link-layer addresses and groups that a device takes, and how a device passes its own to the one
//! below (net/core/dev_addr_lists.c).

use crate::mac::Mac;

/// One address (`struct netdev_hw_addr`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    pub mac: Mac,
    /// `refcount`: who uses it here, and the devices below that it was passed to.
    pub users: u32,
    /// `synced`: how many devices above passed it here.
    from_above: u32,
    /// `sync_cnt`: how many devices below it was passed to.
    passed: u32,
    /// `global_use`: a user of the machine has put it here (`bridge fdb add … self`).
    pub global: bool,
}

/// `struct netdev_hw_addr_list`, in the order in which the addresses came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MacList(Vec<Listed>);

impl MacList {
    pub fn iter(&self) -> impl Iterator<Item = &Listed> {
        self.0.iter()
    }

    pub fn macs(&self) -> impl Iterator<Item = Mac> {
        self.0.iter().map(|listed| listed.mac)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, mac: Mac) -> bool {
        self.0.iter().any(|listed| listed.mac == mac)
    }

    /// One more user.
    pub fn add(&mut self, mac: Mac) {
        match self.0.iter_mut().find(|listed| listed.mac == mac) {
            Some(listed) => listed.users += 1,
            None => self.0.push(Listed { mac, users: 1, from_above: 0, passed: 0, global: false }),
        }
    }

    /// By hand (`dev_uc_add_excl`). False if it is there already.
    pub fn add_by_hand(&mut self, mac: Mac) -> bool {
        if self.contains(mac) {
            return false;
        }
        self.0.push(Listed { mac, users: 1, from_above: 0, passed: 0, global: true });
        true
    }

    /// A group that a user of the machine wants (`dev_mc_add_global`); once more makes no difference.
    pub fn add_global(&mut self, mac: Mac) {
        match self.0.iter_mut().find(|listed| listed.mac == mac) {
            Some(listed) if listed.global => {}
            Some(listed) => {
                listed.global = true;
                listed.users += 1;
            }
            None => {
                self.add_by_hand(mac);
            }
        }
    }

    /// `dev_mc_del_global`. False if nobody of the machine has put it here.
    pub fn remove_global(&mut self, mac: Mac) -> bool {
        let Some(at) = self.0.iter().position(|listed| listed.mac == mac && listed.global) else {
            return false;
        };
        if let Some(listed) = self.0.get_mut(at) {
            listed.global = false;
        }
        self.release(at);
        true
    }

    /// One user fewer. False if it is not there.
    pub fn remove(&mut self, mac: Mac) -> bool {
        let Some(at) = self.0.iter().position(|listed| listed.mac == mac) else { return false };
        self.release(at);
        true
    }

    /// `__hw_addr_flush`
    pub fn clear(&mut self) {
        self.0.clear();
    }

    fn release(&mut self, at: usize) {
        let Some(listed) = self.0.get_mut(at) else { return };
        listed.users = listed.users.saturating_sub(1);
        if listed.users == 0 {
            self.0.remove(at);
        }
    }

    /// `__hw_addr_sync`: passes what is new to the one list below, and takes from it what has no user here any more.
    pub fn pass_to(&mut self, below: &mut MacList) {
        for mac in self.macs().collect::<Vec<_>>() {
            let Some(listed) = self.0.iter().find(|listed| listed.mac == mac) else { continue };
            match (listed.passed, listed.users) {
                (0, _) => self.pass_one(mac, below),
                (_, 1) => self.take_one(mac, below),
                _ => {}
            }
        }
    }

    /// `__hw_addr_sync_multiple`: the same where there are several below.
    pub fn pass_to_one_of(&mut self, below: &mut MacList) {
        for mac in self.macs().collect::<Vec<_>>() {
            let Some(listed) = self.0.iter().find(|listed| listed.mac == mac) else { continue };
            match listed.passed == listed.users {
                true => self.take_one(mac, below),
                false => self.pass_one(mac, below),
            }
        }
    }

    /// `__hw_addr_unsync`: takes back all that was passed to the list below.
    pub fn take_from(&mut self, below: &mut MacList) {
        for mac in self.macs().collect::<Vec<_>>() {
            if self.0.iter().any(|listed| listed.mac == mac && listed.passed > 0) {
                self.take_one(mac, below);
            }
        }
    }

    /// `__hw_addr_sync_one`
    fn pass_one(&mut self, mac: Mac, below: &mut MacList) {
        let Some(listed) = self.0.iter_mut().find(|listed| listed.mac == mac) else { return };
        match below.0.iter_mut().find(|known| known.mac == mac) {
            Some(known) if known.from_above > 0 && listed.passed > 0 => return,
            Some(known) => {
                known.from_above += 1;
                known.users += 1;
            }
            None => below.0.push(Listed { mac, users: 1, from_above: 1, passed: 0, global: false }),
        }
        listed.passed += 1;
        listed.users += 1;
    }

    /// `__hw_addr_unsync_one`
    fn take_one(&mut self, mac: Mac, below: &mut MacList) {
        let Some(at) = below.0.iter().position(|known| known.mac == mac && known.from_above > 0) else {
            return;
        };
        if let Some(known) = below.0.get_mut(at) {
            known.from_above -= 1;
        }
        below.release(at);
        if let Some(at) = self.0.iter().position(|listed| listed.mac == mac) {
            if let Some(listed) = self.0.get_mut(at) {
                listed.passed = listed.passed.saturating_sub(1);
            }
            self.release(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Mac = Mac([2, 0, 0, 0, 0, 1]);
    const B: Mac = Mac([2, 0, 0, 0, 0, 2]);

    fn users(list: &MacList) -> Vec<(Mac, u32)> {
        list.iter().map(|listed| (listed.mac, listed.users)).collect()
    }

    #[test]
    fn an_address_that_is_passed_has_one_more_user() {
        let (mut above, mut below) = (MacList::default(), MacList::default());
        above.add(A);
        above.pass_to(&mut below);
        above.pass_to(&mut below);
        assert_eq!((users(&above), users(&below)), (vec![(A, 2)], vec![(A, 1)]));
        above.remove(A);
        above.pass_to(&mut below);
        assert!(above.is_empty() && below.is_empty());
    }

    #[test]
    fn taking_back_leaves_other_users() {
        let (mut above, mut below) = (MacList::default(), MacList::default());
        below.add(A);
        above.add(A);
        above.add(B);
        above.pass_to(&mut below);
        assert_eq!(users(&below), [(A, 2), (B, 1)]);
        above.take_from(&mut below);
        assert_eq!((users(&above), users(&below)), (vec![(A, 1), (B, 1)], vec![(A, 1)]));
    }

    #[test]
    fn several_below_get_each_address() {
        let mut above = MacList::default();
        let mut below = [MacList::default(), MacList::default()];
        above.add(A);
        for list in &mut below {
            above.pass_to_one_of(list);
        }
        assert_eq!(users(&above), [(A, 3)]);
        above.remove(A);
        for list in &mut below {
            above.pass_to_one_of(list);
        }
        assert!(above.is_empty() && below.iter().all(MacList::is_empty));
    }

    #[test]
    fn a_group_of_the_machine_is_one_user() {
        let mut list = MacList::default();
        list.add(A);
        assert!(!list.remove_global(A));
        list.add_global(A);
        list.add_global(A);
        list.add_global(B);
        assert_eq!(users(&list), [(A, 2), (B, 1)]);
        assert!(list.remove_global(A) && list.remove_global(B) && !list.remove_global(A));
        assert_eq!(users(&list), [(A, 1)]);
    }

    #[test]
    fn by_hand_only_once() {
        let mut list = MacList::default();
        assert!(list.add_by_hand(A) && !list.add_by_hand(A));
        assert!(list.remove(A) && !list.remove(A));
    }
}
