//! Requests that stay until they are told to go: the backend holds its answers.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portway_testkit::backend::{Backend, script};
use portway_testkit::client::{Client, Response, Tls};
use portway_testkit::http2::{Exchange, Http2Client};
use portway_testkit::message::{Head, Headers};

use crate::compat::pair::Side;

/// How long a request may take to be let in or refused.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two looks.
const GLANCE: Duration = Duration::from_millis(3);

/// How long it may take until a router has seen that a client is gone.
const NOTICE: Duration = Duration::from_millis(80);

/// Holds the answers of a backend.
#[derive(Debug, Default)]
pub(super) struct Gate {
    open: Mutex<BTreeSet<String>>,
    changed: Condvar,
}

impl Gate {
    /// A backend that answers what is asked for `/NUMBER` once that is let go.
    pub(super) fn backend(self: &Arc<Self>) -> Backend {
        let gate = Arc::clone(self);
        Backend::scripted(move |received| {
            gate.wait(received.path());
            script::write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        })
    }

    fn wait(&self, path: &str) {
        let open = self.open.lock().expect("a gate");
        // Nobody is held for ever, whatever the test does.
        let wait = self.changed.wait_timeout_while(open, 4 * PATIENCE, |open| !open.contains(path));
        drop(wait.expect("a gate"));
    }

    fn let_go(&self, path: &str) {
        self.open.lock().expect("a gate").insert(path.to_owned());
        self.changed.notify_all();
    }
}

/// How a request comes.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    pub(super) door: &'static str,
    pub(super) from: &'static str,
    /// A header of the PROXY protocol.
    pub(super) preamble: &'static str,
    pub(super) secure: bool,
    pub(super) http2: bool,
    pub(super) host: String,
    /// Whole lines.
    pub(super) fields: String,
    /// A path of its own.
    pub(super) path: String,
}

/// How a request ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Leave {
    /// It is answered.
    Finish,
    /// Its client goes away.
    GiveUp,
}

/// A request that was let in, and its path.
pub(super) struct Guest {
    path: String,
    line: Line,
}

enum Line {
    Plain(Client),
    Stream(Box<Http2Client>, Exchange),
}

/// What a request met.
pub(super) enum Welcome {
    LetIn(Guest),
    Answered(Response),
    NotAnswered,
}

impl Manner {
    fn head(&self) -> String {
        format!("GET {} HTTP/1.1\r\nHost: {}\r\n{}\r\n", self.path, self.host, self.fields)
    }
}

/// Sends a request, and waits until it is with the backend or is answered.
pub(super) fn come(side: &Side, manner: &Manner) -> Welcome {
    let inside = side.backends[0].busy();
    let came = match manner.http2 {
        false => come_plain(side, manner, inside),
        true => come_as_stream(side, manner, inside),
    };
    came.unwrap_or(Welcome::NotAnswered)
}

fn come_plain(side: &Side, manner: &Manner, inside: usize) -> std::io::Result<Welcome> {
    let address = side.process.address(manner.door);
    let mut client = if manner.secure {
        let preamble = manner.preamble.as_bytes().to_vec();
        Client::connect_tls(address, &Tls { preamble, ..Tls::to("a.test") })?
    } else {
        let mut client = Client::connect_from(manner.from.parse().expect("an address"), address)?;
        client.send(manner.preamble)?;
        client
    };
    client.send(manner.head())?;
    client.set_patience(GLANCE);
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        match client.response_to("GET") {
            Ok(response) => return Ok(Welcome::Answered(response)),
            Err(error) if is_silence(&error) => {}
            Err(error) => return Err(error),
        }
        if side.backends[0].busy() > inside {
            client.set_patience(PATIENCE);
            return Ok(let_in(manner, Line::Plain(client)));
        }
    }
    Ok(Welcome::NotAnswered)
}

fn let_in(manner: &Manner, line: Line) -> Welcome {
    Welcome::LetIn(Guest { path: manner.path.clone(), line })
}

fn is_silence(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

fn come_as_stream(side: &Side, manner: &Manner, inside: usize) -> std::io::Result<Welcome> {
    let address = side.process.address(manner.door);
    let mut client = match manner.secure {
        true => Http2Client::connect_tls(address, &Tls::to("a.test"))?,
        false => Http2Client::connect(address)?,
    };
    let mut exchange = client.begin(&head(&manner.head()), true)?;
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        exchange = match client.response_within(exchange, GLANCE) {
            Ok(response) => return response.map(Welcome::Answered),
            Err(exchange) => exchange,
        };
        if side.backends[0].busy() > inside {
            return Ok(let_in(manner, Line::Stream(Box::new(client), exchange)));
        }
    }
    Ok(Welcome::NotAnswered)
}

/// The head that a text is.
pub(super) fn head(text: &str) -> Head {
    let mut lines = text.split("\r\n");
    let line = lines.next().unwrap_or_default().to_owned();
    let fields = lines.filter_map(|line| line.split_once(':'));
    let field = |(name, value): (&str, &str)| (name.to_owned(), value.trim().to_owned());
    Head { line, headers: Headers(fields.map(field).collect()) }
}

/// Ends a request; the answer, where one is waited for. Afterwards its place is free.
pub(super) fn leave(side: &Side, gate: &Gate, guest: Guest, how: Leave) -> Option<Response> {
    let inside = side.backends[0].busy();
    let Guest { path, line } = guest;
    let answer = match (line, how) {
        (Line::Plain(mut client), Leave::Finish) => {
            gate.let_go(&path);
            client.response_to("GET").ok()
        }
        (Line::Stream(mut client, exchange), Leave::Finish) => {
            gate.let_go(&path);
            client.response(exchange).ok()
        }
        (Line::Plain(client), Leave::GiveUp) => {
            drop(client);
            std::thread::sleep(NOTICE);
            None
        }
        (Line::Stream(client, exchange), Leave::GiveUp) => {
            exchange.give_up();
            client.rest(NOTICE);
            None
        }
    };
    gate.let_go(&path);
    let start = Instant::now();
    while side.backends[0].busy() >= inside && start.elapsed() < PATIENCE {
        std::thread::sleep(GLANCE);
    }
    // The place is free a moment after the answer is there.
    std::thread::sleep(6 * GLANCE);
    answer
}
