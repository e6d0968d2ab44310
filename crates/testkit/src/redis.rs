//! A real Redis or Valkey as a child process.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use crate::folder::Folder;
use crate::process::free_port;

/// A running server that stores nothing on disk; it is killed on drop.
#[derive(Debug)]
pub struct Redis {
    child: Child,
    folder: Folder,
    port: u16,
}

impl Redis {
    /// Starts a server with further arguments on a free port, in which `@@port@@` is that and `@@folder@@` a folder with
    /// these files (name and content). `None` where there is no Redis: a test is then skipped. In CI that is a
    /// failure.
    #[must_use]
    #[track_caller]
    pub fn start(arguments: &[&str], files: &[(&str, &str)]) -> Option<Self> {
        Self::start_at(free_port(), arguments, files)
    }

    /// The same on a port where one has ended.
    #[must_use]
    #[track_caller]
    pub fn start_at(port: u16, arguments: &[&str], files: &[(&str, &str)]) -> Option<Self> {
        let program = program()?;
        let folder = Folder::new("redis");
        for (name, content) in files {
            folder.write(name, content);
        }
        let mut command = Command::new(program);
        let port_text = port.to_string();
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"]);
        command.arg(folder.path());
        if !arguments.contains(&"--port") {
            command.args(["--port", &port_text]);
        }
        let place = folder.path().to_string_lossy();
        for argument in arguments {
            command.arg(argument.replace("@@port@@", &port_text).replace("@@folder@@", &place));
        }
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a server");
        let redis = Self { child, folder, port };
        redis.wait_until_there();
        Some(redis)
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address, `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Sends commands over a connection of its own, one after the other, and gives the last reply: arrays as lines.
    ///
    /// # Panics
    ///
    /// When there is no reply; one that tells of an error is one.
    pub fn ask(&self, commands: &[&[&str]]) -> String {
        let stream = TcpStream::connect(self.socket()).expect("a connection to Redis");
        stream.set_read_timeout(Some(PATIENCE)).expect("a patience");
        let mut reader = BufReader::new(stream);
        let mut reply = String::new();
        for command in commands {
            let mut bytes = format!("*{}\r\n", command.len());
            for part in *command {
                bytes.push_str(&format!("${}\r\n{part}\r\n", part.len()));
            }
            reader.get_mut().write_all(bytes.as_bytes()).expect("a connection to Redis");
            reply = read(&mut reader);
        }
        reply
    }

    /// Sends a signal such as `STOP`, after which it answers nobody.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").arg(format!("-{name}")).arg(id).status();
        assert!(status.expect("kill").success());
    }

    fn socket(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    #[track_caller]
    fn wait_until_there(&self) {
        let start = Instant::now();
        while TcpStream::connect(self.socket()).is_err() {
            let place = self.folder.path().display();
            assert!(start.elapsed() < PATIENCE, "no Redis at {} ({place})", self.port);
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A reply; arrays as lines.
fn read(reader: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).expect("a reply of Redis");
    let line = line.trim_end();
    let (kind, rest) = line.split_at(1);
    let count = || rest.parse::<i64>().expect("a length");
    match kind {
        "$" if count() >= 0 => {
            let mut bytes = vec![0; usize::try_from(count()).expect("a length") + 2];
            reader.read_exact(&mut bytes).expect("a reply of Redis");
            String::from_utf8_lossy(&bytes).trim_end_matches("\r\n").to_owned()
        }
        "*" => (0..count()).map(|_| read(reader)).collect::<Vec<_>>().join("\n"),
        "$" => "nothing".to_owned(),
        _ => line.to_owned(),
    }
}

/// Where a server is.
fn program() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders: Vec<PathBuf> = env::split_paths(&path).collect();
        let named = env::var_os("REDIS_BINARY").map(PathBuf::from).into_iter();
        let names = ["redis-server", "valkey-server"];
        let others = names.iter().flat_map(|name| folders.iter().map(move |f| f.join(name)));
        named.chain(others).find(|file| file.is_file())
    });
    if found.is_none() {
        let advice = "no Redis found (REDIS_BINARY, redis-server or valkey-server on PATH); \
                      `apt-get install redis-server` brings it";
        assert!(env::var_os("CI").is_none(), "{advice}");
        eprintln!("SKIPPED: {advice}");
    }
    found.clone()
}

/// How long a server may take to be there, and to reply.
const PATIENCE: Duration = Duration::from_secs(10);
