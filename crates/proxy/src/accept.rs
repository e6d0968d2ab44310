//! Listening sockets: one set for each worker, so that the kernel spreads connections over them.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs},
    num::NonZeroUsize,
    os::fd::AsRawFd,
    rc::Rc,
    time::{Duration, Instant},
};

use portway_model::static_config::{Address, INTERNAL_ENTRY_POINT};
use portway_upstream::Stream;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

use crate::{connection::Connection, drain::Counted, worker::Worker};

/// Connections that the kernel keeps until they are accepted.
const BACKLOG: i32 = 4096;

/// How long a connection is silent before the client's machine is asked whether it is still there, and how
/// often it is asked again. As Go's listeners, so that clients that vanish hold nothing for long.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How long accepting rests when the process has no descriptor left.
const REST: Duration = Duration::from_millis(50);

/// Of a hundred descriptors so many may be in use while connections are accepted: those that are need connections to
/// servers, and files.
const ACCEPTED_WITHIN: u64 = 75;

/// How often it is said that accepting rests.
const WARN_EVERY: Duration = Duration::from_secs(5);

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("entry point `{entry_point}` cannot listen on `{address}`: {}", explain(cause, address))]
pub struct BindError {
    entry_point: String,
    address: String,
    cause: io::Error,
}

fn explain(error: &io::Error, address: &str) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("the port is in use by another process; find it with `ss -ltnp` ({error})")
        }
        io::ErrorKind::PermissionDenied => format!(
            "no permission; ports below 1024 need root or the capability NET_BIND_SERVICE, or use a \
             higher port ({error})"
        ),
        io::ErrorKind::AddrNotAvailable => {
            format!("this machine has no such address; write `:port` to listen on all ({error})")
        }
        _ => format!("{error} (address `{address}`)"),
    }
}

/// The sockets of one entry point, one for each worker.
#[derive(Debug)]
pub struct Bound {
    /// The address, with the port that the system chose where 0 was asked for.
    pub address: SocketAddr,
    /// One socket for each worker.
    pub sockets: Vec<TcpListener>,
}

/// Listens on `address` with one socket for each worker; with `reuse_port` beside other processes of the
/// same user that do so too (Traefik: `reusePort`).
///
/// # Errors
/// When the address is taken, not this machine's, not permitted or not known.
pub fn bind(
    entry_point: &str,
    address: &Address,
    reuse_port: bool,
    workers: NonZeroUsize,
) -> Result<Bound, BindError> {
    let listen = || -> io::Result<Bound> {
        let mut chosen = resolve(address)?;
        // Sockets that share a port also share it with other processes of the same user: an exclusive
        // one first, so that a second Portway is told instead of taking half of the connections unasked.
        if !reuse_port {
            drop(listener(chosen, false)?);
        }
        let mut sockets = Vec::new();
        for _ in 0..workers.get() {
            let socket = listener(chosen, true)?;
            chosen = socket.local_addr()?;
            sockets.push(socket);
        }
        Ok(Bound { address: chosen, sockets })
    };
    listen().map_err(|cause| BindError {
        entry_point: entry_point.to_owned(),
        address: address.text.clone(),
        cause,
    })
}

