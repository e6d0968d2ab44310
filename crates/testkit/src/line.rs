//! Connections for tests that do many things at once: plain or TLS, on tokio.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::client::{Tls, server_name, tls_config};

/// What bytes go over.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// An open connection.
pub struct Line {
    /// Its bytes.
    pub wire: Box<dyn Wire>,
    /// The certificate that the server showed, as DER; empty without TLS.
    pub certificate: Vec<u8>,
    /// What was agreed on by ALPN; empty where nothing was.
    pub protocol: Vec<u8>,
}

/// Connects to `address`, by TLS where that is given.
///
/// # Errors
/// When there is no connection, or the handshake fails.
pub async fn dial(address: SocketAddr, tls: Option<&Tls<'_>>) -> io::Result<Line> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let Some(tls) = tls else {
        return Ok(Line { wire: Box::new(socket), certificate: Vec::new(), protocol: Vec::new() });
    };
    let connector = TlsConnector::from(tls_config(tls)?);
    let stream = connector.connect(server_name(tls)?, socket).await?;
    let session = stream.get_ref().1;
    let shown = session.peer_certificates().and_then(|chain| chain.first());
    let certificate = shown.map(|shown| shown.to_vec()).unwrap_or_default();
    let protocol = session.alpn_protocol().unwrap_or_default().to_vec();
    Ok(Line { wire: Box::new(stream), certificate, protocol })
}

/// Takes a connection as a server, by TLS where that is given.
///
/// # Errors
/// When the handshake fails.
pub async fn welcome(
    socket: TcpStream,
    tls: Option<Arc<ServerConfig>>,
) -> io::Result<Box<dyn Wire>> {
    socket.set_nodelay(true)?;
    match tls {
        None => Ok(Box::new(socket)),
        Some(tls) => Ok(Box::new(TlsAcceptor::from(tls).accept(socket).await?)),
    }
}
