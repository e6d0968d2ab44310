//! What Portway says of bad input: one test for each class, through the real binary. Each message names the
//! object, the field, the reason, and the nearest name where there is one.

mod dynamic;
mod help;
mod manifests;
mod options;
mod start;

use std::fs::{self, File};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use portway_testkit::client::Client;
use portway_testkit::folder::Folder;
use portway_testkit::process::Process;

/// How long a message may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder to run Portway in, and what it is run with.
struct Call {
    folder: Folder,
    variables: Vec<(String, String)>,
    /// A user other than root to run as.
    as_nobody: bool,
}

impl Call {
    fn new() -> Self {
        Self { folder: Folder::new("messages"), variables: Vec::new(), as_nobody: false }
    }

    fn file(self, name: &str, content: &str) -> Self {
        self.folder.write(name, content);
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let binary = std::env::var_os("PORTWAY_TEST_BINARY");
        let binary = binary.unwrap_or_else(|| env!("CARGO_BIN_EXE_portway").into());
        let mut command = if self.as_nobody {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--clear-groups"]).arg(binary);
            command
        } else {
            Command::new(binary)
        };
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs Portway to its end, which must come by itself.
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Output {
        let output = |name: &str| File::create(self.folder.path().join(name)).expect("a file");
        let mut command = self.command(arguments);
        command.stdout(output("stdout.txt")).stderr(output("stderr.txt"));
        let mut child = command.spawn().expect("Portway starts");
        let start = Instant::now();
        while child.try_wait().expect("a child process").is_none() {
            if start.elapsed() > PATIENCE {
                let _ = child.kill();
                let _ = child.wait();
                panic!("{arguments:?} does not end by itself: {}", self.read("stderr.txt"));
            }
            thread::sleep(Duration::from_millis(5));
        }
        let status = child.wait().expect("a status");
        let (stdout, stderr) = (self.read("stdout.txt"), self.read("stderr.txt"));
        Output { status, stdout: stdout.into(), stderr: stderr.into() }
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// Portway does not start: exit status 2 and these lines.
    #[track_caller]
    fn refused(&self, arguments: &[&str], lines: &[&str]) {
        let output = self.run(arguments);
        let expected: String = lines.iter().map(|line| format!("error: {line}\n")).collect();
        assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    }

    /// Portway cannot run: exit status 1, and a log whose only line ends so.
    #[track_caller]
    fn fails(&self, arguments: &[&str], line: &str) {
        let output = self.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.ends_with(&format!(" ERROR {line}\n")), "{line}\n{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert_eq!(output.status.code(), Some(1));
    }
}

/// Waits until the log has a line of this severity and text, whatever its time.
#[track_caller]
fn logged(process: &Process, severity: &str, text: &str) {
    let text = process.expand(text);
    let wanted = format!("{severity} {text}\n");
    let start = Instant::now();
    while !process.log().contains(&wanted) {
        assert!(start.elapsed() < PATIENCE, "not logged: {wanted}{}", process.log());
        thread::sleep(Duration::from_millis(10));
    }
}

/// The status that `host` gets on the entry point `web`.
#[track_caller]
fn status(process: &Process, host: &str) -> u16 {
    let mut client = Client::connect(process.address("web")).expect("a connection");
    client.ask(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).expect("an answer").status
}

/// The errors that the API shows for an object, such as `routers/a@file`, as JSON.
#[track_caller]
fn api_errors(process: &Process, object: &str) -> serde_json::Value {
    let mut client = Client::connect(process.address("traefik")).expect("a connection");
    let request = format!("GET /api/http/{object} HTTP/1.1\r\nHost: a\r\n\r\n");
    let response = client.ask(request).expect("an answer");
    let shown: serde_json::Value = serde_json::from_str(&response.text()).expect("JSON");
    shown["error"].clone()
}
