//! A client of HTTP/2, plain or over TLS, that speaks in the words of the one of HTTP/1.1.
//!
//! It stands on the `h2` crate: what is tested with it is what requests mean, not frames.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::ext::Protocol;
use h2::{Reason, RecvStream, SendStream};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::{Builder as Runtimes, Runtime};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::client::{Response, Tls, server_name, tls_config};
use crate::message::{Head, Headers, latin1};

/// How long an answer may take before the test counts it as none.
const PATIENCE: Duration = Duration::from_secs(10);

/// One connection to a server under test.
#[derive(Debug)]
pub struct Http2Client {
    runtime: Runtime,
    sender: SendRequest<Bytes>,
    scheme: &'static str,
    certificates: Vec<Vec<u8>>,
}

/// A request that was begun.
#[derive(Debug)]
pub struct Exchange {
    response: ResponseFuture,
    body: SendStream<Bytes>,
}

impl Exchange {
    /// Sends a piece of the body; `ends` says that it is the last.
    ///
    /// # Errors
    /// When the stream is broken.
    pub fn send(&mut self, piece: &[u8], ends: bool) -> io::Result<()> {
        self.body.send_data(Bytes::copy_from_slice(piece), ends).map_err(reset)
    }

    /// Gives the request up.
    pub fn give_up(mut self) {
        self.body.send_reset(Reason::CANCEL);
    }
}

/// A stream whose body goes on in both directions.
#[derive(Debug)]
pub struct Tunnel {
    sent: SendStream<Bytes>,
    received: RecvStream,
    unread: Bytes,
}

trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

impl Http2Client {
    /// Connects with prior knowledge.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        Self::open(address, None)
    }

    /// Connects by TLS, and offers nothing but HTTP/2.
    pub fn connect_tls(address: SocketAddr, tls: &Tls<'_>) -> io::Result<Self> {
        Self::open(address, Some(tls))
    }

    fn open(address: SocketAddr, tls: Option<&Tls<'_>>) -> io::Result<Self> {
        let runtime = Runtimes::new_current_thread().enable_all().build()?;
        let (sender, certificates) = runtime.block_on(async {
            let mut certificates = Vec::new();
            let socket = TcpStream::connect(address).await?;
            socket.set_nodelay(true)?;
            let stream: Box<dyn Io> = match tls {
                None => Box::new(socket),
                Some(tls) => {
                    let tls = Tls { application_protocols: vec![b"h2".to_vec()], ..tls.clone() };
                    let connector = TlsConnector::from(tls_config(&tls)?);
                    let stream = connector.connect(server_name(&tls)?, socket).await?;
                    if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
                        return Err(io::ErrorKind::Unsupported.into());
                    }
                    let shown = stream.get_ref().1.peer_certificates().unwrap_or_default();
                    certificates.extend(shown.iter().map(|certificate| certificate.to_vec()));
                    Box::new(stream)
                }
            };
            let (sender, connection) = Builder::new()
                .enable_push(false)
                .handshake(stream)
                .await
                .map_err(io::Error::other)?;
            tokio::spawn(async move { drop(connection.await) });
            Ok::<_, io::Error>((sender, certificates))
        })?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        Ok(Self { runtime, sender, scheme, certificates })
    }

    /// The certificate chain that the server showed, as DER; empty without TLS.
    #[must_use]
    pub fn peer_certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    /// Sends a whole request as HTTP/1.1 has it, with its `Host` as authority, and reads the response.
    ///
    /// # Errors
    /// When the stream or the connection breaks before a response has come.
    pub fn ask(&mut self, head: &Head, body: &[u8]) -> io::Result<Response> {
        let mut exchange = self.send_head(head, body.is_empty())?;
        if !body.is_empty() {
            exchange.send(body, true)?;
        }
        self.response(exchange)
    }

    /// Sends the head of a request; `ends` says that it has no body.
    ///
    /// # Errors
    /// When the head has no form in HTTP/2, or the connection is broken.
    pub fn begin(&mut self, head: &Head, ends: bool) -> io::Result<Exchange> {
        let exchange = self.send_head(head, ends);
        // The connection works only while somebody waits.
        self.rest(Duration::from_millis(5));
        exchange
    }

    fn send_head(&mut self, head: &Head, ends: bool) -> io::Result<Exchange> {
        let host = head.headers.value("host").unwrap_or_default();
        let uri = format!("{}://{host}{}", self.scheme, head.part(1));
        let mut request = http::Request::builder()
            .method(head.part(0))
            .uri(uri)
            .body(())
            .map_err(io::Error::other)?;
        for (name, value) in &head.headers.0 {
            if name.eq_ignore_ascii_case("host") {
                continue;
            }
            if name == ":protocol" {
                request.extensions_mut().insert(Protocol::from(value.as_str()));
                continue;
            }
            let bytes: Vec<u8> = value.chars().map(|character| character as u8).collect();
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(io::Error::other)?;
            let value = HeaderValue::from_bytes(&bytes).map_err(io::Error::other)?;
            request.headers_mut().append(name, value);
        }
        self.runtime.block_on(async {
            let ready = timeout(PATIENCE, self.sender.clone().ready()).await?;
            let mut sender = ready.map_err(io::Error::other)?;
            let (response, body) = sender.send_request(request, ends).map_err(io::Error::other)?;
            Ok(Exchange { response, body })
        })
    }

    /// Reads the response.
    ///
    /// # Errors
    /// When the stream or the connection breaks before one has come.
    pub fn response(&mut self, exchange: Exchange) -> io::Result<Response> {
        self.runtime.block_on(async {
            timeout(PATIENCE, receive(exchange)).await.map_err(|_| io::ErrorKind::TimedOut)?
        })
    }

    /// Waits so long for the response; the request again where none has begun.
    ///
    /// # Errors
    /// When the stream or the connection breaks before one has come; the request where it goes on.
    pub fn response_within(
        &mut self,
        mut exchange: Exchange,
        time: Duration,
    ) -> Result<io::Result<Response>, Exchange> {
        let begun = self.runtime.block_on(async {
            timeout(time, poll_fn(|cx| Pin::new(&mut exchange.response).poll(cx))).await
        });
        match begun {
            Err(_) => Err(exchange),
            Ok(Err(error)) => Ok(Err(reset(error))),
            Ok(Ok(response)) => Ok(Ok(self.runtime.block_on(whole(response, Vec::new())))),
        }
    }

    /// Reads the head of a response whose body goes on in both directions.
    ///
    /// # Errors
    /// When the stream or the connection breaks before one has come.
    pub fn tunnel(&mut self, exchange: Exchange) -> io::Result<(u16, Tunnel)> {
        let Exchange { response, body } = exchange;
        let answer = self.runtime.block_on(async { timeout(PATIENCE, response).await });
        let (head, received) = answer?.map_err(reset)?.into_parts();
        Ok((head.status.as_u16(), Tunnel { sent: body, received, unread: Bytes::new() }))
    }

    /// Sends bytes through a tunnel; `ends` says that they are the last.
    ///
    /// # Errors
    /// When it is broken.
    pub fn send(&mut self, tunnel: &mut Tunnel, bytes: &[u8], ends: bool) -> io::Result<()> {
        tunnel.sent.send_data(Bytes::copy_from_slice(bytes), ends).map_err(reset)
    }

    /// Reads so many bytes of a tunnel, or fewer where it ends.
    ///
    /// # Errors
    /// When it is broken.
    pub fn read(&mut self, tunnel: &mut Tunnel, count: usize) -> io::Result<Vec<u8>> {
        let read = async {
            let mut bytes = Vec::new();
            while bytes.len() < count {
                if tunnel.unread.is_empty() {
                    let Some(piece) = tunnel.received.data().await else { break };
                    tunnel.unread = piece.map_err(reset)?;
                    let length = tunnel.unread.len();
                    tunnel.received.flow_control().release_capacity(length).map_err(reset)?;
                }
                let length = tunnel.unread.len().min(count - bytes.len());
                bytes.extend_from_slice(&tunnel.unread.split_to(length));
            }
            Ok(bytes)
        };
        self.runtime.block_on(async { timeout(PATIENCE, read).await? })
    }

    /// Whether the server has said that the connection ends, or has ended it.
    pub fn is_over(&self) -> bool {
        self.runtime.block_on(async {
            let ready = timeout(Duration::from_millis(100), self.sender.clone().ready()).await;
            !matches!(ready, Ok(Ok(_)))
        })
    }

    /// Lets the connection work on for a while.
    pub fn rest(&self, time: Duration) {
        self.runtime.block_on(async { tokio::time::sleep(time).await });
    }
}

