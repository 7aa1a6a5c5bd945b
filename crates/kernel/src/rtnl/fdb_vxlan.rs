//! Forwarding databases of vxlan devices: their part of the messages of `AF_BRIDGE` (`vxlan_fdb_add`,
//! `vxlan_fdb_delete`, `vxlan_fdb_dump`, `vxlan_fdb_get`).

use std::net::IpAddr;

use hairpin_netlink::codec::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage,
};
use hairpin_netlink::route::route::RouteType;
use hairpin_netlink::{Errno, Failure, Message, neighbour_cache_info};

use crate::dev::vxlan::{Entry, Key, Missed, Remote};
use crate::device::DevId;
use crate::mac::Mac;
use crate::neigh::nud;
use crate::time::Time;
use crate::world::World;

use super::Dump;
use super::neigh::ntf;

impl World {
    /// `vxlan_fdb_parse`: the tunnel's end that a request names.
    fn vxlan_remote(
        &self,
        dev: DevId,
        mac: Mac,
        message: &NeighbourMessage,
    ) -> Result<(Key, Remote), Failure> {
        let state = self.vxlan(dev).ok_or(Errno::EOPNOTSUPP)?;
        let mut remote = Remote { ip: state.config.nowhere(), ifindex: 0, ..state.default_remote() };
        let wanted = state.config.is_over_ipv6();
        let mut network = 0;
        for attribute in &message.attributes {
            match attribute {
                NeighbourAttribute::Destination(destination) => {
                    let ip = match destination {
                        NeighbourAddress::Inet(ip) => IpAddr::V4(*ip),
                        NeighbourAddress::Inet6(ip) => IpAddr::V6(*ip),
                        NeighbourAddress::Other(bytes) => match (bytes.first_chunk(), bytes.first_chunk()) {
                            (_, Some(octets)) if bytes.len() == 16 => IpAddr::from(*octets as [u8; 16]),
                            (Some(octets), _) if bytes.len() == 4 => IpAddr::from(*octets as [u8; 4]),
                            _ => {
                                let text = "Unsupported address family";
                                return Err(Failure::with_text(Errno::EAFNOSUPPORT, text));
                            }
                        },
                        _ => return Err(Errno::EAFNOSUPPORT.into()),
                    };
                    if ip.is_ipv6() != wanted {
                        return Err(Errno::EAFNOSUPPORT.into());
                    }
                    remote.ip = ip;
                }
                NeighbourAttribute::Port(port) => remote.port = *port,
                NeighbourAttribute::Vni(vni) => remote.vni = *vni,
                NeighbourAttribute::SourceVni(vni) => network = state.learned_in(*vni),
                NeighbourAttribute::IfIndex(ifindex) => {
                    let ns = self.devs.get(dev).ok_or(Errno::ENODEV)?.ns;
                    if self.device_at(ns, *ifindex).is_none() {
                        return Err(Failure::with_text(Errno::EADDRNOTAVAIL, "Device not found"));
                    }
                    remote.ifindex = *ifindex;
                }
                _ => {}
            }
        }
        Ok(((mac, network), remote))
    }

    /// `vxlan_fdb_add`, `vxlan_fdb_update`
    ///
    /// # Errors
    /// The kernel's errno and extended-ack text.
    pub(super) fn add_vxlan_entry(
        &mut self,
        dev: DevId,
        mac: Mac,
        message: &NeighbourMessage,
        flags: u16,
    ) -> Result<(), Failure> {
        let state = u16::from(message.header.state);
        let has_destination =
            message.attributes.iter().any(|a| matches!(a, NeighbourAttribute::Destination(_)));
        if state & (nud::PERMANENT | nud::REACHABLE) == 0 || !has_destination {
            return Err(Errno::EINVAL.into());
        }
        let (key, remote) = self.vxlan_remote(dev, mac, message)?;
        let own = message.header.flags.bits();
        let now = self.now;
        let many = mac.is_group() || mac.is_zero();
        let vxlan = self.vxlan_mut(dev).ok_or(Errno::EOPNOTSUPP)?;
        let limit = vxlan.config.limit;
        let changed = match vxlan.fdb.get_mut(key) {
            Some(_) if flags & NLM_F_EXCL != 0 => return Err(Errno::EEXIST.into()),
            Some(entry) => {
                let mut changed = false;
                if own & ntf::EXT_LEARNED == 0 || !entry.added_by_user {
                    changed = (entry.state, entry.flags, entry.added_by_user) != (state, own, true);
                    (entry.state, entry.flags, entry.added_by_user) = (state, own, true);
                    if changed {
                        entry.updated = now;
                    }
                }
                if flags & NLM_F_REPLACE != 0 {
                    if many {
                        let text = "Cannot replace non-unicast fdb entries";
                        return Err(Failure::with_text(Errno::EOPNOTSUPP, text));
                    }
                    changed |= entry.replace(remote);
                }
                if flags & NLM_F_APPEND != 0 && many {
                    changed |= entry.append(remote).map_err(|_| Errno::ENOSPC)?;
                }
                if own & ntf::USE != 0 {
                    entry.used = now;
                }
                changed
            }
            None if flags & NLM_F_CREATE == 0 => return Err(Errno::ENOENT.into()),
            None if flags & NLM_F_REPLACE != 0 && many => return Err(Errno::EOPNOTSUPP.into()),
            None => {
                let made = vxlan.fdb.create(key, remote, state, own, now, limit);
                made.map_err(|_| Errno::ENOSPC)?.added_by_user = true;
                true
            }
        };
        if changed {
            self.vxlan_learned(dev, key);
        }
        Ok(())
    }

