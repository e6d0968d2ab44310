//! One server, and the connections to it.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use portway_model::dynamic;
use portway_tls::ClientTls;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Cmd, FromRedisValue, ProtocolVersion, RedisConnectionInfo, RedisError,
    RedisResult, Value, pipe,
};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{Bucket, broken, is_unknown};

/// How servers of one middleware are reached.
pub(super) struct Reach {
    /// The middleware, for the log.
    middleware: Box<str>,
    greeting: RedisConnectionInfo,
    tls: Option<Tls>,
    /// Connections to a server.
    connections: usize,
    /// Those of them that are opened with the first.
    opened_at_once: usize,
    dial_timeout: Duration,
    /// For the answer to a command, from when it could be sent; `None` waits without end.
    answer_timeout: Option<Duration>,
}

struct Tls {
    compiled: ClientTls,
    /// The same without protocols of HTTP.
    config: Arc<ClientConfig>,
}

/// One server.
pub(super) struct Node {
    host: Box<str>,
    port: u16,
    reach: Arc<Reach>,
    slots: Box<[Slot]>,
    has_begun: AtomicBool,
    /// When no connection could be had, in the end.
    failed: Mutex<Option<(Instant, RedisError)>>,
    /// When that was last said in the log.
    said: Mutex<Option<Instant>>,
}

/// The place of one connection.
#[derive(Default)]
struct Slot {
    open: tokio::sync::Mutex<Option<Open>>,
    /// How often it could not be opened.
    failures: AtomicU64,
}

/// A connection, with the task that works for it, which ends with it.
struct Open {
    connection: MultiplexedConnection,
    task: AbortHandle,
    /// Which of all connections it is.
    number: u64,
}

impl Reach {
    /// Compiles the settings of the middleware of this name.
    pub(super) fn compile(
        middleware: &str,
        config: &dynamic::Redis,
        tls: Option<ClientTls>,
        is_cluster: bool,
    ) -> Self {
        let mut greeting = RedisConnectionInfo::default()
            .set_protocol(ProtocolVersion::RESP2)
            .set_skip_set_lib_name();
        if !config.password.is_empty() {
            greeting = greeting.set_password(&config.password);
            if !config.username.is_empty() {
                greeting = greeting.set_username(&config.username);
            }
        }
        if !is_cluster && config.db > 0 {
            greeting = greeting.set_db(config.db);
        }
        let count = |number: i64| usize::try_from(number).ok().filter(|number| *number > 0);
        let cores = available_parallelism().map_or(1, usize::from);
        let least = count(config.min_idle_conns).unwrap_or(1);
        let most = count(config.max_active_conns).unwrap_or(usize::MAX);
        let connections = cores.min(count(config.pool_size).unwrap_or(cores)).min(most);
        let tls = tls.map(|compiled| {
            let mut config = ClientConfig::clone(compiled.config());
            config.alpn_protocols.clear();
            Tls { compiled, config: Arc::new(config) }
        });
        let write = config.write_timeout.positive().unwrap_or_default();
        Self {
            middleware: middleware.into(),
            greeting,
            tls,
            connections,
            opened_at_once: least.min(connections),
            dial_timeout: config.dial_timeout.positive().unwrap_or(DIAL_TIMEOUT),
            answer_timeout: config.read_timeout.positive().map(|read| read.saturating_add(write)),
        }
    }
}

impl fmt::Debug for Reach {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reach").field("connections", &self.connections).finish_non_exhaustive()
    }
}

impl Node {
    /// The server at `address`; `None` if that is no `host:port`.
    pub(super) fn new(address: &str, reach: &Arc<Reach>) -> Option<Self> {
        let (host, port) = address.rsplit_once(':')?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let is_address = bare.len() < host.len() || !bare.contains(':');
        Some(Self {
            host: Some(bare).filter(|host| is_address && !host.is_empty())?.into(),
            port: port.parse().ok().filter(|port| *port > 0)?,
            reach: Arc::clone(reach),
            slots: (0..reach.connections).map(|_| Slot::default()).collect(),
            has_begun: AtomicBool::new(false),
            failed: Mutex::new(None),
            said: Mutex::new(None),
        })
    }

    /// Whether this is its address.
    pub(super) fn is_at(&self, address: &str) -> bool {
        Self::new(address, &self.reach)
            .is_some_and(|other| other.host == self.host && other.port == self.port)
    }

