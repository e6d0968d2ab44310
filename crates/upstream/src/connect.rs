//! New connections to servers: name look-up, TCP, TLS.

use std::{io, net::SocketAddr};

use rustls::pki_types::ServerName;
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::{Scheme, Server, ServerStream};

/// Why a server could not be connected to.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name was not found, or the connection was refused, unreachable or reset.
    #[error("connect to {url}: {source}")]
    Unreachable {
        /// The server's URL.
        url: String,
        /// What the system said.
        source: io::Error,
    },
    /// The dial timeout passed.
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

/// Opens a connection to `server`, TLS included, within its dial timeout.
///
/// # Errors
/// See [`ConnectError`]; nothing was sent to the server as a request in any of its cases.
pub async fn connect(server: &Server) -> Result<ServerStream, ConnectError> {
    let open = open(server);
    match server.transport.dial_timeout {
        None => open.await,
        Some(limit) => timeout(limit, open)
            .await
            .unwrap_or_else(|_| Err(ConnectError::Timeout { url: server.url.clone() })),
    }
}

async fn open(server: &Server) -> Result<ServerStream, ConnectError> {
    let unreachable = |source| ConnectError::Unreachable { url: server.url.clone(), source };
    let stream = dial(server).await.map_err(unreachable)?;
    stream.set_nodelay(true).map_err(unreachable)?;
    match server.scheme {
        Scheme::Http => Ok(ServerStream::Plain(stream)),
        Scheme::Https => {
            let failed = |source| ConnectError::Tls { url: server.url.clone(), source };
            let name = match &server.transport.server_name {
                Some(name) => name.clone(),
                None => ServerName::try_from(server.host.clone())
                    .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidInput, error)))?,
            };
            let connector = TlsConnector::from(server.transport.tls.clone());
            let stream = connector.connect(name, stream).await.map_err(failed)?;
            Ok(ServerStream::Tls(Box::new(stream)))
        }
    }
}

/// Connects to the address, or to the first of the name's addresses that answers.
async fn dial(server: &Server) -> io::Result<TcpStream> {
    if let Some(address) = server.address {
        return TcpStream::connect(address).await;
    }
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    let addresses: Vec<SocketAddr> =
        lookup_host((server.host.as_str(), server.port)).await?.collect();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}
