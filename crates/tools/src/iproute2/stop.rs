//! Why a command ends before its end: an error text and an exit code.

/// A command's early end. `main` prints the text on standard error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    /// What goes to standard error, with its newlines; may be empty.
    pub text: String,
    /// The exit code of the program.
    pub code: i32,
    /// Whether the program ends at once, even amid a batch (where iproute2 calls `exit`), instead of only
    /// the command.
    pub exit: bool,
}

impl Stop {
    /// The command failed with `code`; a batch says so and may go on.
    pub(crate) fn fail(code: i32, text: impl Into<String>) -> Self {
        Stop { text: text.into(), code, exit: false }
    }

    /// The program ends with `code`.
    pub(crate) fn exit(code: i32, text: impl Into<String>) -> Self {
        Stop { text: text.into(), code, exit: true }
    }

    /// An error has been reported already; the command fails with `code`.
    pub(crate) fn silent(code: i32) -> Self {
        Stop::fail(code, "")
    }

    /// A value that does not fit its keyword.
    pub(crate) fn invarg(message: &str, argument: &str) -> Self {
        Stop::exit(255, format!("Error: argument \"{argument}\" is wrong: {message}\n"))
    }

    /// A keyword given twice, or a word that is no keyword and stands where `key`'s value would.
    pub(crate) fn duparg(key: &str, argument: &str) -> Self {
        Stop::exit(255, format!("Error: duplicate \"{key}\": \"{argument}\" is the second value.\n"))
    }

    /// A second bare word where one was taken for `key` already.
    pub(crate) fn duparg2(key: &str, argument: &str) -> Self {
        Stop::exit(255, format!("Error: either \"{key}\" is duplicate, or \"{argument}\" is a garbage.\n"))
    }

    /// A keyword that must be there.
    pub(crate) fn missing(key: &str) -> Self {
        Stop::exit(255, format!("Error: argument \"{key}\" is required\n"))
    }

    /// A keyword without its value.
    pub(crate) fn incomplete() -> Self {
        Stop::exit(255, "Command line is not complete. Try option \"help\"\n")
    }

    /// No link has that name.
    pub(crate) fn no_device(name: &str) -> Self {
        Stop::fail(1, format!("Cannot find device \"{name}\"\n"))
    }
}
