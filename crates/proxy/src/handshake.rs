//! TLS: the first bytes decide whether a connection is encrypted, the name asked for decides how.

use std::{io, net::IpAddr, rc::Rc, sync::Arc, time::Duration};

use portway_tls::{Choice, ClientCertificates, Hello};
use portway_upstream::{Stream, Unread};
use tokio::{io::AsyncWriteExt, time::timeout};
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};

use crate::{connection::Connection, worker::Worker};

/// The first byte of a TLS handshake record.
const TLS_RECORD: u8 = 0x16;

/// The first byte of a hello of SSL 2.0, whose length with the highest bit set comes first; no request begins so.
const OLD_HELLO: u8 = 0x80;

/// Alert record of TLS 1.0, which whoever is refused understands best: two bytes, fatal, protocol_version.
const TOO_OLD: [u8; 7] = [21, 3, 1, 0, 2, 2, 70];

/// Whether what a client says first is of a version before TLS 1.2.
///
/// rustls would refuse it for want of an extension: this tells clients why. A hello that comes in pieces is left to it.
fn is_too_old(hello: &[u8]) -> bool {
    const CLIENT_HELLO: u8 = 1;
    match hello {
        [OLD_HELLO, ..] => true,
        [TLS_RECORD, _, _, high, low, CLIENT_HELLO, _, _, _, major, minor, ..] => {
            let length = u16::from_be_bytes([*high, *low]);
            length >= 6 && (*major, *minor) < (3, 3)
        }
        _ => false,
    }
}

/// Whether these first bytes of a connection begin TLS, or what came before it and is refused.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(&TLS_RECORD | &OLD_HELLO))
}

/// The application protocols that are spoken over TLS, besides HTTP/1.1 where none is agreed on.
const SERVED: [&[u8]; 3] = [HTTP_2, b"http/1.1", b"http/1.0"];

const HTTP_2: &[u8] = b"h2";

/// How long a refusal may take to be sent.
const REFUSAL: Duration = Duration::from_secs(1);

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
    /// What the client has shown.
    pub(crate) certificates: Option<Rc<ClientCertificates>>,
    /// Whether HTTP/2 was agreed on.
    pub(crate) http2: bool,
}

/// Shakes hands with the certificate and options that the name asked for leads to; `None` when the
/// client does not finish in time, is refused, or has no version or suite in common.
pub(crate) async fn accept(mut connection: Box<Connection>) -> Option<Box<Connection>> {
    let worker = Rc::clone(&connection.worker);
    let entry_point = connection.entry_point;
    let settings = worker.entry_points.get(entry_point)?;
    let limit = settings.read_timeout;
    // As in Go: what follows the hello both reads and writes.
    let limits = [limit, limit.into_iter().chain(settings.write_timeout).min()];
    let begun = connection.input.filled().to_vec();
    connection.input.discard(&worker.buffers);
    let Stream::Plain(mut socket) = connection.stream else { return None };
    if is_too_old(&begun) {
        let refused = async {
            socket.write_all(&TOO_OLD).await?;
            socket.shutdown().await
        };
        let _ = timeout(REFUSAL, refused).await;
        return None;
    }
    let local = connection.local.or_else(|| Some(socket.local_addr().ok()?.ip()));
    let stream = Unread::new(begun, socket);
    let result = shake(&worker, entry_point, limits, stream, local).await;
    let (stream, facts) =
        result.inspect_err(|error| tracing::debug!("TLS handshake: {error}")).ok()?;
    connection.stream = Stream::Tls(Box::new(stream.into()));
    connection.tls = Some(Rc::new(facts));
    Some(connection)
}

/// What `step` gives, within a time.
async fn within<T>(
    limit: Option<Duration>,
    step: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    match limit {
        Some(limit) => timeout(limit, step).await?,
        None => step.await,
    }
}

/// Shakes hands: within the first of the limits up to the end of the client's hello, then within the second.
async fn shake(
    worker: &Worker,
    entry_point: usize,
    [limit, rest_limit]: [Option<Duration>; 2],
    stream: Unread,
    local: Option<IpAddr>,
) -> io::Result<(TlsStream<Unread>, TlsFacts)> {
    let local = local.map(|address| address.to_canonical());
    let acceptor = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
    let start = within(limit, acceptor).await?;
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
                let refuse = async {
                    stream.write_all(alert).await?;
                    stream.shutdown().await
                };
                within(rest_limit, refuse).await?;
            }
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, refusal));
        }
    };
    drop(snapshot);
    let stream = within(rest_limit, start.into_stream(config)).await?;
    let connection = stream.get_ref().1;
    if let Some(protocol) = connection.alpn_protocol()
        && !SERVED.contains(&protocol)
    {
        // As Go's server: who agreed on another protocol must not be understood in this one.
        let message = format!("`{}` is agreed on and not served", protocol.escape_ascii());
        return Err(io::Error::new(io::ErrorKind::Unsupported, message));
    }
    let facts = TlsFacts {
        options,
        version: portway_tls::facts::version(connection),
        cipher: portway_tls::facts::cipher(connection),
        client_subject: portway_tls::facts::client_subject(connection),
        certificates: ClientCertificates::of(connection).map(Rc::new),
        http2: connection.alpn_protocol() == Some(HTTP_2),
    };
    Ok((stream, facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hellos_before_tls_1_2_are_known_by_their_first_bytes() {
        let hello = |minor| [TLS_RECORD, 3, 1, 0, 60, 1, 0, 0, 56, 3, minor, 7];
        assert!(is_too_old(&[OLD_HELLO, 28, 1, 0, 2]));
        for old in [0, 1, 2] {
            assert!(is_too_old(&hello(old)), "{old}");
        }
        // TLS 1.3 calls itself 1.2 here (RFC 8446 §4.1.2).
        assert!(!is_too_old(&hello(3)));
        assert!(!is_too_old(&hello(1)[..10]));
        // Records of one byte each.
        assert!(!is_too_old(&[TLS_RECORD, 3, 1, 0, 1, 1, TLS_RECORD, 3, 1, 0, 1, 0]));
        assert!(begins(&hello(3)) && begins(&[OLD_HELLO]));
        assert!(!begins(b"GET / HTTP/1.1\r\n") && !begins(b""));
    }
}