fn resolve(address: &Address) -> io::Result<SocketAddr> {
    // As in Go, which Traefik's users are used to: `0.0.0.0` and `[::]` are all addresses of both versions.
    if address.host.is_empty() || address.ip().is_some_and(|ip| ip.is_unspecified()) {
        let dual_stack = Socket::new(Domain::IPV6, Type::STREAM, Some(Protocol::TCP)).is_ok();
        let any: IpAddr =
            if dual_stack { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
        return Ok(SocketAddr::new(any, address.port));
    }
    let mut found = (address.host.as_str(), address.port).to_socket_addrs()?;
    found.next().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address"))
}

fn listener(address: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    // What is accepted inherits both on Linux, which saves system calls for each connection.
    socket.set_tcp_nodelay(true)?;
    let keep_alive = TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE);
    socket.set_tcp_keepalive(&keep_alive)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Accepts connections on one entry point until the worker drains.
pub(crate) async fn accept(worker: Rc<Worker>, entry_point: usize, socket: TcpListener) {
    let listener = match tokio::net::TcpListener::from_std(socket) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!("a listening socket cannot be used: {error}");
            return;
        }
    };
    let Some(ending) = worker.ending(entry_point) else { return };
    // The drain waits for listening sockets too, and for what is accepted before its task begins.
    let _counted = worker.drain.count();
    let name = worker.entry_points.get(entry_point).map(|settings| &*settings.name);
    // Who looks after the process must reach it then.
    let most = match name {
        Some(INTERNAL_ENTRY_POINT) => u64::MAX,
        _ => worker.descriptors.saturating_mul(ACCEPTED_WITHIN) / 100,
    };
    let mut warned = None;
    let mut is_crowded = false;
    loop {
        is_crowded = is_crowded && next_descriptor(&listener).is_none_or(|next| next >= most);
        if is_crowded {
            warn_seldom(
                &mut warned,
                format_args!(
                    "connections wait to be accepted: most of the {} descriptors that the process \
                     may have (`ulimit -n`) are in use; raise the limit, or lower `idleTimeout`",
                    worker.descriptors
                ),
            );
            tokio::time::sleep(REST).await;
            continue;
        }
        let accepted = tokio::select! {
            biased;
            accepted = listener.accept() => accepted,
            () = ending.drained() => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                is_crowded = number(&stream) >= most;
                let counted = worker.drain.count();
                let stream = Stream::Plain(stream);
                let connection = Connection::new(Rc::clone(&worker), entry_point, stream, peer);
                tokio::task::spawn_local(until_cut(Rc::clone(&worker), connection, counted));
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                warn_seldom(&mut warned, format_args!("connections cannot be accepted: {error}"));
                tokio::time::sleep(REST).await;
            }
        }
    }
}

/// The number of a descriptor: the system gives the lowest that is free.
fn number(descriptor: &impl AsRawFd) -> u64 {
    u64::try_from(descriptor.as_raw_fd()).unwrap_or_default()
}

/// The number of the descriptor that the system would give next; `None` where there is none left.
fn next_descriptor(listener: &tokio::net::TcpListener) -> Option<u64> {
    let next = SockRef::from(listener).try_clone().ok()?;
    Some(number(&next))
}

fn warn_seldom(warned: &mut Option<Instant>, what: fmt::Arguments<'_>) {
    if warned.is_none_or(|then| then.elapsed() >= WARN_EVERY) {
        *warned = Some(Instant::now());
        tracing::warn!("{what}");
    }
}

/// Whether an error of `accept` concerns only the connection that was to be accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// One connection from accept to its end, or until the grace time of its entry point is over.
///
/// What is cut sees it first, and can say so in the access log.
async fn until_cut(worker: Rc<Worker>, connection: Box<Connection>, _counted: Counted) {
    let Some(ending) = worker.ending(connection.entry_point) else { return };
    tokio::select! {
        biased;
        () = connection.serve() => {}
        () = ending.cut() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_are_those_of_both_versions() {
        if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
            return;
        }
        for text in [":0", "0.0.0.0:0", "[::]:0"] {
            let address = Address::parse(text).unwrap();
            let bound = bind("web", &address, false, NonZeroUsize::MIN).unwrap();
            for host in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
                let reached = std::net::TcpStream::connect((host, bound.address.port()));
                assert!(reached.is_ok(), "{text} from {host}: {reached:?}");
            }
        }
    }

    #[test]
    fn a_port_is_shared_with_another_process_only_where_reuse_port_says_so() {
        let one = NonZeroUsize::MIN;
        let any = Address::parse("127.0.0.1:0").unwrap();
        let first = bind("web", &any, true, one).unwrap();
        let same = Address::parse(&first.address.to_string()).unwrap();
        assert_eq!(bind("web", &same, true, one).unwrap().address, first.address);
        let refused = bind("web", &same, false, one).unwrap_err().to_string();
        assert!(refused.contains("the port is in use by another process"), "{refused}");
    }
}
