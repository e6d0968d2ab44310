//! Clients of HTTP/2: many streams at once, calls of gRPC and WebSockets among them.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::ext::Protocol;
use h2::{Reason, SendStream};
use http::{HeaderMap, Method, Request};
use portway_testkit::line::Line;
use portway_testkit::random::Random;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::super::content::{Content, Way};
use super::super::flow::{self, Messages, field, headers, read_body, send, send_body};
use super::super::http1::Pace;
use super::super::judge::{Answer, Sink};
use super::super::ticket::{Act, Ticket};
use super::{Kind, PATIENCE, Storm, Visit};

impl Visit<'_> {
    /// Opens streams, some of them at once.
    pub(super) async fn streams(mut self, line: Line) {
        let secure = !line.certificate.is_empty();
        let mut builder = Builder::new();
        builder.enable_push(false);
        if self.random.once_in(3) {
            let windows = [1_000, 5_000, 1 << 20];
            builder.initial_window_size(*self.random.pick(&windows));
        }
        let opened = timeout(PATIENCE, builder.handshake(line.wire)).await;
        let Ok(Ok((sender, connection))) = opened else {
            if !self.ledger().is_draining() {
                self.ledger().fault("no HTTP/2".to_owned());
            }
            return;
        };
        // The connection ends with this task's set.
        let mut connections = JoinSet::new();
        connections.spawn(async move { drop(connection.await) });
        // What the server can do comes with its first frame.
        let known = async {
            while !sender.is_extended_connect_protocol_enabled() {
                sleep(Duration::from_millis(1)).await;
            }
        };
        let knows = timeout(PATIENCE, known).await.is_ok();
        if !knows && !self.ledger().is_draining() {
            return self.ledger().fault("no WebSockets over HTTP/2".to_owned());
        }
        let mut streams = JoinSet::new();
        let at_once = 1 + self.random.below(20);
        for _ in 0..=self.random.below(40) {
            if self.ledger().is_over() {
                break;
            }
            while streams.len() >= at_once {
                streams.join_next().await;
            }
            let ready = timeout(PATIENCE, sender.clone().ready()).await;
            let Ok(Ok(sender)) = ready else {
                let told = matches!(&ready, Ok(Err(error)) if is_goodbye(error));
                if !told && !self.ledger().is_draining() {
                    self.ledger().fault(format!("a connection takes no more streams: {ready:?}"));
                }
                break;
            };
            let ticket = self.ticket(Kind::Http2);
            let random = Random::new(self.random.bits());
            let stream = OneStream { storm: self.storm.clone(), ticket, secure, random };
            streams.spawn(stream.lead(sender));
        }
        while streams.join_next().await.is_some() {}
        drop(sender);
        // It says goodbye.
        let _ = timeout(PATIENCE, connections.join_next()).await;
    }
}

struct OneStream {
    storm: Storm,
    ticket: Ticket,
    secure: bool,
    random: Random,
}

impl OneStream {
    async fn lead(mut self, sender: SendRequest<Bytes>) {
        let (ticket, ledger) = (self.ticket.clone(), self.storm.ledger.clone());
        let enough = Duration::from_millis(10 + self.random.below(200) as u64);
        let leaves = ticket.rude && (ticket.act == Act::Wait || self.random.once_in(3));
        let patience = if leaves { enough } else { PATIENCE };
        match timeout(patience, self.exchange(sender)).await {
            Ok(Ok(answer)) => ledger.judge(&ticket, answer),
            Ok(Err(error)) => {
                let told = error.get_ref().and_then(|error| error.downcast_ref::<h2::Error>());
                ledger.unanswered(&ticket, &error.to_string(), told.is_some_and(is_goodbye));
            }
            // What was dropped was given up.
            Err(_) if leaves => ledger.count("rude: streams given up"),
            Err(_) => ledger.fault(format!("no end of {ticket}")),
        }
    }

    /// An error is that there is no answer.
    async fn exchange(&mut self, mut sender: SendRequest<Bytes>) -> io::Result<Answer> {
        let ticket = self.ticket.clone();
        let request = self.head();
        let ends = ticket.up == 0 && !matches!(ticket.act, Act::Talk | Act::Call);
        let (mut response, body) = sender.send_request(request, ends).map_err(io::Error::other)?;
        // Streams that are led share its connection; it must not be kept open by this one's wait.
        drop(sender);
        if ticket.act == Act::Call {
            return self.call(response, body).await;
        }
        let pace = &mut Pace::new(self.random.bits(), self.random.once_in(10));
        let upload = upload(body, ticket.clone(), ends, pace);
        let listening = &mut Pace::new(self.random.bits(), self.random.once_in(8));
        let storm = &self.storm;
        let download = async {
            let (status, fields, mut body) = head(storm, &ticket, &mut response).await?;
            let mut sink = Sink::new(&ticket, &fields);
            let end = read_body(&mut body, listening, &mut |bytes| sink.take(bytes)).await;
            Ok((status, fields, sink, end))
        };
        // Dropping what sends would give the stream up.
        let (_sent, downloaded) = tokio::join!(upload, download);
        let (status, headers, sink, end) = downloaded.map_err(|error: io::Error| error)?;
        Ok(Answer { status, headers, sink, end, carries_trailers: true })
    }

