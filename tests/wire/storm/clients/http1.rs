//! Clients of HTTP/1.1.

use std::io;
use std::time::Duration;

use portway_testkit::line::{Line, Wire};
use portway_testkit::message::Framing;
use portway_testkit::random::Random;
use tokio::io::{AsyncWriteExt as _, ReadHalf, split};
use tokio::time::{sleep, timeout};

use super::super::content::{Content, Way};
use super::super::http1::{Pace, Reader, Writer, write_body};
use super::super::judge::{Answer, Sink, is_flaky, is_passing};
use super::super::ticket::{Act, Ticket};
use super::{Kind, PATIENCE, Visit};

/// What is asked for where the client can decode it.
const ENCODINGS: [&str; 4] = ["gzip", "br", "zstd", "gzip, br, zstd"];

impl Visit<'_> {
    /// Asks for one thing after another, and sometimes for several at once.
    pub(super) async fn requests(mut self, line: Line) {
        let (reader, mut writer) = split(line.wire);
        let mut reader = Reader::new(reader);
        let mut before = "nothing".to_owned();
        for _ in 0..=self.random.below(15) {
            if self.ledger().is_over() {
                return;
            }
            let tickets = self.batch();
            let seed = self.random.bits();
            let exchange = async {
                let asking = ask(&mut writer, &tickets, seed);
                tokio::join!(asking, self.answers(&mut reader, &tickets, seed, &mut before)).1
            };
            match timeout(PATIENCE, exchange).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => return self.ledger().fault(format!("no end of {tickets:?}")),
            }
            if self.random.once_in(4) {
                sleep(Duration::from_millis(self.random.below(60) as u64)).await;
            }
        }
    }

    /// Several requests only where each leaves the connection to the next.
    fn batch(&mut self) -> Vec<Ticket> {
        let most = if self.random.once_in(3) { 1 + self.random.below(8) } else { 1 };
        let mut tickets = Vec::new();
        while tickets.len() < most {
            let ticket = self.ticket(Kind::Http1);
            // An answer before the end of the request may end the connection.
            let early = ticket.act == Act::Hasty || ticket.act == Act::Early && ticket.up > 0;
            let last = early || is_flaky(&ticket) || is_passing(&ticket);
            tickets.push(ticket);
            if last {
                break;
            }
        }
        tickets
    }

    /// Reads the answers; whether the connection goes on.
    async fn answers(
        &self,
        reader: &mut Reader<ReadHalf<Box<dyn Wire>>>,
        tickets: &[Ticket],
        seed: u64,
        before: &mut String,
    ) -> bool {
        for (number, ticket) in tickets.iter().enumerate() {
            let pace = &mut Pace::new(seed, seed.is_multiple_of(8));
            let (goes_on, said, broken) = match self.answer(reader, ticket, pace).await {
                Ok((goes_on, said)) => (goes_on, said, None),
                Err(error) => (false, false, Some(error)),
            };
            if let Some(error) = &broken {
                self.ledger().unanswered(ticket, &format!("{error}, behind {before}"), false);
            }
            *before = ticket.to_string();
            if !goes_on {
                let rest = &tickets[number + 1..];
                // An answer that breaks off, or that does not say so, leaves nobody behind it.
                let told = |ticket: &Ticket| self.ledger().unanswered(ticket, "left", said);
                if broken.is_none() || self.ledger().is_draining() {
                    rest.iter().for_each(told);
                }
                return false;
            }
        }
        true
    }

    /// Reads one answer: whether the connection goes on, and whether it was said that it ends. An error is that
    /// there is none.
    async fn answer(
        &self,
        reader: &mut Reader<ReadHalf<Box<dyn Wire>>>,
        ticket: &Ticket,
        pace: &mut Pace,
    ) -> io::Result<(bool, bool)> {
        let head = loop {
            let head = reader.head().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
            match head.part(1) {
                "100" => self.ledger().count("100"),
                "103" => {
                    self.ledger().count("103");
                    if head.headers.value("Link") != Some(&format!("<{}>", ticket.id)) {
                        self.ledger().fault(format!("an interim answer of another: {ticket}"));
                    }
                }
                _ => break head,
            }
        };
        let mut sink = Sink::new(ticket, &head.headers);
        let framing = Framing::of_response(&head, "GET");
        let end = reader.body(framing, pace, &mut |bytes| sink.take(bytes)).await;
        let closes = head.headers.value("Connection").is_some_and(|value| value == "close");
        let goes_on = end.is_ok() && !closes && ticket.act != Act::Hasty;
        let status = head.part(1).parse().unwrap_or(0);
        let carries_trailers = framing == Framing::Chunked;
        let answer = Answer { status, headers: head.headers, sink, end, carries_trailers };
        self.ledger().judge(ticket, answer);
        Ok((goes_on, closes))
    }

    /// Opens one WebSocket and says what is to be said.
    pub(super) async fn talk(mut self, line: Line) {
        let ticket = self.ticket(Kind::Talks);
        let Ticket { id, up, down, .. } = ticket;
        let (reader, mut writer) = split(line.wire);
        let mut reader = Reader::new(reader);
        let conversation = async {
            let head = format!(
                "GET {} HTTP/1.1\r\nHost: {}\r\nTicket: {ticket}\r\nConnection: Upgrade\r\n\
                 Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                ticket.path(),
                ticket.host()
            );
            writer.write_all(head.as_bytes()).await?;
            let head = reader.head().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let mut sink = Sink::new(&ticket, &head.headers);
            let status = head.part(1).parse().unwrap_or(0);
            let (listening, saying) = (
                &mut Pace::new(id, id.is_multiple_of(5)),
                &mut Pace::new(id, id.is_multiple_of(3)),
            );
            let mut content = Content::of(id, Way::Up);
            let say = write_body(&mut writer, false, &mut content, up, saying);
            let framing = Framing::Length(down as u64);
            let mut hear = |bytes: &[u8]| sink.take(bytes);
            let listen = reader.body(framing, listening, &mut hear);
            let (said, mut end) = tokio::join!(say, listen);
            if let Err(error) = said {
                end = Err(error);
            }
            // The server ends it, and nothing may come before.
            if end.is_ok() && reader.some(1, &mut |_| {}).await? > 0 {
                end = Err(io::Error::other("more than was said"));
            }
            let (headers, carries_trailers) = (head.headers, false);
            Ok((Answer { status, headers, sink, end, carries_trailers }, ()))
        };
        match timeout(PATIENCE, conversation).await {
            Ok(Ok((answer, ()))) => self.ledger().judge(&ticket, answer),
            Ok(Err(error)) => {
                let error: io::Error = error;
                self.ledger().unanswered(&ticket, &error.to_string(), false);
            }
            Err(_) => self.ledger().fault(format!("no end of {ticket}")),
        }
    }
}