    /// `vxlan_fdb_delete`
    ///
    /// # Errors
    /// `ENOENT`
    pub(super) fn del_vxlan_entry(
        &mut self,
        dev: DevId,
        mac: Mac,
        message: &NeighbourMessage,
    ) -> Result<(), Failure> {
        let (key, remote) = self.vxlan_remote(dev, mac, message)?;
        let vxlan = self.vxlan_mut(dev).ok_or(Errno::EOPNOTSUPP)?;
        let entry = vxlan.fdb.get_mut(key).ok_or(Errno::ENOENT)?;
        if !remote.ip.is_unspecified() {
            // A remote that is not there is no error.
            let Some(at) = entry.remotes.iter().position(|known| *known == remote) else { return Ok(()) };
            if entry.remotes.len() > 1 {
                entry.remotes.remove(at);
                let mut told = entry.clone();
                told.remotes = vec![remote];
                self.notify_vxlan_fdb(dev, key, &told, true);
                return Ok(());
            }
        }
        if let Some(entry) = vxlan.fdb.remove(key) {
            self.notify_vxlan_fdb(dev, key, &entry, true);
        }
        Ok(())
    }

    /// `vxlan_fdb_dump`: a message for each remote.
    pub(super) fn dump_vxlan(&self, dev: DevId, dump: &mut Dump) {
        let Some(vxlan) = self.vxlan(dev) else { return };
        for (key, entry) in vxlan.fdb.dump() {
            for remote in &entry.remotes {
                let message = self.vxlan_fdb_message(dev, key, entry, remote);
                dump.messages.extend(message.map(Message::NewNeighbour));
            }
        }
    }

    /// `vxlan_fdb_get`
    ///
    /// # Errors
    /// `ENOENT` with the kernel's text.
    pub(super) fn get_vxlan_entry(&self, dev: DevId, key: Key) -> Result<NeighbourMessage, Failure> {
        let missing = || Failure::with_text(Errno::ENOENT, "Fdb entry not found");
        let entry = self.vxlan(dev).and_then(|vxlan| vxlan.fdb.get(key)).ok_or_else(missing)?;
        let remote = entry.remotes.first().ok_or_else(missing)?;
        self.vxlan_fdb_message(dev, key, entry, remote).ok_or_else(missing)
    }

    /// `vxlan_fdb_info`
    pub(crate) fn vxlan_fdb_message(
        &self,
        dev: DevId,
        (mac, network): Key,
        entry: &Entry,
        remote: &Remote,
    ) -> Option<NeighbourMessage> {
        let device = self.devs.get(dev)?;
        let vxlan = self.vxlan(dev)?;
        let mut message = NeighbourMessage::default();
        let header = &mut message.header;
        header.family = AddressFamily::Bridge;
        header.ifindex = device.ifindex;
        header.state = entry.state.into();
        header.flags = NeighbourFlags::from_bits_retain(entry.flags);
        header.kind = RouteType::Unicast;
        let attributes = &mut message.attributes;
        if vxlan.underlay != device.ns {
            let id = self.known_nsid(device.ns, vxlan.underlay).unwrap_or(-1);
            attributes.push(NeighbourAttribute::LinkNetNsId(id.cast_unsigned()));
        }
        attributes.push(NeighbourAttribute::LinkLayerAddress(mac.0.to_vec()));
        attributes.push(NeighbourAttribute::Destination(destination(remote.ip)));
        let default = vxlan.default_remote();
        if remote.port != 0 && remote.port != default.port {
            attributes.push(NeighbourAttribute::Port(remote.port));
        }
        if remote.vni != default.vni {
            attributes.push(NeighbourAttribute::Vni(remote.vni));
        }
        if remote.ifindex != 0 {
            attributes.push(NeighbourAttribute::IfIndex(remote.ifindex));
        }
        if network != 0 {
            attributes.push(NeighbourAttribute::SourceVni(network));
        }
        let ago = |at: Time| (self.now.since(at).as_millis() / 10) as u32;
        attributes.extend(neighbour_cache_info(0, ago(entry.used), ago(entry.updated), 0));
        Some(message)
    }

    /// What listeners are told of a destination or neighbour that the device does not know (`vxlan_fdb_miss`,
    /// `vxlan_ip_miss`).
    pub(crate) fn vxlan_miss_message(&self, dev: DevId, missed: Missed) -> Option<NeighbourMessage> {
        let device = self.devs.get(dev)?;
        let mut message = NeighbourMessage::default();
        let header = &mut message.header;
        header.family = match missed {
            Missed::Mac(_) => AddressFamily::Unspec,
            Missed::Address(IpAddr::V4(_)) => AddressFamily::Inet,
            Missed::Address(IpAddr::V6(_)) => AddressFamily::Inet6,
        };
        header.ifindex = device.ifindex;
        header.state = nud::STALE.into();
        header.kind = RouteType::Unicast;
        message.attributes.push(match missed {
            Missed::Mac(mac) => NeighbourAttribute::LinkLayerAddress(mac.0.to_vec()),
            Missed::Address(address) => NeighbourAttribute::Destination(destination(address)),
        });
        message.attributes.extend(neighbour_cache_info(0, 0, 0, 0));
        Some(message)
    }
}

fn destination(address: IpAddr) -> NeighbourAddress {
    match address {
        IpAddr::V4(address) => NeighbourAddress::Inet(address),
        IpAddr::V6(address) => NeighbourAddress::Inet6(address),
    }
}
