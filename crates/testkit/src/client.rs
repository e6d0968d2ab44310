//! A raw HTTP/1.1 client: it sends exactly the bytes it is given.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

pub use rustls::SupportedProtocolVersion;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use socket2::{Domain, SockAddr, Socket, Type};

pub use asked::Asked;
pub use sessions::Sessions;

pub use rustls::version::{TLS12, TLS13};
pub use rustls::{CipherSuite, NamedGroup};

use crate::certificate::Certificate;
use crate::message::{Framing, Head, Headers, Reader};

mod asked;
mod sessions;

/// How long a read may wait before the test counts the connection as silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// One connection to a server under test.
#[derive(Debug)]
pub struct Client {
    reader: Reader<Stream>,
}

/// A whole response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Version, such as `HTTP/1.1`.
    pub version: String,
    /// Status code.
    pub status: u16,
    /// Reason phrase.
    pub reason: String,
    /// Fields in order.
    pub headers: Headers,
    /// Body after decoding chunks.
    pub body: Vec<u8>,
    /// Trailers of a chunked body.
    pub trailers: Headers,
    /// The 1xx responses that came before, oldest first.
    pub interim: Vec<Head>,
    /// False when the connection ended before the body did.
    pub complete: bool,
}

impl Response {
    /// The body as text, each byte one character.
    #[must_use]
    pub fn text(&self) -> String {
        crate::message::latin1(&self.body)
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The server closed it.
    Closed,
    /// The server reset it.
    Reset,
    /// It was still open when patience ran out.
    Open,
}

/// What a TLS client asks for.
#[derive(Clone, Debug)]
pub struct Tls<'name> {
    /// The name in SNI; `None` sends no SNI.
    pub server_name: Option<&'name str>,
    /// The protocol versions offered.
    pub versions: &'static [&'static SupportedProtocolVersion],
    /// The application protocols offered by ALPN.
    pub application_protocols: Vec<Vec<u8>>,
    /// The certificate that the client shows when it is asked for one.
    pub identity: Option<Certificate>,
    /// The cipher suites offered; all where there are none.
    pub suites: Vec<CipherSuite>,
    /// The groups offered for the exchange of keys; all where there are none.
    pub groups: Vec<NamedGroup>,
    /// What is sent before the handshake.
    pub preamble: Vec<u8>,
    /// Where sessions are kept and taken from; without, none is resumed, and each connection shows which
    /// certificate its own handshake chose.
    pub sessions: Option<Sessions>,
    /// Where it is recorded what the server asks of the client.
    pub asked: Option<Asked>,
}

impl<'name> Tls<'name> {
    /// SNI with `name`, TLS 1.2 and 1.3, no ALPN.
    #[must_use]
    pub fn to(name: &'name str) -> Self {
        Self { server_name: Some(name), ..Self::anonymous() }
    }

    /// No SNI, TLS 1.2 and 1.3, no ALPN.
    #[must_use]
    pub fn anonymous() -> Self {
        Self {
            server_name: None,
            versions: rustls::ALL_VERSIONS,
            application_protocols: Vec::new(),
            identity: None,
            suites: Vec::new(),
            groups: Vec::new(),
            preamble: Vec::new(),
            sessions: None,
            asked: None,
        }
    }
}

