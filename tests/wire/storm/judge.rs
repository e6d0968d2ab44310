//! What a client may get: its own answer, whole, from a server that its route names.

use std::io::{self, Read as _};

use portway_testkit::message::Headers;

use super::content::{Content, Way};
use super::ledger::Ledger;
use super::plan::{FLAKY, PASSING};
use super::ticket::{Act, Ticket};

/// Takes the body of an answer in.
#[derive(Debug)]
pub(super) struct Sink {
    pub(super) content: Content,
    encoding: Option<String>,
    /// What was encoded, or is no server's answer.
    gathered: Vec<u8>,
    is_ours: bool,
}

impl Sink {
    pub(super) fn new(ticket: &Ticket, headers: &Headers) -> Self {
        Self {
            content: Content::of(ticket.id, Way::Down),
            encoding: headers.value("Content-Encoding").map(str::to_owned),
            gathered: Vec::new(),
            is_ours: headers.value("Ticket-Back").is_some(),
        }
    }

    pub(super) fn take(&mut self, bytes: &[u8]) {
        if self.encoding.is_some() || !self.is_ours {
            self.gathered.extend_from_slice(bytes);
        } else {
            self.content.check(bytes);
        }
    }

    /// Decodes what was encoded.
    fn finish(&mut self) -> io::Result<()> {
        let Some(encoding) = &self.encoding else { return Ok(()) };
        let (mut decoded, encoded) = (Vec::new(), &self.gathered[..]);
        match encoding.as_str() {
            "gzip" => flate2::read::GzDecoder::new(encoded).read_to_end(&mut decoded)?,
            "br" => brotli::Decompressor::new(encoded, 4096).read_to_end(&mut decoded)?,
            "zstd" => zstd::Decoder::new(encoded)?.read_to_end(&mut decoded)?,
            other => return Err(io::Error::other(format!("encoding {other}"))),
        };
        self.content.check(&decoded);
        Ok(())
    }
}

/// An answer as far as it came.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Headers,
    pub(super) sink: Sink,
    /// The trailers, or what broke the body off.
    pub(super) end: io::Result<Headers>,
    /// Whether its connection carries trailers.
    pub(super) carries_trailers: bool,
}

impl Ledger {
    /// Judges an answer.
    pub(super) fn judge(&self, ticket: &Ticket, mut answer: Answer) {
        let fault = |what: &str, answer: &Answer| {
            let arrivals = self.arrivals(ticket);
            let mut told = format!("{what} ({arrivals} arrivals): {ticket}: {answer:?}");
            told.truncate(1_000);
            self.fault(told);
        };
        self.answer(ticket);
        if answer.headers.value("Ticket-Back").is_none() {
            let possible = self.possible(ticket.since);
            let absent = possible.iter().any(|one| !one.has(&ticket.route));
            let fits = match answer.status {
                404 => absent && is_passing(ticket),
                // As in Traefik, 500 is for heads that break off, also behind 100 Continue.
                500 | 502..=504 => is_flaky(ticket),
                _ => false,
            };
            if !fits {
                return fault("an answer of nobody's", &answer);
            }
            return self.count(&format!("{} of Portway", answer.status));
        }
        if let Err(what) = self.belongs(ticket, &answer.headers) {
            return fault(&what, &answer);
        }
        if !matches!((answer.status, ticket.act), (200, _) | (101, Act::Talk)) {
            return fault("another status", &answer);
        }
        if !answer.sink.content.right {
            return fault("a wrong body", &answer);
        }
        let Ok(trailers) = &answer.end else {
            let excused = ticket.rude || is_flaky(ticket);
            if !excused {
                return fault("broken off", &answer);
            }
            return self.count(if ticket.rude { "rude: broken off" } else { "flaky: broken off" });
        };
        let mark = trailers.value("Ticket-Down");
        if mark.is_some_and(|mark| mark != ticket.id.to_string()) {
            return fault("trailers of another", &answer);
        }
        let lost = mark.is_none() && ticket.act == Act::Chunks && answer.carries_trailers;
        let holds = ["buffering", "compress", "held"];
        let possible = self.possible(ticket.since);
        let held = |middleware: &&str| {
            possible.iter().any(|one| one.has_middleware(&ticket.route, middleware))
        };
        if lost && !holds.iter().any(held) {
            return fault("no trailers", &answer);
        }
        if mark.is_some() {
            self.count("trailers down");
        }
        let has_body = !matches!(ticket.act, Act::Call | Act::Wait);
        if let Err(error) = answer.sink.finish() {
            return fault(&format!("cannot be decoded: {error}"), &answer);
        }
        let Content { position, right, .. } = answer.sink.content;
        if has_body && (position != ticket.down || !right) {
            return fault(&format!("{position} bytes, {right}"), &answer);
        }
        self.count(&format!("whole: {:?}", ticket.act));
    }

    /// Whether an answer is that to the ticket, of one generation from end to end.
    fn belongs(&self, ticket: &Ticket, headers: &Headers) -> Result<(), String> {
        if headers.values("Ticket-Back") != [ticket.to_string()] {
            return Err("the answer to another".to_owned());
        }
        let server = headers.value("Server-Name").unwrap_or_default();
        let possible = self.possible(ticket.since);
        let (said, seen) = (headers.value("X-Generation"), headers.value("Generation-Seen"));
        // As in Traefik, `headers` leaves a 101 alone.
        if said != seen && ticket.act != Act::Talk {
            return Err("of two generations".to_owned());
        }
        let fits = possible.iter().any(|one| {
            let stamped = one.has_middleware(&ticket.route, "stamp");
            let stamp = stamped.then(|| one.number.to_string());
            one.leads(&ticket.route, server) && stamp.as_deref() == seen
        });
        if !fits {
            return Err(format!("from {server} by generation {said:?}"));
        }
        let compresses = |one: &std::sync::Arc<super::plan::Generation>| {
            one.has_middleware(&ticket.route, "compress")
        };
        if headers.value("Content-Encoding").is_some() && !possible.iter().any(compresses) {
            return Err("compressed by nobody".to_owned());
        }
        Ok(())
    }
}

pub(super) fn is_flaky(ticket: &Ticket) -> bool {
    FLAKY.contains(&ticket.route.as_str())
}

pub(super) fn is_passing(ticket: &Ticket) -> bool {
    PASSING.contains(&ticket.route.as_str())
}
