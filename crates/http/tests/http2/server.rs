//! A server that sends back what it gets: body and trailers.

use std::collections::HashMap;
use std::time::Instant;

use portway_http::codec::ResponseHead;
use portway_http::h2::{Connection, Event, Gone, Limits, Server, StreamId};
use portway_http::{BodyFraming, Headers, Known, Method, Request, Status, Version};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What is to be sent back on a stream.
#[derive(Default)]
struct Echo {
    waiting: Vec<u8>,
    ended: bool,
    trailers: Option<Headers>,
}

struct Owner {
    connection: Connection<Server>,
    echoes: HashMap<StreamId, Echo>,
}

/// Serves one connection to its end; how it ended.
pub(crate) async fn serve<T: AsyncRead + AsyncWrite>(io: T, limits: &Limits) -> Result<(), String> {
    let (mut from, mut to) = tokio::io::split(io);
    let mut owner = Owner { connection: Connection::server(limits), echoes: HashMap::new() };
    let mut request = Request::new();
    let mut buffer = vec![0; 20_000];
    let mut open = true;
    while open || !owner.connection.output().is_empty() {
        let output = owner.connection.output();
        tokio::select! {
            written = to.write(output), if !output.is_empty() => {
                let Ok(written) = written else { break };
                owner.connection.written(written);
            }
            read = from.read(&mut buffer), if open => match read {
                Ok(1..) if owner.take(&buffer[..read.unwrap()], &mut request).is_ok() => {}
                _ => open = false,
            },
        }
        while let Some(stream) = owner.connection.next_writable() {
            let _ = owner.pump(stream);
        }
        open &= !owner.connection.is_done();
    }
    let _ = to.shutdown().await;
    match owner.connection.next(&[], &mut request, Instant::now()) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

impl Owner {
    fn take(
        &mut self,
        mut input: &[u8],
        request: &mut Request,
    ) -> Result<(), portway_http::h2::ConnectionError> {
        loop {
            let step = self.connection.next(input, request, Instant::now())?;
            match step.event {
                None => return Ok(()),
                Some(Event::Head { stream, end }) => self.begin(stream, request, end),
                Some(Event::Refused { stream, refusal, .. }) => {
                    let _ = self.respond(stream, refusal.status, &Headers::new(), true);
                }
                Some(Event::Data { stream, payload, end }) => {
                    let payload = &input[payload];
                    let Some(echo) = self.echoes.get_mut(&stream) else { continue };
                    echo.waiting.extend_from_slice(payload);
                    echo.ended = end;
                    let _ = self.pump(stream);
                }
                Some(Event::Trailers { stream }) => {
                    if let Some(echo) = self.echoes.get_mut(&stream) {
                        echo.trailers = Some(self.connection.trailers());
                        echo.ended = true;
                    }
                    let _ = self.pump(stream);
                }
                Some(Event::Reset { stream, .. }) => drop(self.echoes.remove(&stream)),
                Some(Event::GoAway { .. } | Event::Pong { .. } | Event::Wasted) => {}
            }
            input = &input[step.consumed..];
        }
    }

    fn begin(&mut self, stream: StreamId, request: &Request, end: bool) {
        let mut headers = request.headers.clone();
        headers.remove(Known::ContentLength);
        headers.remove(Known::Trailer);
        let echo = Echo { ended: end, ..Echo::default() };
        // Something to send, for those who ask for nothing.
        let hello = end && request.method == Method::Get;
        let waiting = if hello { b"hello".to_vec() } else { Vec::new() };
        self.echoes.insert(stream, Echo { waiting, ..echo });
        let _ = self.respond(stream, Status::OK, &headers, false);
        let _ = self.pump(stream);
    }

    fn respond(
        &mut self,
        stream: StreamId,
        status: Status,
        headers: &Headers,
        end: bool,
    ) -> Result<(), Gone> {
        let head = ResponseHead {
            version: Version::Http2,
            status,
            headers,
            body: BodyFraming::Chunked,
            connection: portway_http::codec::Connection::Unsaid,
            date: b"Mon, 23 Nov 2026 06:44:15 GMT",
        };
        self.connection.respond(stream, &head, end)
    }

    /// Sends back what can be sent now.
    fn pump(&mut self, stream: StreamId) -> Result<(), Gone> {
        let Some(echo) = self.echoes.get_mut(&stream) else { return Ok(()) };
        let end = echo.ended && echo.trailers.is_none();
        if !echo.waiting.is_empty() || end {
            let taken = self.connection.send_data(stream, &echo.waiting, end)?;
            echo.waiting.drain(..taken);
            self.connection.release(stream, taken);
        }
        if echo.ended && echo.waiting.is_empty() {
            if let Some(trailers) = echo.trailers.take() {
                self.connection.send_trailers(stream, &trailers)?;
            }
            self.echoes.remove(&stream);
        }
        Ok(())
    }
}
