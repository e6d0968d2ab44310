//! TLS: the first bytes decide whether a connection is encrypted, the name asked for decides how.

use std::{io, sync::Arc, time::Duration};

use portway_tls::{Choice, Hello};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};

use crate::worker::Worker;

/// The first byte of a TLS handshake record.
pub(crate) const TLS_RECORD: u8 = 0x16;

/// What is known of a connection over TLS.
#[derive(Clone, Debug)]
pub(crate) struct TlsFacts {
    /// The name of the TLS options that it was accepted with.
    pub(crate) options: Arc<str>,
    /// Its version as Go prints it, such as `1.3`.
    pub(crate) version: &'static str,
    /// Its cipher suite as Go prints it.
    pub(crate) cipher: &'static str,
    /// The subject of the client's certificate.
    pub(crate) client_subject: Option<String>,
}

/// Waits for the first byte without taking it; `None` when the connection ends or is silent too long.
pub(crate) async fn first_byte(stream: &TcpStream, limit: Option<Duration>) -> Option<u8> {
    let mut byte = [0];
    let peek = stream.peek(&mut byte);
    let count = match limit {
        Some(limit) => timeout(limit, peek).await.ok()?,
        None => peek.await,
    };
    if count.ok()? == 0 {
        return None;
    }
    byte.first().copied()
}

/// Shakes hands with the certificate and options that the name asked for leads to; `None` when the
/// client does not finish in time, is refused, or has no version or suite in common.
pub(crate) async fn accept(
    worker: &Worker,
    entry_point: usize,
    stream: TcpStream,
    limit: Option<Duration>,
) -> Option<(TlsStream<TcpStream>, TlsFacts)> {
    let shake = shake(worker, entry_point, stream);
    let result = match limit {
        Some(limit) => timeout(limit, Box::pin(shake)).await.ok()?,
        None => Box::pin(shake).await,
    };
    result.inspect_err(|error| tracing::debug!("TLS handshake: {error}")).ok()
}

async fn shake(
    worker: &Worker,
    entry_point: usize,
    stream: TcpStream,
) -> io::Result<(TlsStream<TcpStream>, TlsFacts)> {
    let local = stream.local_addr().ok().map(|address| address.ip().to_canonical());
    let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await?;
    let snapshot = worker.snapshots.load();
    let choice = match snapshot.entry_points.get(entry_point) {
        Some(entry_point) => entry_point.tls.choose(&Hello::new(&start.client_hello(), local)),
        None => return Err(io::ErrorKind::NotFound.into()),
    };
    let (config, options) = match choice {
        Choice::Serve { config, options } => (config, options),
        Choice::Refuse(refusal) => {
            if let Some(alert) = refusal.alert() {
                let mut stream = start.io;
                stream.write_all(alert).await?;
                stream.shutdown().await?;
            }
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, refusal));
        }
    };
    drop(snapshot);
    let stream = start.into_stream(config).await?;
    let connection = stream.get_ref().1;
    let facts = TlsFacts {
        options,
        version: portway_tls::facts::version(connection),
        cipher: portway_tls::facts::cipher(connection),
        client_subject: portway_tls::facts::client_subject(connection),
    };
    Ok((stream, facts))
}
