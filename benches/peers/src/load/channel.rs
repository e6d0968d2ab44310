//! A client's connection, plain or TLS, without waiting.

use std::{
    io::{self, BufRead as _, Read as _, Write as _},
    net::SocketAddr,
    sync::Arc,
};

use anyhow::Result;
use mio::net::TcpStream;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, HandshakeKind, SignatureScheme,
    StreamOwned,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

/// How sessions are treated by new connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sessions {
    /// Each handshake is a full one.
    Never,
    /// Each place of a connection keeps the tickets that it gets for its next one.
    Kept,
}

/// A TLS client.
///
/// TLS 1.3, X25519 and AES-128-GCM only, so that all contenders do the same work. It does not check
/// signatures: that would take as long as the contender's part, on the load generator's core.
#[derive(Clone, Debug)]
pub(crate) struct TlsClient {
    name: ServerName<'static>,
    sessions: Sessions,
    config: ClientConfig,
}

impl TlsClient {
    /// A client that asks for `name`, and for these protocols (ALPN), if any.
    pub(crate) fn new(name: &str, sessions: Sessions, protocols: &[&[u8]]) -> Result<Self> {
        let mut provider = aws_lc_rs::default_provider();
        provider.cipher_suites = vec![aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256];
        provider.kx_groups = vec![aws_lc_rs::kx_group::X25519];
        let provider = Arc::new(provider);
        let verifier = Arc::new(Trusting(Arc::clone(&provider)));
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Self { name: ServerName::try_from(name.to_owned())?, sessions, config })
    }

    /// A connection that waits.
    pub(crate) fn wait(
        &self,
        stream: std::net::TcpStream,
    ) -> Result<StreamOwned<ClientConnection, std::net::TcpStream>> {
        let config = Arc::new(self.config.clone());
        Ok(StreamOwned::new(ClientConnection::new(config, self.name.clone())?, stream))
    }

    /// The configuration of one place of connections.
    pub(super) fn place(&self) -> Place {
        let mut config = self.config.clone();
        config.resumption = match self.sessions {
            Sessions::Never => Resumption::disabled(),
            Sessions::Kept => Resumption::in_memory_sessions(8),
        };
        Place { config: Arc::new(config), name: self.name.clone() }
    }
}

/// One place of connections, which shares no session with the others.
#[derive(Clone, Debug)]
pub(super) struct Place {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

/// A connection that does not wait.
#[derive(Debug)]
pub(super) enum Channel {
    /// Bytes as they are.
    Plain(TcpStream),
    /// Through TLS.
    Tls(TcpStream, Box<ClientConnection>),
}

impl Channel {
    /// Starts to connect.
    pub(super) fn connect(address: SocketAddr, place: Option<&Place>) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let Some(place) = place else { return Ok(Self::Plain(stream)) };
        let tls = ClientConnection::new(Arc::clone(&place.config), place.name.clone());
        Ok(Self::Tls(stream, Box::new(tls.map_err(io::Error::other)?)))
    }

    /// The socket.
    pub(super) fn stream(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(stream) | Self::Tls(stream, _) => stream,
        }
    }

    /// How the handshake went, once it is done.
    pub(super) fn handshake(&self) -> Option<HandshakeKind> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(_, tls) => tls.handshake_kind(),
        }
    }

    /// Sends what can be sent; answers how much was taken.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => taken(stream.write(bytes)),
            Self::Tls(stream, tls) => {
                // Before the handshake's end it waits inside, and leaves with the last flight.
                let taken = tls.writer().write(bytes)?;
                flush(stream, tls)?;
                Ok(taken)
            }
        }
    }

    /// Sends what waits inside.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(stream, tls) => flush(stream, tls),
        }
    }

    /// Reads once, at most `buffer`, and hands on what it was; `None` when there is nothing to read,
    /// 0 at the end.
    pub(super) fn receive(
        &mut self,
        buffer: &mut [u8],
        mut sink: impl FnMut(&[u8]),
    ) -> io::Result<Option<usize>> {
        let read = loop {
            match self.stream().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        let mut bytes = buffer.get(..read).unwrap_or_default();
        match self {
            Self::Plain(_) => sink(bytes),
            Self::Tls(stream, tls) => {
                while !bytes.is_empty() {
                    tls.read_tls(&mut bytes)?;
                    tls.process_new_packets().map_err(io::Error::other)?;
                    drain(tls, &mut sink)?;
                }
                flush(stream, tls)?;
            }
        }
        Ok(Some(read))
    }
}

fn drain(tls: &mut ClientConnection, sink: &mut impl FnMut(&[u8])) -> io::Result<()> {
    loop {
        let mut reader = tls.reader();
        let plain = match reader.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            plain => plain?,
        };
        if plain.is_empty() {
            return Ok(());
        }
        sink(plain);
        let length = plain.len();
        reader.consume(length);
    }
}

fn flush(stream: &mut TcpStream, tls: &mut ClientConnection) -> io::Result<()> {
    while tls.wants_write() {
        match tls.write_tls(stream) {
            Ok(_) => {}
            Err(error) if is_early(&error) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn taken(written: io::Result<usize>) -> io::Result<usize> {
    match written {
        Err(error) if is_early(&error) => Ok(0),
        written => written,
    }
}

/// Nothing can be written yet: the socket is full, or still connecting.
fn is_early(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected | io::ErrorKind::Interrupted
    )
}

/// Takes any certificate: the load generator measures, it does not protect anything.
#[derive(Debug)]
struct Trusting(Arc<CryptoProvider>);

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
