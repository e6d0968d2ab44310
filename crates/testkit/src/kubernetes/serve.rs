//! The listener on loopback and its connections, which a test or a fault can cut.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

use super::exchange::exchange;
use super::state::State;

/// What the threads of a server share.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Tells watches that there may be something to say.
    changed: watch::Sender<()>,
    /// Why the server is down.
    down: watch::Sender<Down>,
    /// Connections and whether the port is open, for those who wait for either.
    standing: Mutex<Standing>,
    moved: Condvar,
    address: SocketAddr,
    /// Bound and never listening: while the server is down, its port is nobody else's.
    _reserved: Socket,
}

/// Who holds the server down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Down {
    by_test: bool,
    by_fault: bool,
    for_good: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Standing {
    listening: bool,
    connections: usize,
}

impl Shared {
    pub(super) fn new(state: State) -> io::Result<Self> {
        let reserved = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = reserved.local_addr()?.as_socket().ok_or(io::ErrorKind::Unsupported)?;
        Ok(Self {
            state: Mutex::new(state),
            changed: watch::Sender::new(()),
            down: watch::Sender::new(Down::default()),
            standing: Mutex::default(),
            moved: Condvar::new(),
            address,
            _reserved: reserved,
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Tells watches to look.
    pub(super) fn announce(&self) {
        self.changed.send_replace(());
    }

    /// Wakes whenever [`announce`](Self::announce) is called.
    pub(super) fn announcements(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Takes the server down or up again, as a fault.
    pub(super) fn fail(&self, down: bool) {
        self.down.send_modify(|reasons| reasons.by_fault = down);
    }

    /// Takes the server down, as a test wants it, and waits until nobody is connected.
    pub(super) fn stop(&self) {
        self.down.send_modify(|reasons| reasons.by_test = true);
        self.wait_until(|standing| !standing.listening && standing.connections == 0);
    }

    /// Takes the server up again and waits until it listens.
    pub(super) fn restart(&self) {
        self.down.send_modify(|reasons| reasons.by_test = false);
        if !self.down.borrow().by_fault {
            self.wait_until(|standing| standing.listening);
        }
    }

    /// Ends the server.
    pub(super) fn end(&self) {
        self.down.send_modify(|reasons| reasons.for_good = true);
    }

    /// Waits until the server listens for the first time.
    pub(super) fn wait_until_listening(&self) {
        self.wait_until(|standing| standing.listening);
    }

    /// True when the server is up and no fault is left or lasts.
    pub(super) fn is_healthy(&self) -> bool {
        self.state().is_healthy() && self.standing.lock().unwrap().listening
    }

    fn wait_until(&self, reached: impl Fn(&Standing) -> bool) {
        let standing = self.standing.lock().unwrap();
        let waited = self.moved.wait_timeout_while(standing, PATIENCE, |now| !reached(now));
        assert!(!waited.unwrap().1.timed_out(), "the fake API server is stuck");
    }

    fn stand(&self, change: impl FnOnce(&mut Standing)) {
        change(&mut self.standing.lock().unwrap());
        self.moved.notify_all();
    }
}

impl Down {
    fn is_up(self) -> bool {
        self == Self::default()
    }
}

/// Listens whenever the server is up, until it is over.
pub(super) async fn accept(shared: Arc<Shared>) -> io::Result<()> {
    let mut down = shared.down.subscribe();
    loop {
        let Ok(state) = down.wait_for(|down| down.is_up() || down.for_good).await else { break };
        if state.for_good {
            break;
        }
        drop(state);
        let socket = bind(shared.address)?;
        socket.listen(1024)?;
        let listener = TcpListener::from_std(socket.into())?;
        shared.stand(|standing| standing.listening = true);
        loop {
            tokio::select! {
                _ = down.wait_for(|down| !down.is_up()) => break,
                accepted = listener.accept() => {
                    if let Ok((socket, _)) = accepted {
                        shared.stand(|standing| standing.connections += 1);
                        tokio::spawn(connection(socket, Arc::clone(&shared)));
                    }
                }
            }
        }
        drop(listener);
        shared.stand(|standing| standing.listening = false);
    }
    Ok(())
}

fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// A second hold on a connection's socket, by which it can be reset.
#[derive(Debug)]
pub(super) struct Line {
    socket: TcpStream,
    cut: Notify,
}

impl Line {
    pub(super) fn reset(&self) {
        let _ = SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
        self.cut.notify_one();
    }
}

async fn connection(socket: tokio::net::TcpStream, shared: Arc<Shared>) {
    // What fails here is the client's leaving, which it knows of.
    let _ = converse(socket, &shared).await;
    shared.stand(|standing| standing.connections -= 1);
}

async fn converse(socket: tokio::net::TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let socket = socket.into_std()?;
    let line = Arc::new(Line { socket: socket.try_clone()?, cut: Notify::new() });
    let socket = tokio::net::TcpStream::from_std(socket)?;
    let service = service_fn(|request| exchange(request, Arc::clone(&line), Arc::clone(shared)));
    let mut down = shared.down.subscribe();
    tokio::select! {
        served = http1::Builder::new().serve_connection(TokioIo::new(socket), service) => {
            served.map_err(io::Error::other)
        }
        () = line.cut.notified() => Ok(()),
        _ = down.wait_for(|down| !down.is_up()) => Ok(()),
    }
}

/// How long starting and stopping may take before a test counts it as stuck.
const PATIENCE: Duration = Duration::from_secs(10);
