//! Sending the request: a connection to the server, the response head, and the one repetition.

use std::{
    future::{Future, poll_fn},
    task::Poll,
    time::Instant,
};

use portway_http::{BodyFraming, Request, codec::write_request_head};
use portway_upstream::{Connection as ServerConnection, Server, connect};

use super::{
    Job,
    error::ForwardError,
    heads::{HeadState, Heads, Limits},
};
use crate::{
    buffer::ReadBuffer,
    connection::Connection,
    deadline::Deadline,
    record::Facts,
    relay::{Side, Upload, watch},
    worker::Worker,
};

/// An exchange whose response head is here, and whose bodies may still be on their way.
pub(crate) struct Ongoing {
    pub(crate) server: ServerConnection,
    pub(crate) upload: Upload,
    /// What was read from the server and not consumed.
    pub(crate) input: ReadBuffer,
    pub(crate) limits: Limits,
}

/// Sends the request and receives the head of the final response, or of 101; interim ones are passed on.
///
/// A reused connection that ends before any byte of a response is replaced by a new one, if the request
/// may be repeated: none of its body was taken from the client, and it is idempotent or unsent.
pub(crate) async fn send(
    connection: &mut Connection,
    worker: &Worker,
    job: &Job<'_>,
    facts: &mut Facts,
) -> Result<Ongoing, ForwardError> {
    let server = job.picked.server;
    let mut state = HeadState::new(&connection.request);
    let mut limits = limits(connection, job);
    let pooled = worker.pool.borrow_mut().take(server, connection.started);
    if let Some(reused) = pooled {
        let mut attempt = begin(connection, job, reused);
        match attempt.receive(connection, worker, job, &mut limits, &mut state).await {
            Ok(()) => return Ok(attempt.into_ongoing(limits)),
            Err(error) => {
                let upload = &attempt.upload;
                let repeatable = matches!(error, ForwardError::Closed { .. })
                    && !state.answered
                    && !upload.taken
                    && (!upload.begun || connection.request.method.is_idempotent());
                if !repeatable {
                    return Err(attempt.fail(connection, facts, error));
                }
                connection.to_server = attempt.upload.into_buffer();
                state.begin_again();
            }
        }
    }
    let opened = open(connection, worker, server).await?;
    let mut attempt = begin(connection, job, opened);
    match attempt.receive(connection, worker, job, &mut limits, &mut state).await {
        Ok(()) => Ok(attempt.into_ongoing(limits)),
        Err(error) => Err(attempt.fail(connection, facts, error)),
    }
}

fn limits(connection: &Connection, job: &Job<'_>) -> Limits {
    let settings = job.settings;
    Limits {
        request: Deadline::after(connection.begun, settings.read_timeout),
        write: settings.write_timeout.and_then(|limit| connection.started.checked_add(limit)),
        thinking: job.picked.server.transport.response_header_timeout,
    }
}

/// The request on one connection to the server.
struct Attempt {
    server: ServerConnection,
    upload: Upload,
    input: ReadBuffer,
}

fn begin(connection: &mut Connection, job: &Job<'_>, server: ServerConnection) -> Attempt {
    let mut out = std::mem::take(&mut connection.to_server);
    out.clear();
    // An HTTP/1.0 client need not say a host; its server has one all the same.
    let host = match connection.request.authority() {
        said if job.picked.pass_host_header && !said.is_empty() => said,
        _ => job.picked.server.authority.as_str(),
    };
    write_request_head(&mut out, &connection.request, host, false);
    let upload = Upload::new(out, connection.request.body);
    Attempt { server, upload, input: ReadBuffer::default() }
}

impl Attempt {
    async fn receive(
        &mut self,
        connection: &mut Connection,
        worker: &Worker,
        job: &Job<'_>,
        limits: &mut Limits,
        state: &mut HeadState,
    ) -> Result<(), ForwardError> {
        let Connection { stream, input, request, response, .. } = connection;
        let mut heads = Heads {
            buffers: &worker.buffers,
            request,
            response,
            server_name: &job.picked.server.url,
            limits,
            state,
        };
        let mut client = Side { stream, input };
        let mut server = Side { stream: &mut self.server.stream, input: &mut self.input };
        let received = heads.receive(&mut client, &mut server, &mut self.upload).await;
        connection.longest_head = connection.longest_head.max(state.longest);
        received
    }

    fn into_ongoing(self, limits: Limits) -> Ongoing {
        Ongoing { server: self.server, upload: self.upload, input: self.input, limits }
    }

    /// Ends the exchange. What was taken of the body cannot be read again, so the client's connection can
    /// only go on when all of it was.
    fn fail(
        self,
        connection: &mut Connection,
        facts: &mut Facts,
        error: ForwardError,
    ) -> ForwardError {
        facts.request_bytes = self.upload.payload;
        spend_body(&mut connection.request, &self.upload);
        connection.to_server = self.upload.into_buffer();
        error
    }
}

fn spend_body(request: &mut Request, upload: &Upload) {
    request.keep_alive &= upload.body_is_read();
    request.body = BodyFraming::None;
}

/// Connects to the server, unless the client leaves first.
async fn open(
    connection: &mut Connection,
    worker: &Worker,
    server: &Server,
) -> Result<ServerConnection, ForwardError> {
    // Rare and large next to a request on a pooled connection, whose future it must not swell.
    let mut connecting = Box::pin(connect(server));
    let stream = poll_fn(|cx| {
        if let Poll::Ready(connected) = connecting.as_mut().poll(cx) {
            return Poll::Ready(connected.map_err(ForwardError::from));
        }
        let mut client = Side { stream: &mut connection.stream, input: &mut connection.input };
        watch(cx, &mut client, &worker.buffers).map(|error| Err(error.into()))
    });
    Ok(ServerConnection::new(stream.await?, Instant::now()))
}
