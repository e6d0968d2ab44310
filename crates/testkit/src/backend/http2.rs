//! The same backend over HTTP/2: scripts write as in HTTP/1.1, and what they write is told in frames.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use super::{Line as _, Received, Shared, Step, agreed};
use crate::http2::{headers, read};
use crate::message::{Framing, Head, Headers, Reader};

/// What clients with prior knowledge begin with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// The extension of a ClientHello that names protocols, where HTTP/2 is the first.
const PROTOCOLS: [u8; 2] = [0, 16];

/// How long a client may take to say what it wants.
const BEGINNING: Duration = Duration::from_millis(200);

/// Whether the client begins with HTTP/2, or offers it by TLS to a server that prefers it.
pub(super) fn is_asked_for(socket: &TcpStream, tls: Option<&ServerConfig>) -> io::Result<bool> {
    let prefers = tls.is_none_or(|tls| tls.alpn_protocols.first().is_some_and(|one| one == b"h2"));
    if !prefers {
        return Ok(false);
    }
    let mut start = [0; 4096];
    socket.set_read_timeout(Some(BEGINNING))?;
    let mut count = socket.peek(&mut start).unwrap_or(0);
    if tls.is_some() && start[0] == 22 {
        let length = 5 + usize::from(u16::from_be_bytes([start[3], start[4]]));
        while count > 0 && count < length.min(start.len()) {
            thread::sleep(Duration::from_millis(1));
            count = socket.peek(&mut start).unwrap_or(0);
        }
    }
    socket.set_read_timeout(None)?;
    let start = &start[..count];
    Ok(match tls {
        None => start.starts_with(PREFACE),
        Some(_) => start.windows(9).any(|part| part[..2] == PROTOCOLS && part[6..] == *b"\x02h2"),
    })
}

/// Serves a connection until it ends.
pub(super) fn serve(socket: TcpStream, number: usize, shared: &Arc<Shared>) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    let closer = socket.try_clone()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let socket = tokio::net::TcpStream::from_std(socket)?;
        match shared.tls.clone() {
            None => connection(socket, String::new(), number, shared).await,
            Some(config) => {
                let stream = TlsAcceptor::from(config).accept(socket).await?;
                let tls = agreed(stream.get_ref().1);
                connection(stream, tls, number, shared).await
            }
        }
        .map_err(io::Error::other)
        .map(|hard| {
            if hard {
                closer.reset();
            }
        })
    })
}

/// Serves streams; says whether the connection is to be reset.
async fn connection<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    tls: String,
    number: usize,
    shared: &Arc<Shared>,
) -> Result<bool, h2::Error> {
    let settings = shared.settings.lock().unwrap().unwrap_or_default();
    let mut builder = Builder::new();
    if let Some(count) = settings.streams {
        builder.max_concurrent_streams(count);
    }
    if let Some(bytes) = settings.window {
        builder.initial_window_size(bytes);
    }
    if let Some(bytes) = settings.frame {
        builder.max_frame_size(bytes);
    }
    if let Some(bytes) = settings.head {
        builder.max_header_list_size(bytes);
    }
    let (ends, mut ended) = tokio::sync::mpsc::channel(1);
    let mut connection = builder.handshake::<_, Bytes>(stream).await?;
    loop {
        tokio::select! {
            biased;
            end = ended.recv() => match end {
                Some(End::Code(code)) => connection.abrupt_shutdown(Reason::from(code)),
                end => return Ok(matches!(end, Some(End::Reset))),
            },
            accepted = connection.accept() => {
                let Some(accepted) = accepted else { return Ok(false) };
                let (request, respond) = accepted?;
                let (shared, ends) = (Arc::clone(shared), ends.clone());
                let tls = tls.clone();
                tokio::spawn(async move {
                    if let Some(end) = exchange(request, respond, number, tls, &shared).await {
                        let _ = ends.send(end).await;
                    }
                });
            }
        }
    }
}

/// How a connection ends.
enum End {
    /// With GOAWAY.
    Code(u32),
    /// Without a word.
    Closed,
    /// With a TCP reset.
    Reset,
}

