//! Programs in Python whose libraries speak what is tested, independently of our own.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A server that serves until its input ends.
pub(crate) struct Server {
    child: Child,
    /// Where it listens on 127.0.0.1.
    pub(crate) port: String,
}

impl Server {
    /// Starts `program` as server; `None` where the library is not there.
    #[track_caller]
    pub(crate) fn start(program: &str, library: &str) -> Option<Self> {
        if !has(library) {
            return None;
        }
        let mut command = command(program, &["serve"]);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a server");
        let mut port = String::new();
        let output = child.stdout.take().expect("an output");
        BufReader::new(output).read_line(&mut port).expect("a port");
        Some(Self { child, port: port.trim().to_owned() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn has(library: &str) -> bool {
    let packages = std::env::var_os("PYTHON_PACKAGES");
    let there = packages.is_some_and(|folder| Path::new(&folder).join(library).is_dir());
    if !there {
        let advice =
            format!("no {library} in PYTHON_PACKAGES; `cargo xtask test` installs it with pip");
        assert!(std::env::var_os("CI").is_none(), "{advice}");
        eprintln!("SKIPPED: {advice}");
    }
    there
}

/// A library that is a program, too; `None` where it is not there.
#[track_caller]
pub(crate) fn module(library: &str) -> Option<Command> {
    let mut command = interpreter();
    command.args(["-W", "ignore", "-m", library]);
    has(library).then_some(command)
}

fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = interpreter();
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(program)).args(arguments);
    command
}

fn interpreter() -> Command {
    let mut command = Command::new("python3");
    let packages = std::env::var_os("PYTHON_PACKAGES").unwrap_or_default();
    command.env("PYTHONPATH", packages).stdin(Stdio::piped());
    command
}

/// What `program` prints.
#[track_caller]
pub(crate) fn ask(program: &str, arguments: &[&str]) -> String {
    let output = command(program, arguments).output().expect("a client");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}
