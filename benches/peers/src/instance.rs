//! A running contender, ready and checked.

mod ask;

use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};

use self::ask::Way;
use crate::{
    contender::{Contender, HOST, Kind, Place, Setup, host_of, loopback},
    process::{PROXY_CORE, Tree},
};

/// How long a contender may take from start to first answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// A contender that runs.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) tree: Tree,
    pub(crate) plain: SocketAddr,
    pub(crate) tls: SocketAddr,
    /// From start to the first answer.
    pub(crate) start: Duration,
    /// An access log that grows, if it is asked for.
    log: PathBuf,
}

impl Instance {
    /// Starts a contender, waits for its first answer and checks what the backend gets from it.
    pub(crate) fn start(contender: &Contender, place: &Place<'_>) -> Result<Self> {
        let command = contender.prepare(place)?;
        let since = Instant::now();
        let output = place.folder.join("output.log");
        let mut tree = Tree::start(&command, PROXY_CORE, &output)?;
        let (plain, tls) = (loopback(place.plain), loopback(place.tls));
        let host = match place.setup {
            Setup::Routers(count) => host_of(count.saturating_sub(1)),
            _ => HOST.to_owned(),
        };
        let (way, scheme) = match place.setup {
            Setup::Http2 => (Way::tls_http2(tls)?, "https"),
            Setup::Grpc => (Way::Http2(plain), "http"),
            _ => (Way::Http1(plain), "http"),
        };
        while !way.ask(&host, "/1k").is_ok_and(|answer| answer.status == 200) {
            let dead = !tree.is_alive();
            if dead || since.elapsed() > PATIENCE {
                let output = fs::read_to_string(&output).unwrap_or_default();
                let state = if dead { "has ended" } else { "does not answer" };
                bail!("{} {state}; it says:\n{output}", contender.name);
            }
            thread::sleep(Duration::from_millis(5));
        }
        let start = since.elapsed();
        if contender.kind != Kind::Relay {
            // Envoy names the machine's own address for a client on the loopback.
            let client = (contender.kind != Kind::Envoy).then_some("127.0.0.1");
            check_fields(&way, &host, client, scheme).with_context(|| contender.name.clone())?;
        }
        let log = place.folder.join("access.log");
        Ok(Self { tree, plain, tls, start, log })
    }

    /// Empties the access log; answers whether anything had been written.
    pub(crate) fn empty_log(&self) -> bool {
        let Ok(file) = fs::OpenOptions::new().write(true).open(&self.log) else { return false };
        let written = file.metadata().is_ok_and(|metadata| metadata.len() > 0);
        written && file.set_len(0).is_ok()
    }
}

/// Every contender must do the same: six fields that say where the request comes from.
fn check_fields(way: &Way, host: &str, client: Option<&str>, scheme: &str) -> Result<()> {
    let request = way.ask(host, "/echo")?.text;
    let expected = [
        ("x-forwarded-for", client),
        ("x-forwarded-host", Some(host)),
        ("x-forwarded-port", None),
        ("x-forwarded-proto", Some(scheme)),
        ("x-forwarded-server", None),
        ("x-real-ip", Some("127.0.0.1")),
    ];
    for (name, value) in expected {
        let mut lines = request.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(field, _)| *field == name).map(|(_, value)| value.trim());
        let fits =
            found.is_some_and(|found| !found.is_empty() && value.is_none_or(|it| it == found));
        ensure!(fits, "the backend gets `{name}` as {found:?}, in:\n{request}");
    }
    ensure!(!request.contains("connection: close"), "connections to the backend are not kept");
    Ok(())
}
