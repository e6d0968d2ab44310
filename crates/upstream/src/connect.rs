//! New connections to servers: name look-up, TCP, TLS.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::{TlsConnector, rustls::Error as TlsError};

use crate::{Multiplexed, Scheme, Server, Stream, Unread, http2::shake_hands};

/// How long a connection is silent before the server's machine is asked whether it is still there, and how
/// often it is asked again. Traefik: the `KeepAlive` of its dialer.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// The least time that one of several addresses gets. Go: `partialDeadline`.
const LEAST_SHARE: Duration = Duration::from_secs(2);

/// How long TLS may take. Go's transport as Traefik sets it: `TLSHandshakeTimeout`.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Why a server could not be connected to.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name was not found, or the connection was refused, unreachable or reset.
    #[error("connect to {url}: {source}")]
    Unreachable {
        /// The server's URL.
        url: String,
        /// What the system said; [`io::ErrorKind::NotFound`] where the name has no address.
        source: io::Error,
    },
    /// The dial timeout passed, the system's own, or that of TLS.
    #[error("connect to {url}: no connection within the dial timeout")]
    Timeout {
        /// The server's URL.
        url: String,
    },
    /// TLS failed: the certificate is not trusted, no common version, a bad record.
    #[error("TLS to {url}: {source}")]
    Tls {
        /// The server's URL.
        url: String,
        /// What went wrong.
        source: io::Error,
    },
}

impl ConnectError {
    /// Whether it was the server that ended a TLS handshake: by an alert, or by closing the connection.
    pub fn is_refused_tls(&self) -> bool {
        let Self::Tls { source, .. } = self else { return false };
        let of_library = source.get_ref().and_then(|error| error.downcast_ref::<TlsError>());
        match of_library {
            Some(error) => matches!(error, TlsError::AlertReceived(_)),
            None => matches!(
                source.kind(),
                io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
            ),
        }
    }
}

/// A connection that was just opened.
#[derive(Debug)]
pub enum Opened {
    /// One that carries one request at a time.
    Http1(Stream),
    /// One that carries many.
    Http2(Multiplexed),
}

/// Opens a connection to `server` within its dial timeout, and TLS on it within ten seconds. What is to be upgraded goes
/// over HTTP/1.1, as in Traefik.
///
/// # Errors
/// See [`ConnectError`]; nothing was sent to the server as a request in any of its cases.
pub async fn connect(server: &Server, upgrades: bool) -> Result<Opened, ConnectError> {
    let url = || server.url.clone();
    let unreachable = |source: io::Error| match source.kind() {
        io::ErrorKind::TimedOut => ConnectError::Timeout { url: url() },
        _ => ConnectError::Unreachable { url: url(), source },
    };
    let late = || ConnectError::Timeout { url: url() };
    let dialed = match server.transport.dial_timeout {
        None => dial(server).await,
        Some(limit) => timeout(limit, dial(server)).await.map_err(|_| late())?,
    };
    let stream = dialed.map_err(unreachable)?;
    stream.set_nodelay(true).map_err(unreachable)?;
    let keep_alive = TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE);
    SockRef::from(&stream).set_tcp_keepalive(&keep_alive).map_err(unreachable)?;
    match server.scheme {
        Scheme::Http => Ok(Opened::Http1(Stream::Plain(stream))),
        Scheme::H2c if upgrades => Ok(Opened::Http1(Stream::Plain(stream))),
        Scheme::H2c => {
            let stream = Stream::Plain(stream);
            Ok(Opened::Http2(shake_hands(stream, server, Instant::now())))
        }
        Scheme::Https => {
            let failed = |source| ConnectError::Tls { url: url(), source };
            let tls = &server.transport.tls;
            let name = tls
                .server_name(&server.host)
                .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
            let config = if upgrades { tls.config() } else { tls.http2_config() };
            let connector = TlsConnector::from(Arc::clone(config));
            let stream = Unread::new(Vec::new(), stream);
            let stream = timeout(HANDSHAKE, connector.connect(name, stream)).await;
            let stream = stream.map_err(|_| late())?.map_err(failed)?;
            let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let stream = Stream::Tls(Box::new(stream.into()));
            if !http2 {
                return Ok(Opened::Http1(stream));
            }
            Ok(Opened::Http2(shake_hands(stream, server, Instant::now())))
        }
    }
}

/// Connects to the address, or to the first of the name's addresses that answers.
///
/// Each of several addresses gets an equal share of the time that is left, as in Go's dialer, so that one
/// that swallows packets leaves time for the next.
async fn dial(server: &Server) -> io::Result<TcpStream> {
    if let Some(address) = server.address {
        return dial_address(address).await;
    }
    let start = Instant::now();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    // What the resolver says has no kind that tells it from other failures.
    let unknown = |error| io::Error::new(io::ErrorKind::NotFound, error);
    let name = (server.host.as_str(), server.port);
    let addresses: Vec<SocketAddr> = lookup_host(name).await.map_err(unknown)?.collect();
    for (index, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        let dialed = match server.transport.dial_timeout {
            Some(limit) => {
                let share = limit.saturating_sub(start.elapsed()) / left;
                timeout(share.max(LEAST_SHARE), dial_address(*address))
                    .await
                    .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            }
            None => dial_address(*address).await,
        };
        match dialed {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn dial_address(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // On one machine, a port that nobody listens on may be given to the very socket that connects to it,
    // which then speaks to itself.
    if stream.local_addr()? == address {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(stream)
}
