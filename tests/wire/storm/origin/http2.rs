//! Servers of HTTP/2 and gRPC.

use std::future::poll_fn;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use portway_testkit::line::Wire;
use portway_testkit::message::Headers;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::super::content::Content;
use super::super::flow::{self, Messages, field, headers, read_body, send, send_body};
use super::super::http1::Pace;
use super::super::ticket::{Act, Ticket};
use super::{Desk, contents, is_call};

/// After how many streams a connection says that it takes no more.
const FAREWELL: usize = 70;

/// Serves one connection to its end.
pub(super) async fn serve(wire: Box<dyn Wire>, desk: &Desk) -> io::Result<()> {
    let connection = Builder::new().max_concurrent_streams(50).handshake(wire).await;
    let mut connection = connection.map_err(io::Error::other)?;
    // Streams end with their connection.
    let mut streams = JoinSet::new();
    let mut left = FAREWELL;
    while let Some(arrived) = connection.accept().await {
        let (request, respond) = arrived.map_err(io::Error::other)?;
        left -= 1;
        if left == 0 {
            // What was begun goes on, and what comes meanwhile.
            connection.graceful_shutdown();
            left = FAREWELL;
        }
        let desk = desk.clone();
        streams.spawn(async move {
            if answer(&desk, request, respond).await.is_err() {
                desk.ledger.count("streams to servers that broke");
            }
        });
        while streams.try_join_next().is_some() {}
    }
    // They may not have seen yet that they are over.
    while streams.join_next().await.is_some() {}
    // As Go's server does: closing while the client still says that there is room would reset the connection.
    sleep(Duration::from_secs(1)).await;
    Ok(())
}

async fn answer(
    desk: &Desk,
    request: Request<RecvStream>,
    respond: SendResponse<Bytes>,
) -> io::Result<()> {
    let (head, body) = request.into_parts();
    let fields = headers(&head.headers);
    let ticket = desk.arrived(head.uri.path(), &fields)?;
    let mut exchange = Exchange { desk, ticket: &ticket, fields: &fields, respond, body };
    if is_call(&ticket) { exchange.call().await } else { exchange.answer().await }
}

/// A call that waits; it also ends with its connection.
struct Waiting<'a>(&'a Desk);

impl<'a> Waiting<'a> {
    fn begin(desk: &'a Desk) -> Self {
        desk.ledger.count("calls that wait: begun");
        Self(desk)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.ledger.count("calls that wait: over");
    }
}

struct Exchange<'a> {
    desk: &'a Desk,
    ticket: &'a Ticket,
    fields: &'a Headers,
    respond: SendResponse<Bytes>,
    body: RecvStream,
}

impl Exchange<'_> {
    async fn answer(&mut self) -> io::Result<()> {
        let Ticket { id, down, act, .. } = *self.ticket;
        let (mut up, mut content) = contents(self.ticket);
        let pace = &mut Pace::new(id, act == Act::Slow);
        let mut begun = None;
        if matches!(act, Act::Early | Act::Hasty) {
            let mut stream = self.begin()?;
            let early = if act == Act::Early { down / 2 } else { down };
            send_body(&mut stream, &mut content, early, pace).await.map_err(io::Error::other)?;
            begun = Some(stream);
        }
        if act == Act::Hasty {
            // RFC 9113 §8.1: the library says NO_ERROR where what is left of the request is not wanted.
            if let Some(mut stream) = begun {
                stream.send_data(Bytes::new(), true).map_err(io::Error::other)?;
            }
            return Ok(());
        }
        let reading = &mut Pace::new(id, false);
        let trailers = read_body(&mut self.body, reading, &mut |bytes| up.check(bytes)).await;
        let whole = trailers.is_ok();
        self.desk.uploaded(self.ticket, &up, trailers);
        if !whole {
            return Ok(());
        }
        match act {
            Act::Mute => {
                self.respond.send_reset(Reason::INTERNAL_ERROR);
                return Ok(());
            }
            Act::Interim => {
                let mut hint = Response::builder().status(103).body(()).expect("a head");
                field(hint.headers_mut(), "link", &format!("<{id}>"));
                self.respond.send_informational(hint).map_err(io::Error::other)?;
            }
            _ => {}
        }
        let mut stream = match begun {
            Some(stream) => stream,
            None => self.begin()?,
        };
        let left = down - content.position;
        let left = if act == Act::Cut { left / 2 } else { left };
        send_body(&mut stream, &mut content, left, pace).await.map_err(io::Error::other)?;
        if act == Act::Cut {
            stream.send_reset(Reason::INTERNAL_ERROR);
            return Ok(());
        }
        let mut trailers = HeaderMap::new();
        field(&mut trailers, "ticket-down", &id.to_string());
        stream.send_trailers(trailers).map_err(io::Error::other)
    }

    fn begin(&mut self) -> io::Result<SendStream<Bytes>> {
        let mut response = Response::new(());
        for (name, value) in self.desk.fields(self.ticket, self.fields) {
            field(response.headers_mut(), name, &value);
        }
        let chunks = self.ticket.act == Act::Chunks || is_call(self.ticket);
        let knows_length = !chunks && !self.ticket.id.is_multiple_of(3);
        if knows_length {
            field(response.headers_mut(), "content-length", &self.ticket.down.to_string());
        }
        self.respond.send_response(response, false).map_err(io::Error::other)
    }

    /// A call of gRPC: message by message where there are as many up as down.
    async fn call(&mut self) -> io::Result<()> {
        let Ticket { up, down, act, .. } = *self.ticket;
        let (mut heard, mut said) = contents(self.ticket);
        let mut stream = self.begin()?;
        if act == Act::Wait {
            let _waiting = Waiting::begin(self.desk);
            let end = poll_fn(|cx| stream.poll_reset(cx)).await;
            if let Ok(reason) = end
                && reason != Reason::CANCEL
            {
                self.desk.ledger.fault(format!("{reason:?} ended {}", self.ticket));
            }
            return Ok(());
        }
        let mut messages = Messages::default();
        let mut received = 0;
        while let Some(message) = messages.next(&mut self.body).await? {
            flow::check(&mut heard, &message);
            received += 1;
            if up == down {
                self.say(&mut stream, &mut said).await?;
            }
        }
        if received != up || !heard.right {
            let name = &self.desk.origin.name;
            self.desk
                .ledger
                .fault(format!("{name} got {received} messages, {}: {}", heard.right, self.ticket));
        }
        if up != down {
            for _ in 0..down {
                self.say(&mut stream, &mut said).await?;
            }
        }
        let mut trailers = HeaderMap::new();
        field(&mut trailers, "grpc-status", "0");
        field(&mut trailers, "ticket-down", &self.ticket.id.to_string());
        stream.send_trailers(trailers).map_err(io::Error::other)
    }

    async fn say(&self, stream: &mut SendStream<Bytes>, said: &mut Content) -> io::Result<()> {
        send(stream, &flow::message(said), false).await.map_err(io::Error::other)
    }
}
