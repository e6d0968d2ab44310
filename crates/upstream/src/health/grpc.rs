//! A question after a server's health over gRPC: `grpc.health.v1.Health/Check`.

use std::{
    future::poll_fn,
    io,
    time::{Duration, Instant},
};

use portway_http::{BodyFraming, HeaderName, Headers, Known, Method, Request, Response};
use portway_model::dynamic::{CheckScheme, HealthCheck};
use tokio::io::AsyncReadExt;

use super::{
    place::Place,
    probe::{is_final, server_at},
};
use crate::{Http2Stream, Opened, Scheme, Server, connect};

const METHOD: &[u8] = b"/grpc.health.v1.Health/Check";

/// A message of no bytes, not compressed: the health of the whole server is asked for.
const QUESTION: [u8; 5] = [0; 5];

/// Bytes of an answer at most; a `HealthCheckResponse` has two.
const LONGEST: u64 = 1024;

/// Asks a server; the error says in Traefik's words why it is not well.
///
/// As in Traefik, neither path nor headers nor host name of the settings matter, and the scheme is that of the
/// settings, not of the server's URL. `https` works here; Traefik's checks over it always fail.
pub(super) async fn ask(
    config: &HealthCheck,
    server: &Server,
    limit: Duration,
) -> Result<(), String> {
    let mut place = Place::of(server)?;
    place.scheme = match config.scheme {
        Some(CheckScheme::Https) => Scheme::Https,
        _ => Scheme::H2c,
    };
    let port = if config.port == 0 { place.port } else { config.port };
    place.set_port(port);
    let address = place.authority.clone();
    let failed = |error: io::Error| format!("gRPC health check failed: {error}");
    let opened = connect(&server_at(&place, server), false)
        .await
        .map_err(|error| format!("fail to connect to {address}: {error}"))?;
    let Opened::Http2(mut connection) = opened else {
        return Err(format!("fail to connect to {address}: it does not speak HTTP/2"));
    };
    let stream = connection.open(Instant::now());
    let mut stream = stream.ok_or_else(|| failed(io::ErrorKind::ConnectionAborted.into()))?;
    let answer = call(&mut stream, &address, limit).await.map_err(failed)?;
    match answer {
        Answer::Status(12, text) => {
            Err(format!("gRPC server does not implement the health protocol: {text}"))
        }
        Answer::Status(4, text) => Err(format!("gRPC health check timeout: {text}")),
        Answer::Status(code, text) => Err(format!("gRPC health check failed: code {code}: {text}")),
        Answer::Serving(1) => Ok(()),
        Answer::Serving(status) => Err(format!("received gRPC status code: {}", name(status))),
    }
}

/// What came of a call.
enum Answer {
    /// A status other than OK, and its text.
    Status(u32, String),
    /// The `ServingStatus`.
    Serving(u64),
}

async fn call(stream: &mut Http2Stream, host: &str, limit: Duration) -> io::Result<Answer> {
    let mut request = Request::new();
    request.method = Method::Post;
    request.body = BodyFraming::Chunked;
    request.target.set_path_and_query(METHOD).map_err(io::Error::other)?;
    request.headers.set(Known::ContentType, "application/grpc");
    request.headers.set(Known::Te, "trailers");
    request.headers.set(Known::UserAgent, "portway");
    let deadline = HeaderName::parse("Grpc-Timeout").map_err(io::Error::other)?;
    // Eight digits at most (gRPC over HTTP2 §Requests).
    request.headers.set(&deadline, format!("{}m", limit.as_millis().min(99_999_999)));
    stream.ask(&request, host, false)?;
    let mut sent = 0;
    while let Some(rest) = QUESTION.get(sent..).filter(|rest| !rest.is_empty()) {
        sent += poll_fn(|cx| stream.poll_send(cx, rest, true)).await?;
    }
    let mut response = Response::new();
    loop {
        poll_fn(|cx| stream.poll_response(cx, &mut response)).await?;
        if is_final(response.status) {
            break;
        }
    }
    if let Some(status) = status(&response.headers) {
        return Ok(status);
    }
    if response.status.code() != 200 {
        let code = response.status.code();
        return Err(io::Error::other(format!("unexpected HTTP status code {code}")));
    }
    let mut body = Vec::new();
    let mut reader = stream.take(LONGEST);
    reader.read_to_end(&mut body).await?;
    let trailers = reader.into_inner().take_trailers().unwrap_or_default();
    match status(&trailers) {
        Some(status) => Ok(status),
        None => {
            serving(&body).map(Answer::Serving).ok_or_else(|| io::ErrorKind::InvalidData.into())
        }
    }
}

/// The status that fields tell, unless it is OK or there is none.
fn status(fields: &Headers) -> Option<Answer> {
    let code = fields.get_str("Grpc-Status")?.parse().unwrap_or(2);
    let text = fields.get_str("Grpc-Message").unwrap_or_default().to_owned();
    (code != 0).then_some(Answer::Status(code, text))
}

/// The field `status` of the one message in a body: `enum ServingStatus`, 0 where it is not there.
fn serving(body: &[u8]) -> Option<u64> {
    let (prefix, message) = body.split_at_checked(5)?;
    let &[0, a, b, c, d] = prefix else { return None };
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
    let mut rest = message.get(..length)?;
    let mut status = 0;
    while !rest.is_empty() {
        let key = varint(&mut rest)?;
        match (key >> 3, key & 7) {
            (1, 0) => status = varint(&mut rest)?,
            (_, 0) => drop(varint(&mut rest)?),
            (_, 1) => rest = rest.get(8..)?,
            (_, 2) => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                rest = rest.get(length..)?;
            }
            (_, 5) => rest = rest.get(4..)?,
            _ => return None,
        }
    }
    Some(status)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn name(status: u64) -> String {
    match status {
        0 => "UNKNOWN".to_owned(),
        2 => "NOT_SERVING".to_owned(),
        3 => "SERVICE_UNKNOWN".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_read_out_of_the_message() {
        assert_eq!(serving(&[0, 0, 0, 0, 2, 8, 1]), Some(1));
        assert_eq!(serving(&[0, 0, 0, 0, 2, 8, 2]), Some(2));
        assert_eq!(serving(&[0, 0, 0, 0, 0]), Some(0), "the default is left out");
        assert_eq!(serving(&[0, 0, 0, 0, 7, 18, 1, 9, 8, 1, 16, 5]), Some(1), "others are skipped");
        assert_eq!(serving(&[0, 0, 0, 0, 2, 8]), None, "cut");
        assert_eq!(serving(&[1, 0, 0, 0, 2, 8, 1]), None, "compressed");
        assert_eq!(serving(&[0, 255, 255, 255, 255, 8, 1]), None, "longer than it is");
        assert_eq!(
            serving(&[0, 0, 0, 0, 11, 8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]),
            None
        );
        assert_eq!(serving(b""), None);
    }
}
