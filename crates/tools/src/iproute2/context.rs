//! What a run of `ip` or `bridge` carries along: the kernel, the shell, options and output.

use hairpin_netlink::{Errno, System};

use super::Stop;
use super::links::LinkMap;
use super::names::Names;
use super::nsid::NsidNames;
use super::print::Printer;
use crate::{Program, Shell, busybox};

/// The options in front of the object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// `-4`, `-6`, `-0`, `-B`, `-f`: an address family, 0 for any.
    pub family: u8,
    /// How often `-s` was given.
    pub stats: u32,
    /// How often `-d` was given.
    pub details: u32,
    pub oneline: bool,
    pub brief: bool,
    pub json: bool,
    pub pretty: bool,
    /// `-h`: how often numbers with a unit prefix were asked for.
    pub human: bool,
    /// `-iec`: powers of 1024.
    pub iec: bool,
    /// `-r`
    pub resolve: bool,
    /// `-N`: numbers instead of names.
    pub numeric: bool,
    /// `-t`: a line before each event; `-ts`: a short one.
    pub timestamp: bool,
    pub timestamp_short: bool,
    /// `-a`
    pub all: bool,
    /// `-compressvlans`: ranges of VLANs.
    pub compress_vlans: bool,
    /// `-force`: a batch goes on after a failure.
    pub force: bool,
    /// `-echo`: the kernel sends back what it made.
    pub echo: bool,
    /// `-loops`: rounds of an address flush, 0 for any number.
    pub flush_loops: i32,
}

/// A run of `ip` or `bridge`.
pub(crate) struct Context<'a> {
    pub system: &'a mut dyn System,
    pub shell: &'a mut dyn Shell,
    pub options: Options,
    pub print: Printer,
    pub links: LinkMap,
    pub names: Names,
    pub nsids: NsidNames,
    /// The texts are to be BusyBox's.
    busybox: bool,
}

impl<'a> Context<'a> {
    /// A run with default options, and the arguments behind the program's name.
    pub(crate) fn new(program: &'a mut Program<'_>) -> (Self, &'a [String]) {
        let busybox = busybox::is_here(program.shell);
        let context = Context {
            system: &mut *program.system,
            shell: &mut *program.shell,
            options: Options { flush_loops: 10, ..Options::default() },
            print: Printer::default(),
            links: LinkMap::default(),
            names: Names::default(),
            nsids: NsidNames::default(),
            busybox,
        };
        (context, program.args)
    }

    /// Starts a document in the form the options ask for.
    pub(crate) fn begin(&mut self) {
        self.print.begin(self.options.json, self.options.pretty);
    }

    /// Ends the document and writes it.
    pub(crate) fn end(&mut self) {
        self.print.end();
        self.flush();
    }

    /// Writes what has been printed so far to standard output.
    pub(crate) fn flush(&mut self) {
        let text = self.print.take();
        let text = if self.busybox && !self.options.json { busybox::ip::text(&text) } else { text };
        if !text.is_empty() {
            // As in C, a closed pipe is found out about by nobody here.
            let _ = self.shell.out().write_all(text.as_bytes());
            let _ = self.shell.out().flush();
        }
    }

    /// Moves to a named network namespace (`-netns`, `netns exec`).
    ///
    /// # Errors
    /// There is none of that name, or entering it needs privileges; the program ends with 255.
    pub(crate) fn enter_netns(&mut self, name: &str) -> Result<(), Stop> {
        self.forget();
        self.system.netns_enter(name).map_err(|errno| {
            let text = match errno {
                // A name can be opened by anyone, but not entered.
                Errno::EPERM => format!("setting the network namespace \"{name}\" failed: {errno}\n"),
                _ => format!("Cannot open network namespace \"{name}\": {errno}\n"),
            };
            Stop::exit(255, text)
        })
    }

    /// Forgets what is known of links and namespaces: it may have changed.
    pub(crate) fn forget(&mut self) {
        self.links.clear();
        self.nsids.clear();
    }

    /// Writes to standard error, after what has been printed so far.
    pub(crate) fn complain(&mut self, text: &str) {
        self.flush();
        let _ = self.shell.err().write_all(text.as_bytes());
        let _ = self.shell.err().flush();
    }
}