async fn exchange(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    number: usize,
    tls: String,
    shared: &Shared,
) -> Option<End> {
    let (parts, stream) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let mut fields = headers(&parts.headers);
    join_cookies(&mut fields);
    let authority = parts.uri.authority().map_or("", |authority| authority.as_str());
    fields.0.push((":authority".to_owned(), authority.to_owned()));
    let head = Head { line: format!("{} {target} HTTP/2.0", parts.method), headers: fields };
    if let Some(steps) = (shared.early)(&head) {
        let received = Received { connection: number, head, tls, ..Received::default() };
        shared.received.lock().unwrap().push(received);
        return perform(&mut respond, &steps, parts.method.as_str()).await;
    }
    let (body, trailers, complete) = read(stream).await;
    let received = Received { connection: number, head, body, trailers, complete, tls };
    shared.received.lock().unwrap().push(received.clone());
    if !complete {
        return None;
    }
    perform(&mut respond, &(shared.script)(&received), parts.method.as_str()).await
}

/// Joins what of cookies came in fields of their own (RFC 9113 §8.2.3).
fn join_cookies(fields: &mut Headers) {
    let cookies = fields.values("cookie").join("; ");
    fields.0.retain(|(name, _)| name != "cookie");
    if !cookies.is_empty() {
        fields.0.push(("cookie".to_owned(), cookies));
    }
}

/// Tells what the steps write up to the first that ends something; waits come first.
async fn perform(respond: &mut SendResponse<Bytes>, steps: &[Step], method: &str) -> Option<End> {
    let (mut written, mut last) = (Vec::new(), None);
    for step in steps {
        match step {
            Step::Write(bytes) => written.extend_from_slice(bytes),
            Step::Fill(count) => written.resize(written.len() + *count as usize, b'x'),
            Step::Wait(time) => tokio::time::sleep(*time).await,
            end => {
                last = Some(end);
                break;
            }
        }
    }
    let (mut stream, rest) = tell(respond, &written, method).unwrap_or_default();
    if let (Some(Step::Close), Some(trailers)) = (last, &rest) {
        end(&mut stream, trailers.clone());
    }
    if last.is_some() {
        // What is behind must not overtake what was written.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    match last {
        Some(Step::EndStream(code)) => {
            match &mut stream {
                Some(stream) => stream.send_reset(Reason::from(*code)),
                None => respond.send_reset(Reason::from(*code)),
            }
            None
        }
        Some(Step::GoAway(code)) => Some(End::Code(*code)),
        Some(Step::Reset) => Some(End::Reset),
        Some(_) => Some(End::Closed),
        None => {
            if let Some(trailers) = rest {
                end(&mut stream, trailers);
            }
            None
        }
    }
}

/// Ends a stream that was not ended yet.
fn end(stream: &mut Option<SendStream<Bytes>>, trailers: HeaderMap) {
    let Some(stream) = stream else { return };
    let _ = match trailers.is_empty() {
        true => stream.send_data(Bytes::new(), true),
        false => stream.send_trailers(trailers),
    };
}

/// Tells the written responses; gives the stream, where it is still open, and the trailers that end it.
fn tell(
    respond: &mut SendResponse<Bytes>,
    written: &[u8],
    method: &str,
) -> Option<(Option<SendStream<Bytes>>, Option<HeaderMap>)> {
    let mut reader = Reader::new(written);
    loop {
        let head = reader.head().ok()??;
        let mut response = Response::new(());
        // Nothing is switched to over HTTP/2.
        *response.status_mut() = head.part(1).parse().ok().filter(|&status| status != 101)?;
        *response.headers_mut() = fields(&head.headers);
        if response.status().is_informational() {
            let _ = respond.send_informational(response);
            continue;
        }
        let framing = Framing::of_response(&head, method);
        let mut body = Vec::new();
        let trailers = reader.body_into(framing, &mut body);
        let ends = matches!(framing, Framing::Length(0));
        let mut stream = respond.send_response(response, ends).ok()?;
        if ends {
            return Some((None, None));
        }
        let _ = stream.send_data(Bytes::from(body), false);
        return Some((Some(stream), trailers.ok().map(|trailers| fields(&trailers))));
    }
}

/// The fields that HTTP/2 can tell.
fn fields(headers: &Headers) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for (name, value) in &headers.0 {
        let bytes: Vec<u8> = value.chars().map(|character| character as u8).collect();
        let name = HeaderName::from_bytes(name.as_bytes());
        let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(&bytes)) else { continue };
        let own = ["connection", "transfer-encoding", "keep-alive", "proxy-connection", "upgrade"];
        let length = std::str::from_utf8(value.as_bytes()).map(str::parse::<u32>);
        let misled = name == "content-length"
            && (fields.contains_key("content-length") || !matches!(length, Ok(Ok(_))));
        if !misled && !own.contains(&name.as_str()) {
            fields.append(name, value);
        }
    }
    fields
}