/// Sends all requests, one behind the other. Where that fails, the answers tell why.
async fn ask(writer: &mut Writer, tickets: &[Ticket], seed: u64) {
    let mut random = Random::new(seed);
    for ticket in tickets {
        if ask_one(writer, ticket, &mut random).await.is_err() {
            return;
        }
    }
}

async fn ask_one(writer: &mut Writer, ticket: &Ticket, random: &mut Random) -> io::Result<()> {
    let Ticket { id, up, act, .. } = *ticket;
    let method = if up > 0 { "POST" } else { *random.pick(&["GET", "DELETE"]) };
    let chunked = up > 0 && (act == Act::Chunks || random.once_in(3));
    let mut head = format!(
        "{method} {} HTTP/1.1\r\nHost: {}\r\nTicket: {ticket}\r\n",
        ticket.path(),
        ticket.host()
    );
    match (chunked, up) {
        (true, _) => head.push_str("Transfer-Encoding: chunked\r\nTrailer: Ticket-Up\r\n"),
        (false, 0) => {}
        (false, _) => head.push_str(&format!("Content-Length: {up}\r\n")),
    }
    if random.once_in(3) {
        head.push_str(&format!("Accept-Encoding: {}\r\n", random.pick(&ENCODINGS)));
    }
    // One that is answered before it was told to go on may have to end its connection.
    if up > 0 && act != Act::Early && random.once_in(6) {
        head.push_str("Expect: 100-continue\r\n");
    }
    head.push_str("\r\n");
    writer.write_all(head.as_bytes()).await?;
    let pace = &mut Pace::new(random.bits(), random.once_in(10));
    write_body(writer, chunked, &mut Content::of(id, Way::Up), up, pace).await?;
    if chunked {
        writer.write_all(format!("0\r\nTicket-Up: {id}\r\n\r\n").as_bytes()).await?;
    }
    writer.flush().await
}
