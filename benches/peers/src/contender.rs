//! The proxies that are compared, all set up to do the same.
//!
//! Host and path rule, the same six forwarded fields, kept server connections, one worker, no access
//! log unless that is what is measured, TLS 1.3 with one ECDSA P-256 certificate.

use std::{
    env,
    ffi::OsString,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::certificate::Certificate;

mod caddy;
mod envoy;
mod haproxy;
mod nginx;
mod pingora;
mod relay;
mod traefik;

pub(crate) use traefik::{GUARDED_PREFIX, credentials};

/// The host that the rule names.
pub(crate) const HOST: &str = "bench.example.com";

/// The path prefix that the rule names.
pub(crate) const PREFIX: &str = "/app";

/// A kind of proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Portway,
    Nginx,
    Haproxy,
    Envoy,
    Traefik,
    Caddy,
    Pingora,
    /// A blind relay of bytes, on the runtime that Portway uses.
    Relay,
}

/// What a contender is configured for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Setup {
    /// One rule.
    Plain,
    /// So many rules, each with its own host.
    Routers(usize),
    /// One rule, and an access log in JSON to a file.
    AccessLog,
    /// One rule, behind middlewares that let everything pass.
    Chain,
    /// One open rule, and one that asks for a password; bcrypt of cost 12.
    Guarded,
    /// One rule; clients with TLS get HTTP/2, the backend HTTP/1.1.
    Http2,
    /// One rule; clients without TLS and the backend get HTTP/2 by prior knowledge.
    Grpc,
}

/// A program that takes part.
#[derive(Clone, Debug)]
pub(crate) struct Contender {
    /// What it is called in tables.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) program: PathBuf,
    pub(crate) version: String,
}

/// Where a contender lives during a workload.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    /// Its own folder.
    pub(crate) folder: &'a Path,
    pub(crate) plain: u16,
    pub(crate) tls: u16,
    pub(crate) backend: SocketAddr,
    pub(crate) certificate: &'a Certificate,
    pub(crate) setup: Setup,
}

impl Kind {
    /// In the order of the tables.
    pub(crate) const ALL: [Self; 8] = [
        Self::Portway,
        Self::Nginx,
        Self::Haproxy,
        Self::Envoy,
        Self::Traefik,
        Self::Caddy,
        Self::Pingora,
        Self::Relay,
    ];

    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Portway => "portway",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Envoy => "envoy",
            Self::Traefik => "traefik",
            Self::Caddy => "caddy",
            Self::Pingora => "pingora",
            Self::Relay => "relay",
        }
    }

    /// Where the program is: `NGINX_BINARY` and its like, or the path.
    fn program(self) -> Option<PathBuf> {
        if self == Self::Relay {
            return env::current_exe().ok();
        }
        let variable = format!("{}_BINARY", self.name().to_uppercase());
        if let Some(program) = env::var_os(variable) {
            return Some(program.into());
        }
        let path = env::var_os("PATH")?;
        // Debian has servers where a user's path does not look.
        let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
        folders.map(|folder| folder.join(self.name())).find(|file| file.is_file())
    }

    fn version_argument(self) -> &'static str {
        match self {
            Self::Haproxy | Self::Nginx => "-v",
            Self::Traefik | Self::Caddy => "version",
            Self::Portway | Self::Envoy | Self::Pingora | Self::Relay => "--version",
        }
    }
}

impl Contender {
    /// Finds the program of a kind; `None` when it is not there.
    pub(crate) fn find(kind: Kind) -> Option<Self> {
        Self::with_program(kind.name(), kind, kind.program()?)
    }

    /// A contender by another name, from another program.
    pub(crate) fn with_program(name: &str, kind: Kind, program: PathBuf) -> Option<Self> {
        let output = Command::new(&program).arg(kind.version_argument()).output().ok()?;
        let text = [output.stdout, output.stderr].concat();
        let version = version(&String::from_utf8_lossy(&text));
        Some(Self { name: name.to_owned(), kind, program, version })
    }

    /// Writes its configuration, and says how it is started.
    pub(crate) fn prepare(&self, place: &Place<'_>) -> Result<Command> {
        fs::create_dir_all(place.folder)?;
        let mut command = Command::new(&self.program);
        match self.kind {
            Kind::Portway => traefik::prepare(place, &mut command, true),
            Kind::Traefik => traefik::prepare(place, &mut command, false),
            Kind::Nginx => nginx::prepare(place, &mut command),
            Kind::Haproxy => haproxy::prepare(place, &mut command),
            Kind::Envoy => envoy::prepare(place, &mut command),
            Kind::Caddy => caddy::prepare(place, &mut command),
            Kind::Pingora => pingora::prepare(place, &mut command),
            Kind::Relay => relay::prepare(place, &mut command),
        }
        .with_context(|| format!("the configuration of {}", self.name))?;
        Ok(command)
    }
}

impl Place<'_> {
    /// Writes a file into its folder.
    fn write(&self, name: &str, text: &str) -> Result<OsString> {
        let path = self.folder.join(name);
        fs::write(&path, text).with_context(|| path.display().to_string())?;
        Ok(path.into_os_string())
    }

    fn folder(&self) -> std::path::Display<'_> {
        self.folder.display()
    }
}

/// The host of one of many routers; all are of the same length.
pub(crate) fn host_of(router: usize) -> String {
    format!("h{router:06}.example.com")
}

/// A port on the loopback.
pub(crate) fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// The first word that looks like a version; Envoy says its path before.
fn version(text: &str) -> String {
    let lower = text.to_lowercase();
    let text = lower.split_once("version:").map_or(lower.as_str(), |(_, after)| after);
    let parts = text.split(|character: char| character.is_whitespace() || character == '/');
    let numbered = parts.map(|word| word.trim_start_matches('v').trim_end_matches(','));
    let mut found = numbered.filter(|word| {
        word.starts_with(|first: char| first.is_ascii_digit()) && word.matches('.').count() >= 2
    });
    found.next().unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_are_found_in_what_programs_say() {
        for (text, expected) in [
            ("nginx version: nginx/1.22.1\n", "1.22.1"),
            ("HAProxy version 2.6.12-1 2026/10/17 - https://haproxy.org/", "2.6.12-1"),
            ("Version:      3.7.15\nGo version:   go1.26.1", "3.7.15"),
            ("/py/3.11.7/envoy  version: 0123ab/1.40.0/Clean/RELEASE/BoringSSL", "1.40.0"),
            ("v2.11.7 h1:abc=", "2.11.7"),
            ("portway 0.1.0", "0.1.0"),
        ] {
            assert_eq!(version(text), expected, "{text}");
        }
    }
}