async fn receive(exchange: Exchange) -> io::Result<Response> {
    // What sends the body is kept: dropping it would give the stream up.
    let Exchange { mut response, body: _sends } = exchange;
    let mut interim = Vec::new();
    let answer = poll_fn(|cx| {
        while let std::task::Poll::Ready(Some(head)) = response.poll_informational(cx) {
            let head = head.map_err(reset)?;
            let line = format!("HTTP/2.0 {}", head.status().as_u16());
            interim.push(Head { line, headers: headers(head.headers()) });
        }
        Pin::new(&mut response).poll(cx).map_err(reset)
    })
    .await?;
    Ok(whole(answer, interim).await)
}

async fn whole(answer: http::Response<RecvStream>, interim: Vec<Head>) -> Response {
    let (head, stream) = answer.into_parts();
    let (body, trailers, complete) = read(stream).await;
    Response {
        version: "HTTP/2.0".to_owned(),
        status: head.status.as_u16(),
        reason: head.status.canonical_reason().unwrap_or_default().to_owned(),
        headers: headers(&head.headers),
        body,
        trailers,
        interim,
        complete,
    }
}

/// Reads a body and its trailers; says whether it came to its end.
pub(crate) async fn read(mut stream: RecvStream) -> (Vec<u8>, Headers, bool) {
    let mut body = Vec::new();
    while let Some(piece) = stream.data().await {
        let Ok(piece) = piece else { return (body, Headers::default(), false) };
        body.extend_from_slice(&piece);
        let _ = stream.flow_control().release_capacity(piece.len());
    }
    match stream.trailers().await {
        Ok(trailers) => (body, trailers.as_ref().map(headers).unwrap_or_default(), true),
        Err(_) => (body, Headers::default(), false),
    }
}

/// A stream that was given up is as a connection of HTTP/1.1 that was.
fn reset(error: h2::Error) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, error)
}

/// Fields as they were sent.
pub(crate) fn headers(fields: &HeaderMap) -> Headers {
    let pairs =
        fields.iter().map(|(name, value)| (name.as_str().to_owned(), latin1(value.as_bytes())));
    Headers(pairs.collect())
}