impl Client {
    /// Connects to `address`.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        Self::connect_from(IpAddr::V4(Ipv4Addr::LOCALHOST), address)
    }

    /// Connects to `address` with `source` as the client's address.
    pub fn connect_from(source: IpAddr, address: SocketAddr) -> io::Result<Self> {
        Ok(Self { reader: Reader::new(Stream::Plain(dial(source, address)?)) })
    }

    /// Connects and finishes a TLS handshake; any certificate is accepted.
    pub fn connect_tls(address: SocketAddr, tls: &Tls<'_>) -> io::Result<Self> {
        let mut socket = dial(IpAddr::V4(Ipv4Addr::LOCALHOST), address)?;
        socket.write_all(&tls.preamble)?;
        let mut connection = tls_client(tls)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut socket)?;
        }
        let stream = Stream::Tls(Box::new(StreamOwned::new(connection, socket)));
        Ok(Self { reader: Reader::new(stream) })
    }

    /// The certificate chain that the server showed, as DER; empty without TLS.
    #[must_use]
    pub fn peer_certificates(&self) -> Vec<Vec<u8>> {
        let Stream::Tls(stream) = &self.reader.stream else { return Vec::new() };
        let chain = stream.conn.peer_certificates().unwrap_or_default();
        chain.iter().map(|certificate| certificate.to_vec()).collect()
    }

    /// The negotiated protocol version, such as `TLSv1_3`; "" without TLS.
    #[must_use]
    pub fn protocol_version(&self) -> String {
        let Stream::Tls(stream) = &self.reader.stream else { return String::new() };
        stream.conn.protocol_version().map(|version| format!("{version:?}")).unwrap_or_default()
    }

    /// The negotiated application protocol; "" without one.
    #[must_use]
    pub fn application_protocol(&self) -> String {
        let Stream::Tls(stream) = &self.reader.stream else { return String::new() };
        stream.conn.alpn_protocol().map(crate::message::latin1).unwrap_or_default()
    }

    /// The negotiated cipher suite; "" without TLS.
    #[must_use]
    pub fn cipher_suite(&self) -> String {
        let Stream::Tls(stream) = &self.reader.stream else { return String::new() };
        let suite = stream.conn.negotiated_cipher_suite();
        suite.map(|suite| format!("{:?}", suite.suite())).unwrap_or_default()
    }

    /// The client's own address.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket().local_addr()
    }

    /// Sets how long the next reads may wait.
    pub fn set_patience(&self, patience: Duration) {
        self.socket().set_read_timeout(Some(patience)).expect("a read timeout");
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.reader.stream.write_all(bytes.as_ref())?;
        self.reader.stream.flush()
    }

    /// Closes the sending half of the TCP connection.
    pub fn finish_sending(&self) -> io::Result<()> {
        self.socket().shutdown(Shutdown::Write)
    }

    /// Reads interim responses and then the final response to a request with `method`.
    pub fn response_to(&mut self, method: &str) -> io::Result<Response> {
        let mut interim = Vec::new();
        loop {
            let head = self.head()?;
            if head.part(1).starts_with('1') && head.part(1) != "101" {
                interim.push(head);
                continue;
            }
            return self.finish_response(head, interim, method);
        }
    }

    /// Sends one request and reads its response; the method is the first word sent.
    pub fn ask(&mut self, request: impl AsRef<[u8]>) -> io::Result<Response> {
        let method: Vec<u8> =
            request.as_ref().iter().copied().take_while(|byte| *byte != b' ').collect();
        // A server may answer and close before it has read everything.
        let sent = self.send(request);
        let method = crate::message::latin1(&method);
        self.response_to(&method).map_err(|error| sent.err().unwrap_or(error))
    }

    /// Reads a response head.
    pub fn head(&mut self) -> io::Result<Head> {
        self.reader.head()?.ok_or_else(|| {
            io::Error::new(io::ErrorKind::UnexpectedEof, "closed without a response")
        })
    }

    /// Reads exactly `length` bytes of whatever comes.
    pub fn bytes(&mut self, length: usize) -> io::Result<Vec<u8>> {
        Ok(self.reader.body(Framing::Length(length as u64))?.0)
    }

    /// Reads until the server closes or stays silent for `patience`.
    pub fn until_end(&mut self, patience: Duration) -> (Vec<u8>, End) {
        self.set_patience(patience);
        let mut bytes = Vec::new();
        let end = match self.reader.body_into(Framing::UntilClose, &mut bytes) {
            Ok(_) => End::Closed,
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => End::Open,
                // A TLS peer that leaves without close_notify.
                io::ErrorKind::UnexpectedEof => End::Closed,
                _ => End::Reset,
            },
        };
        self.set_patience(PATIENCE);
        (bytes, end)
    }

    fn finish_response(
        &mut self,
        head: Head,
        interim: Vec<Head>,
        method: &str,
    ) -> io::Result<Response> {
        let framing = Framing::of_response(&head, method);
        let mut body = Vec::new();
        let ended = self.reader.body_into(framing, &mut body);
        let (trailers, complete) = match ended {
            Ok(trailers) => (trailers, true),
            Err(error) if silent(&error) => return Err(error),
            Err(_) => (Headers::default(), false),
        };
        Ok(Response {
            version: head.part(0).to_owned(),
            status: head.part(1).parse().unwrap_or(0),
            reason: head.part(2).to_owned(),
            headers: head.headers,
            body,
            trailers,
            interim,
            complete,
        })
    }

    fn socket(&self) -> &TcpStream {
        match &self.reader.stream {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => &stream.sock,
        }
    }
}

fn silent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn dial(source: IpAddr, address: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv4() && source != IpAddr::V4(Ipv4Addr::LOCALHOST) {
        socket.bind(&SockAddr::from(SocketAddr::new(source, 0)))?;
    }
    socket.connect_timeout(&SockAddr::from(address), PATIENCE)?;
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn tls_client(tls: &Tls<'_>) -> io::Result<ClientConnection> {
    ClientConnection::new(tls_config(tls)?, server_name(tls)?).map_err(io::Error::other)
}

/// The first flight of a TLS client, to be sent as it is or changed.
///
/// # Errors
/// When nobody can ask so.
pub fn hello(tls: &Tls<'_>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    tls_client(tls)?.write_tls(&mut bytes)?;
    Ok(bytes)
}

/// What the client asks for, as rustls takes it.
pub(crate) fn tls_config(tls: &Tls<'_>) -> io::Result<Arc<ClientConfig>> {
    match &tls.sessions {
        Some(sessions) => sessions.client(|| tls_client_config(tls)),
        None => tls_client_config(tls).map(Arc::new),
    }
}

fn tls_client_config(tls: &Tls<'_>) -> io::Result<ClientConfig> {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    provider
        .cipher_suites
        .retain(|suite| tls.suites.is_empty() || tls.suites.contains(&suite.suite()));
    provider.kx_groups.retain(|group| tls.groups.is_empty() || tls.groups.contains(&group.name()));
    let provider = Arc::new(provider);
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(tls.versions)
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AcceptAny));
    let asked = tls.asked.clone().unwrap_or_default();
    let answering = asked.answering(tls.identity.as_ref(), &provider)?;
    let mut config = config.with_client_cert_resolver(answering);
    config.alpn_protocols.clone_from(&tls.application_protocols);
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

pub(crate) fn server_name(tls: &Tls<'_>) -> io::Result<ServerName<'static>> {
    match tls.server_name {
        Some(name) => ServerName::try_from(name.to_owned()).map_err(io::Error::other),
        None => Ok(ServerName::IpAddress(Ipv4Addr::LOCALHOST.into())),
    }
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// Accepts every certificate: tests compare it themselves.
#[derive(Debug)]
struct AcceptAny;

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        provider.signature_verification_algorithms.supported_schemes()
    }
}