    fn head(&mut self) -> Request<()> {
        let ticket = &self.ticket;
        let scheme = if self.secure { "https" } else { "http" };
        let method = match (ticket.act, ticket.up) {
            (Act::Talk, _) => Method::CONNECT,
            (Act::Call | Act::Wait, _) | (_, 1..) => Method::POST,
            _ => Method::GET,
        };
        let uri = format!("{scheme}://{}{}", ticket.host(), ticket.path());
        let request = Request::builder().method(method).uri(uri).body(());
        let mut request = request.expect("a request");
        field(request.headers_mut(), "ticket", &ticket.to_string());
        match ticket.act {
            Act::Talk => {
                request.extensions_mut().insert(Protocol::from_static("websocket"));
                field(request.headers_mut(), "sec-websocket-version", "13");
            }
            Act::Call | Act::Wait => {
                field(request.headers_mut(), "content-type", "application/grpc");
                field(request.headers_mut(), "te", "trailers");
                field(request.headers_mut(), "grpc-timeout", "30S");
            }
            _ if self.random.once_in(3) => {
                let encoding = *self.random.pick(&["gzip", "br", "zstd"]);
                field(request.headers_mut(), "accept-encoding", encoding);
            }
            _ => {}
        }
        request
    }

    /// A call of gRPC: in turns where there are as many messages up as down.
    async fn call(
        &mut self,
        mut response: ResponseFuture,
        mut body: SendStream<Bytes>,
    ) -> io::Result<Answer> {
        let ticket = self.ticket.clone();
        let Ticket { id, up, down, .. } = ticket;
        let mut said = Content::of(id, Way::Up);
        let in_turns = up == down;
        if !in_turns {
            for _ in 0..up {
                send(&mut body, &flow::message(&mut said), false)
                    .await
                    .map_err(io::Error::other)?;
            }
            body.send_data(Bytes::new(), true).map_err(io::Error::other)?;
        }
        let (status, headers, mut stream) = head(&self.storm, &ticket, &mut response).await?;
        let mut sink = Sink::new(&ticket, &headers);
        let listen = async {
            let mut messages = Messages::default();
            for turn in 0..down {
                if in_turns {
                    let message = flow::message(&mut said);
                    send(&mut body, &message, turn + 1 == up).await.map_err(io::Error::other)?;
                }
                let message = messages.next(&mut stream).await?;
                let message = message.ok_or(io::ErrorKind::UnexpectedEof)?;
                flow::check(&mut sink.content, &message);
            }
            if messages.next(&mut stream).await?.is_some() {
                return Err(io::Error::other("more messages than were sent"));
            }
            let trailers = stream.trailers().await.map_err(io::Error::other)?;
            Ok(trailers.as_ref().map(flow::headers).unwrap_or_default())
        };
        let mut end = listen.await;
        if end.as_ref().is_ok_and(|trailers| trailers.value("grpc-status") != Some("0")) {
            end = Err(io::Error::other("no status of gRPC"));
        }
        Ok(Answer { status, headers, sink, end, carries_trailers: true })
    }
}

/// Whether a server said that it takes no more requests, of which this is one.
fn is_goodbye(error: &h2::Error) -> bool {
    error.is_go_away() && error.reason() == Some(Reason::NO_ERROR)
        || error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM)
}

/// The head of the answer, behind interim ones.
async fn head(
    storm: &Storm,
    ticket: &Ticket,
    response: &mut ResponseFuture,
) -> io::Result<(u16, portway_testkit::message::Headers, h2::RecvStream)> {
    let response = poll_fn(|cx| {
        while let Poll::Ready(Some(interim)) = response.poll_informational(cx) {
            let interim = interim.map_err(io::Error::other)?;
            storm.ledger.count(interim.status().as_str());
            let fields = headers(interim.headers());
            let wrong = fields.value("link") != Some(&format!("<{}>", ticket.id));
            if interim.status() == 103 && wrong {
                storm.ledger.fault(format!("an interim answer of another: {ticket}"));
            }
        }
        Pin::new(&mut *response).poll(cx).map_err(io::Error::other)
    })
    .await?;
    let (head, body) = response.into_parts();
    Ok((head.status.as_u16(), headers(&head.headers), body))
}

/// Sends the body of a request. Where that fails, the answer tells why.
async fn upload(
    mut body: SendStream<Bytes>,
    ticket: Ticket,
    ends: bool,
    pace: &mut Pace,
) -> SendStream<Bytes> {
    let Ticket { id, up, act, .. } = ticket;
    if ends {
        return body;
    }
    let sent = send_body(&mut body, &mut Content::of(id, Way::Up), up, pace).await;
    if sent.is_err() || act == Act::Talk {
        return body;
    }
    if act == Act::Chunks {
        let mut trailers = HeaderMap::new();
        field(&mut trailers, "ticket-up", &id.to_string());
        let _ = body.send_trailers(trailers);
    } else {
        let _ = body.send_data(Bytes::new(), true);
    }
    body
}
