//! A server of a few words for one follower, on a clock that stands still while nobody waits.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::{Body, Frame};
use kube::Client;

/// What a server answers.
pub(super) type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// What it was asked, path and query.
pub(super) type Asked = Arc<Mutex<Vec<String>>>;

/// A client of a server that answers each path and query so.
pub(super) fn client(answer: impl Fn(&str) -> Answer + Send + 'static) -> (Client, Asked) {
    let asked = Asked::default();
    let record = Arc::clone(&asked);
    let service = tower::service_fn(move |request: Request<kube::client::Body>| {
        let path = request.uri().to_string();
        record.lock().unwrap().push(path.clone());
        std::future::ready(Ok::<_, Infallible>(answer(&path)))
    });
    (Client::new(service, "default"), asked)
}

/// An answer with a whole body.
pub(super) fn says(code: u16, body: impl Into<Bytes>) -> Answer {
    let body = Full::new(body.into()).boxed_unsync();
    Response::builder().status(code).body(body).unwrap()
}

/// A watch that says these lines, and then ends or hangs.
pub(super) fn watch(lines: &[&str], hangs: bool) -> Answer {
    let lines = lines.iter().map(|line| Bytes::from(format!("{line}\n"))).collect();
    Response::new(Watch { lines, hangs }.boxed_unsync())
}

/// A list of Middlewares of these names at a version.
pub(super) fn list(version: u32, names: &[&str]) -> Answer {
    let items = names.iter().map(|name| format!(r#"{{"metadata":{{"name":"{name}"}}}}"#));
    let items = items.collect::<Vec<_>>().join(",");
    says(200, format!(r#"{{"metadata":{{"resourceVersion":"{version}"}},"items":[{items}]}}"#))
}

struct Watch {
    lines: VecDeque<Bytes>,
    hangs: bool,
}

impl Body for Watch {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.lines.pop_front() {
            Some(line) => Poll::Ready(Some(Ok(Frame::data(line)))),
            None if self.hangs => Poll::Pending,
            None => Poll::Ready(None),
        }
    }
}
