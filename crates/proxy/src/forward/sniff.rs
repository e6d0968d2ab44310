//! The type of a response that does not say it: what its beginning looks like.

use std::{future::poll_fn, task::Poll, time::Duration};

use portway_http::{BodyFraming, BodyReader, Known};
use portway_middleware::detect_content_type;

use crate::{
    connection::Connection, deadline::Deadline, memory::Memory, relay::Side, worker::Worker,
};

/// How much of a body is looked at.
const LOOKED_AT: usize = 512;

/// How long the fields wait for the body. Traefik: `responseForwarding.flushInterval`.
const PATIENCE: Duration = Duration::from_millis(100);

/// Waits for the beginning of the response's body, of which nothing is used up, and says its type in the fields.
///
/// Where no beginning comes the fields stay as they are, and whoever passes the body on finds out why.
pub(super) async fn sniff(connection: &mut Connection, memory: &mut Memory, worker: &Worker) {
    // Of a chunked response Traefik sends the fields before any of the body, unless that was held back.
    let held = memory.whole_body.is_some_and(|length| length > 0);
    if !held && !matches!(memory.response.body, BodyFraming::Length(1..) | BodyFraming::UntilClose)
    {
        return;
    }
    let is_http2 = memory.server.as_mut().is_some_and(|server| server.stream.http2().is_some());
    let reader = memory.response_reader(is_http2);
    let Memory { response, upload, server, limits, from_server, .. } = memory;
    let Some(server) = server else { return };
    let mut patience = Deadline::from_now(Some(PATIENCE));
    let mut client = Side { stream: &mut connection.stream, input: &mut connection.input };
    let mut from_server = Side { stream: &mut server.stream, input: from_server };
    let found = poll_fn(|cx| {
        loop {
            let (start, _) = beginning(reader.clone(), from_server.input.filled());
            if !start.is_empty() {
                return Poll::Ready(Some(detect_content_type(&start)));
            }
            if from_server.input.is_full() {
                return Poll::Ready(None);
            }
            match from_server.poll_fill(cx, &worker.buffers) {
                Poll::Ready(Ok(count)) if count > 0 => {}
                Poll::Ready(_) => return Poll::Ready(None),
                Poll::Pending => break,
            }
        }
        let sent = upload.poll(cx, &mut client, from_server.stream, &worker.buffers);
        let late = !upload.body_has_come() && limits.request.has_passed(cx);
        if sent.is_ready() || late || patience.has_passed(cx) {
            return Poll::Ready(None);
        }
        Poll::Pending
    })
    .await;
    if let Some(found) = found {
        response.headers.append(Known::ContentType, found);
    }
}

/// The beginning of a body, as far as it has come, and whether the body ends there.
pub(crate) fn beginning(mut reader: BodyReader, mut input: &[u8]) -> (Vec<u8>, bool) {
    let mut start = Vec::new();
    while !input.is_empty() && start.len() < LOOKED_AT {
        let Ok(step) = reader.step(input) else { break };
        start.extend_from_slice(input.get(step.payload.clone()).unwrap_or_default());
        input = input.get(step.consumed..).unwrap_or_default();
        if step.done {
            break;
        }
    }
    (start, reader.is_done())
}

#[cfg(test)]
mod tests {
    use portway_http::TrailerLimits;

    use super::*;

    #[track_caller]
    fn check(framing: BodyFraming, input: &[u8], expected: &[u8]) {
        let reader = BodyReader::for_response(framing, TrailerLimits::default());
        assert_eq!(beginning(reader, input).0, expected);
    }

    #[test]
    fn what_has_come_is_looked_at_without_its_framing() {
        check(BodyFraming::Length(5), b"hello", b"hello");
        check(BodyFraming::Length(5), b"he", b"he");
        check(BodyFraming::Length(2), b"heHTTP/1.1", b"he");
        check(BodyFraming::Chunked, b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", b"hello");
        check(BodyFraming::Chunked, b"2\r\n", b"");
        check(BodyFraming::Chunked, b"nonsense", b"");
        check(BodyFraming::UntilClose, b"hello", b"hello");
    }
}