    /// The address of another port of its host.
    pub(super) fn beside(&self, port: &str) -> String {
        let host = &self.host;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// Asks for a token; `asking` for one that is just moving here from another server of a cluster.
    pub(super) async fn ask(
        self: &Arc<Self>,
        bucket: &Bucket<'_>,
        asking: bool,
    ) -> RedisResult<f64> {
        let slot = THREAD.with(|number| number % self.slots.len().max(1));
        let mut is_repeated = false;
        loop {
            let (mut connection, number) = self.connection(slot).await?;
            let answered = ask(&mut connection, bucket, asking).await;
            let Err(error) = &answered else { return answered };
            if !(error.is_io_error() || error.is_unrecoverable_error()) {
                return answered;
            }
            self.forget(slot, number).await;
            // What a server that has ended its connection was asked for last can be asked for again.
            if is_repeated || !error.is_connection_dropped() {
                return answered;
            }
            is_repeated = true;
        }
    }

    /// The connection in a slot, which is opened if need be. Whoever waits while that fails, fails with it.
    async fn connection(
        self: &Arc<Self>,
        number: usize,
    ) -> RedisResult<(MultiplexedConnection, u64)> {
        let Some(slot) = self.slots.get(number) else {
            return Err(broken(io::ErrorKind::NotConnected, "no connection is allowed"));
        };
        let failures = slot.failures.load(Ordering::Acquire);
        let mut open = slot.open.lock().await;
        if let Some(open) = &*open {
            return Ok((open.connection.clone(), open.number));
        }
        let has_failed = slot.failures.load(Ordering::Acquire) != failures;
        if let Some(error) = self.recent_failure(has_failed) {
            return Err(error);
        }
        match self.open().await {
            Ok((connection, task)) => {
                *lock(&self.failed) = None;
                let number = OPENED.fetch_add(1, Ordering::Relaxed);
                *open = Some(Open { connection: connection.clone(), task, number });
                drop(open);
                self.begin();
                Ok((connection, number))
            }
            Err(error) => {
                slot.failures.fetch_add(1, Ordering::Release);
                *lock(&self.failed) = Some((Instant::now(), error.clone()));
                self.say(&error);
                Err(error)
            }
        }
    }

    /// Why there was no connection, if that was a moment ago, or while one was waited for.
    fn recent_failure(&self, while_waiting: bool) -> Option<RedisError> {
        let failed = lock(&self.failed);
        let (when, error) = failed.as_ref()?;
        (while_waiting || when.elapsed() < PAUSE).then(|| error.clone())
    }

    /// Opens the other connections that are to be open with the first.
    fn begin(self: &Arc<Self>) {
        if self.reach.opened_at_once < 2 || self.has_begun.swap(true, Ordering::AcqRel) {
            return;
        }
        for number in 0..self.reach.opened_at_once {
            let node = Arc::clone(self);
            // Ends with the attempt, which is bounded.
            tokio::spawn(async move { drop(node.connection(number).await) });
        }
    }

    /// Lets go of a connection that does not work any more.
    async fn forget(&self, slot: usize, number: u64) {
        if let Some(slot) = self.slots.get(slot) {
            slot.open.lock().await.take_if(|open| open.number == number);
        }
    }

    async fn open(&self) -> RedisResult<(MultiplexedConnection, AbortHandle)> {
        let attempt = async {
            let stream = TcpStream::connect((&*self.host, self.port)).await?;
            stream.set_nodelay(true)?;
            let Some(tls) = &self.reach.tls else { return self.greet(stream).await };
            let name: Result<ServerName<'static>, _> = tls.compiled.server_name(&self.host);
            let name = name.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
            let connector = TlsConnector::from(Arc::clone(&tls.config));
            self.greet(connector.connect(name, stream).await?).await
        };
        let late = || broken(io::ErrorKind::TimedOut, "no connection within the dial timeout");
        timeout(self.reach.dial_timeout, attempt).await.map_err(|_| late())?
    }

    async fn greet<S>(&self, stream: S) -> RedisResult<(MultiplexedConnection, AbortHandle)>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let config = AsyncConnectionConfig::new().set_response_timeout(self.reach.answer_timeout);
        let greeting = &self.reach.greeting;
        let (connection, work) =
            MultiplexedConnection::new_with_config(greeting, stream, config).await?;
        Ok((connection, tokio::spawn(work).abort_handle()))
    }

    /// Says in the log that there is no connection, now and then.
    fn say(&self, error: &RedisError) {
        let mut said = lock(&self.said);
        if said.is_none_or(|said| said.elapsed() >= SILENCE) {
            *said = Some(Instant::now());
            let (middleware, host, port) = (&self.reach.middleware, &self.host, self.port);
            tracing::warn!(
                "middleware {middleware}: no connection to Redis {host}:{port}: {error}"
            );
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({}:{})", self.host, self.port)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Asks for a token, by the script's digest and, where that is not known, by the script.
async fn ask(
    connection: &mut MultiplexedConnection,
    bucket: &Bucket<'_>,
    asking: bool,
) -> RedisResult<f64> {
    let value = if asking {
        let mut both = pipe();
        both.cmd("ASKING").ignore().add_command(bucket.command(false));
        let (wait,): (Value,) = both.query_async(connection).await?;
        wait
    } else {
        match send(connection, bucket.command(true)).await {
            Err(error) if is_unknown(&error) => send(connection, bucket.command(false)).await?,
            answered => answered?,
        }
    };
    Ok(f64::from_redis_value(value)?)
}

async fn send(connection: &mut MultiplexedConnection, command: Cmd) -> RedisResult<Value> {
    connection.send_packed_command(&command).await?.extract_error()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The wait for a connection where none is set, as in Traefik.
const DIAL_TIMEOUT: Duration = Duration::from_secs(5);

/// How long nothing is tried after there was no connection.
const PAUSE: Duration = Duration::from_millis(250);

/// How long nothing is said after it was said that there is no connection.
const SILENCE: Duration = Duration::from_secs(10);

/// Connections opened so far.
static OPENED: AtomicU64 = AtomicU64::new(0);

/// Threads that have asked so far.
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The number of this thread: each has a connection of its own, as far as there are so many.
    static THREAD: usize = THREADS.fetch_add(1, Ordering::Relaxed);
}
