//! Who asks: polite and rude clients of every protocol.

mod http1;
mod http2;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use portway_testkit::client::Tls;
use portway_testkit::line::{Line, dial};
use portway_testkit::random::Random;
use tokio::time::{sleep, timeout};

use super::ledger::Ledger;
use super::plan::{CALLS, FLAKY, PASSING, STEADY, TALKS};
use super::ticket::{Act, Ticket};

/// How long one exchange may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What clients work with.
#[derive(Clone, Debug)]
pub(super) struct Storm {
    pub(super) ledger: Arc<Ledger>,
    pub(super) web: SocketAddr,
    pub(super) secure: SocketAddr,
    /// How many times as many clients as usual there are.
    pub(super) crowd: usize,
    /// The certificates that may be shown, as DER.
    pub(super) certificates: Vec<Vec<u8>>,
}

/// What a client does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// Requests of HTTP/1.1, some of them pipelined.
    Http1,
    /// WebSockets.
    Talks,
    /// Streams of HTTP/2: requests, calls of gRPC and WebSockets.
    Http2,
}

/// How many there are of each, polite and rude.
const POPULATION: [(Kind, usize, usize); 3] =
    [(Kind::Http1, 8, 2), (Kind::Talks, 2, 1), (Kind::Http2, 5, 2)];

impl Storm {
    /// Sends everybody off, and waits until all are done.
    pub(super) async fn rage(&self, random: &mut Random) {
        let mut clients = Vec::new();
        for (kind, polite, rude) in POPULATION {
            let (polite, rude) = (polite * self.crowd, rude * self.crowd);
            for number in 0..polite + rude {
                let random = Random::new(random.bits());
                let client = self.clone().client(kind, number >= polite, random);
                clients.push(tokio::spawn(client));
            }
        }
        for client in clients {
            if let Err(error) = client.await {
                self.ledger.fault(format!("a client ended: {error}"));
            }
        }
    }

    async fn client(self, kind: Kind, rude: bool, mut random: Random) {
        while !self.ledger.is_over() {
            let route = self.route(kind, &mut random);
            let Some(line) = self.connect(kind, &route, &mut random).await else {
                if self.ledger.is_draining() {
                    return;
                }
                sleep(Duration::from_millis(20)).await;
                continue;
            };
            // By TLS a connection belongs to its name.
            let only = (!line.certificate.is_empty()).then_some(route);
            let visit = Visit { storm: &self, only, rude, random: Random::new(random.bits()) };
            let conversation = async {
                match kind {
                    Kind::Http1 => visit.requests(line).await,
                    Kind::Talks => visit.talk(line).await,
                    Kind::Http2 => visit.streams(line).await,
                }
            };
            if rude && random.once_in(2) {
                // Leaves in the middle of it.
                let enough = Duration::from_millis(random.below(300) as u64);
                if timeout(enough, conversation).await.is_err() {
                    self.ledger.count("rude: connections left");
                }
            } else {
                conversation.await;
            }
        }
    }

    fn route(&self, kind: Kind, random: &mut Random) -> String {
        let routes: &[&str] = match (kind, random.below(10)) {
            (Kind::Talks, _) => &[TALKS],
            (Kind::Http2, 0..2) => &[CALLS],
            (Kind::Http2, 2) => &[TALKS],
            (_, 3..5) => &FLAKY,
            (_, 5..7) => &PASSING,
            _ => &STEADY,
        };
        (*random.pick(routes)).to_owned()
    }

    async fn connect(&self, kind: Kind, route: &str, random: &mut Random) -> Option<Line> {
        let (name, since) = (format!("{route}.test"), self.ledger.since());
        let protocol = if kind == Kind::Http2 { "h2" } else { "http/1.1" };
        let tls =
            Tls { application_protocols: vec![protocol.as_bytes().to_vec()], ..Tls::to(&name) };
        let secure = random.once_in(3);
        let dialled = match secure {
            true => timeout(PATIENCE, dial(self.secure, Some(&tls))).await,
            false => timeout(PATIENCE, dial(self.web, None)).await,
        };
        let line = match dialled {
            Ok(Ok(line)) => line,
            Ok(Err(_)) if self.ledger.is_draining() => return None,
            failed => {
                let failed = failed.map(|line| line.err());
                self.ledger.fault(format!("no connection for {name}, {secure}: {failed:?}"));
                return None;
            }
        };
        if secure {
            let shown = |number: usize| self.certificates[number] == line.certificate;
            if !self.ledger.possible(since).iter().any(|one| shown(one.certificate)) {
                self.ledger.fault(format!("another certificate for {name}"));
            }
            if kind == Kind::Http2 && line.protocol != b"h2" {
                self.ledger.fault(format!("no h2 for {name}"));
                return None;
            }
        }
        self.ledger.count(&format!("connections: {kind:?}, TLS {secure}"));
        Some(line)
    }
}

/// One connection of a client.
struct Visit<'a> {
    storm: &'a Storm,
    only: Option<String>,
    rude: bool,
    random: Random,
}

impl Visit<'_> {
    fn ledger(&self) -> &Arc<Ledger> {
        &self.storm.ledger
    }

    /// The next request.
    fn ticket(&mut self, kind: Kind) -> Ticket {
        let random = &mut self.random;
        let route = match &self.only {
            Some(route) => route.clone(),
            None => self.storm.route(kind, random),
        };
        let act = match (route.as_str(), random.below(12)) {
            (CALLS, 0) => Act::Wait,
            (CALLS, _) => Act::Call,
            (TALKS, _) => Act::Talk,
            (_, 0..2) => Act::Chunks,
            (_, 2) => Act::Early,
            (_, 3) => Act::Hasty,
            (_, 4) => Act::Interim,
            (_, 5) => Act::Slow,
            ("flaky0" | "flaky1", 6) => Act::Cut,
            ("flaky0" | "flaky1", 7) => Act::Mute,
            _ => Act::Plain,
        };
        let (mut up, mut down) = match act {
            Act::Call => calls(random),
            _ => (size(random), size(random)),
        };
        if random.once_in(2) && act != Act::Call {
            up = 0;
        }
        if PASSING.contains(&route.as_str()) {
            // An answer without a server may come before a longer one was sent.
            up = up.min(100_000);
        }
        if act == Act::Wait {
            (up, down) = (0, 0);
        }
        // Half of nothing would be all of it.
        let act = if act == Act::Early && down < 2 { Act::Plain } else { act };
        let since = self.storm.ledger.since();
        let rude = self.rude || act == Act::Wait;
        Ticket { id: self.storm.ledger.number(), route, since, up, down, act, rude }
    }
}

/// Bytes of a body: mostly few.
fn size(random: &mut Random) -> usize {
    let most = match random.below(20) {
        0 => 1,
        1..10 => 500,
        10..16 => 20_000,
        16..19 => 200_000,
        _ => 1_500_000,
    };
    random.below(most)
}

/// Messages of a call: one, or many, or many and one, or as many both ways.
fn calls(random: &mut Random) -> (usize, usize) {
    let many = 1 + random.below(20);
    *random.pick(&[(1, 1), (many, 1), (1, many), (many, many)])
}
