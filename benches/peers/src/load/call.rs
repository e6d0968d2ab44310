//! A request of HTTP/2, made before the run.

use anyhow::{Context as _, Result};
use portway_http::{
    BodyFraming, HeaderName, Known, Method, Request,
    h2::{Client, Connection, RequestHead, StreamId},
};

/// A request that is sent again and again.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    request: Request,
    scheme: &'static str,
    authority: String,
    body: Vec<u8>,
    grpc: bool,
}

impl Call {
    /// A GET over TLS, or without it.
    pub(crate) fn get(tls: bool, authority: &str, path: &str) -> Result<Self> {
        let scheme = if tls { "https" } else { "http" };
        let request = request(Method::Get, path, &[("User-Agent", "bench"), ("Accept", "*/*")])?;
        let authority = authority.to_owned();
        Ok(Self { request, scheme, authority, body: Vec::new(), grpc: false })
    }

    /// A unary call of gRPC without TLS; the message has its prefix.
    pub(crate) fn grpc(authority: &str, path: &str, message: Vec<u8>) -> Result<Self> {
        let fields = [
            ("Content-Type", "application/grpc"),
            ("Te", "trailers"),
            ("User-Agent", "bench"),
            ("Grpc-Accept-Encoding", "identity"),
        ];
        let mut request = request(Method::Post, path, &fields)?;
        // As of every call of gRPC, the length is not said.
        request.body = BodyFraming::Chunked;
        let authority = authority.to_owned();
        Ok(Self { request, scheme: "http", authority, body: message, grpc: true })
    }

    /// Whether the answer ends with the trailers of gRPC.
    pub(super) fn is_grpc(&self) -> bool {
        self.grpc
    }

    /// Opens a stream and sends what can be sent; answers how much of the body that was, and `None`
    /// where no more streams are taken.
    pub(crate) fn open(&self, connection: &mut Connection<Client>) -> Option<(StreamId, usize)> {
        let head = RequestHead {
            request: &self.request,
            scheme: self.scheme,
            authority: &self.authority,
            protocol: None,
        };
        let stream = connection.request(&head, self.body.is_empty()).ok()?;
        Some((stream, self.go_on(connection, stream, 0)))
    }

    /// Sends on, of a body of which so much was sent; answers how much that is now.
    pub(super) fn go_on(
        &self,
        connection: &mut Connection<Client>,
        stream: StreamId,
        sent: usize,
    ) -> usize {
        let rest = self.body.get(sent..).unwrap_or_default();
        if rest.is_empty() {
            return sent;
        }
        // A stream that is gone is told by an event.
        sent + connection.send_data(stream, rest, true).unwrap_or_default()
    }
}

fn request(method: Method, path: &str, fields: &[(&str, &str)]) -> Result<Request> {
    let mut request = Request::new();
    request.method = method;
    let set = request.target.set_path_and_query(path.as_bytes());
    set.ok().with_context(|| format!("`{path}` is no path"))?;
    for (name, value) in fields {
        match Known::classify(name.as_bytes()) {
            Some(known) => request.headers.append(known, value),
            None => request.headers.append(&HeaderName::parse(name)?, value),
        }
    }
    Ok(request)
}
