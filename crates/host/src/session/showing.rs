//! The server's views: what real programs see in `/proc` and `/sys`.

use std::os::fd::OwnedFd;

use super::TaskName;
use super::connection::Role;
use super::protocol::Response;
use super::registry::VIEWS;
use super::server::Server;
use crate::view::View;
use crate::view::files::FilesView;
use crate::view::fuse::FuseView;

impl Server {
    /// Handles what programs have done with files; `lazy` skips views that wake the loop by themselves.
    pub(super) fn serve_views(&mut self, lazy: bool) {
        for view in self.views.iter_mut().filter(|view| !lazy || view.is_lazy()) {
            view.serve(&mut *self.emulator);
        }
        for task in self.views.iter().filter_map(View::finished) {
            self.emulator.close_task(task);
        }
        self.views.retain(|view| view.finished().is_none());
        self.changed();
    }

    /// Starts serving the view of a held task.
    pub(super) fn open_view(&mut self, id: u64, device: Option<OwnedFd>) -> Option<Response> {
        let Role::Holder { token, .. } = self.connections.get(&id)?.role else { return None };
        let (task, name) = self.held.get(&token)?.clone();
        if let Some(device) = device {
            let task = self.emulator.fork_task(task).ok()?;
            let mount_point = self.directory.join("view").to_string_lossy().into_owned();
            self.views.push(View::Fuse(FuseView::new(device, task, mount_point).ok()?));
            return Some(Response::View(None));
        }
        // One set of files for everybody in the namespace.
        let root = self.directory.join(VIEWS).join(TaskName { token: None, ..name }.to_string());
        let known = |view: &View| matches!(view, View::Files(files) if files.root() == root);
        if !self.views.iter().any(known) {
            let task = self.emulator.fork_task(task).ok()?;
            let files = FilesView::new(root.clone(), task, &mut *self.emulator).ok()?;
            self.views.push(View::Files(files));
        }
        Some(Response::View(Some(root)))
    }

    /// Lets the views follow the configuration.
    pub(super) fn changed(&mut self) {
        let generation = self.emulator.generation();
        if generation != self.generation {
            self.generation = generation;
            for view in &mut self.views {
                view.refresh(&mut *self.emulator);
            }
        }
    }
}
