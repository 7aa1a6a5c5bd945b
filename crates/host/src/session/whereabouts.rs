//! Which network namespaces a session's processes are in: only the session knows both.

use hairpin_netlink::{Call, Errno, Reply};

use super::TaskId;
use super::connection::Role;
use super::server::Server;
use super::settle::Process;

impl Server {
    /// Answers the calls that are about other processes; `None` for any other call.
    pub(super) fn locate(&mut self, asking: TaskId, call: &Call) -> Option<Result<Reply, Errno>> {
        match call {
            Call::NetnsProcesses(name) => Some(self.processes_in(asking, name)),
            Call::NetnsIdentify(Some(process)) => Some(self.names_of(asking, *process)),
            // The kernel itself knows the processes that stand for containers.
            Call::NetnsAttach { name, pid } => {
                let task = self.task_of_process(*pid)?;
                Some(self.emulator.name_namespace(task, name).map(|()| Reply::Done))
            }
            _ => None,
        }
    }

    fn processes_in(&mut self, asking: TaskId, name: &str) -> Result<Reply, Errno> {
        let (host, _) = self.emulator.place(asking)?;
        let wanted = self.named_place(&host, name)?;
        let all = self.family.look();
        let mut found: Vec<u32> = all.iter().map(|process| process.id).collect();
        found.retain(|process| {
            let task = self.task_among(&all, *process);
            task.is_some_and(|task| self.emulator.place(task).as_ref() == Ok(&wanted))
        });
        Ok(Reply::Names(found.iter().map(u32::to_string).collect()))
    }

    fn names_of(&mut self, asking: TaskId, process: u32) -> Result<Reply, Errno> {
        let task = self.task_of_process(process).ok_or(Errno::ENOENT)?;
        let place = self.emulator.place(task)?;
        let Reply::Names(mut names) = self.emulator.call(asking, Call::NetnsList)? else {
            return Err(Errno::EPROTO);
        };
        names.retain(|name| self.named_place(&place.0, name).as_ref() == Ok(&place));
        Ok(Reply::Names(names))
    }

    fn named_place(&mut self, host: &str, name: &str) -> Result<(String, u64), Errno> {
        let task = self.emulator.open_task(host, Some(name))?;
        let place = self.emulator.place(task);
        self.emulator.close_task(task);
        place
    }

    fn task_of_process(&mut self, process: u32) -> Option<TaskId> {
        let all = self.family.look();
        self.task_among(&all, process)
    }

    /// A process without a connection of its own is where the one is that started it.
    fn task_among(&self, all: &[Process], process: u32) -> Option<TaskId> {
        let mut at = process;
        // Bounded: parents form no loop, but the list is not one instant's.
        for _ in 0..=all.len() {
            let connected = self.connections.values().filter(|connection| connection.process == at);
            let task = connected.filter_map(|connection| match &connection.role {
                Role::Client(client) => Some(client.task),
                Role::Holder { token, .. } => self.held.get(token).map(|(task, _)| *task),
                Role::Stranger => None,
            });
            if let Some(task) = task.last() {
                return Some(task);
            }
            at = all.iter().find(|candidate| candidate.id == at)?.parent;
        }
        None
    }
}
