//! One HTTP exchange: reads a request, writes its answer or what a fault makes of it.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use hyper::{Request, Response};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::answer::{Answer, Asked, Reply};
use super::serve::{Line, Shared};
use super::stream::{abort, stream};

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Answers one request.
pub(super) async fn exchange(
    request: Request<Incoming>,
    line: Arc<Line>,
    shared: Arc<Shared>,
) -> Result<Response<Body>, Infallible> {
    let when = Instant::now();
    let (head, body) = request.into_parts();
    let header = |name| {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let body = match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(_) => return Ok(response(413, TEXT, "the request is too large")),
    };
    let asked = Asked {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        accept: header(ACCEPT),
        authorization: header(AUTHORIZATION),
        content_type: header(CONTENT_TYPE),
        body,
        when,
    };
    let Reply { answer, wait, truncated, .. } = shared.state().answer(asked);
    shared.announce();
    if !wait.is_zero() {
        sleep(wait).await;
    }
    // A watch is handed to its task without waiting: were the client to leave meanwhile, nobody
    // would forget the watch.
    Ok(match answer {
        Answer::Reset => {
            line.reset();
            std::future::pending().await
        }
        Answer::Text(status, text) => response(status, TEXT, text),
        Answer::Json(status, value) => match truncated {
            None => response(status, JSON, value.to_string()),
            Some(abrupt) => cut_short(&value.to_string(), abrupt),
        },
        Answer::Refused(failure) => {
            let mut response = response(failure.code, JSON, failure.body().to_string());
            if let Some(seconds) = failure.retry_after {
                response.headers_mut().insert(RETRY_AFTER, seconds.into());
            }
            response
        }
        Answer::Watch(watch, step) => {
            let (sink, lines) = mpsc::channel(QUEUE);
            tokio::spawn(stream(*watch, step, sink, shared));
            with_body(200, JSON, Lines(lines).boxed_unsync())
        }
    })
}

/// Half of a text: with a length that agrees, or with a connection that breaks.
fn cut_short(text: &str, abrupt: bool) -> Response<Body> {
    let half = Bytes::copy_from_slice(&text.as_bytes()[..text.len() / 2]);
    if !abrupt {
        return response(200, JSON, half);
    }
    let (sink, lines) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        if sink.send(Ok(half)).await.is_ok() {
            abort(&sink).await;
        }
    });
    with_body(200, JSON, Lines(lines).boxed_unsync())
}

fn response(status: u16, content_type: &str, body: impl Into<Bytes>) -> Response<Body> {
    let body = Full::new(body.into()).map_err(|never| match never {}).boxed_unsync();
    with_body(status, content_type, body)
}

fn with_body(status: u16, content_type: &str, body: Body) -> Response<Body> {
    let builder = Response::builder().status(status).header(CONTENT_TYPE, content_type);
    builder.body(body).expect("a status and a constant field")
}

/// The body of a watch: what comes through a channel, until it is closed or breaks.
struct Lines(mpsc::Receiver<io::Result<Bytes>>);

impl hyper::body::Body for Lines {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(context).map(|line| line.map(|line| line.map(Frame::data)))
    }
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// What the real server takes at most.
const LARGEST_BODY: usize = 3 << 20;

/// Lines of a watch that wait for a slow client.
const QUEUE: usize = 16;
