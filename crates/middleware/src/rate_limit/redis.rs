//! Buckets in Redis, which instances of Portway and Traefik share.
//!
//! Traefik: `rateLimit.redis`. The key is `rate:<middleware>:<source>`, so that routers share a bucket too. While Redis
//! is away every request is answered 500, as by Traefik; a request waits for a connection no longer than
//! `dialTimeout`, and for an answer no longer than `writeTimeout` and `readTimeout` together. Differences: a command
//! is repeated once, and only if the connection was closed; connections are shared by requests, so that one for each
//! core is all that is ever needed.

mod cluster;
mod node;

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portway_model::dynamic;
use portway_tls::{ClientTls, NativeRoots};
use redis::{Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, cmd};
use sha1::{Digest as _, Sha1};

use self::cluster::Cluster;
use self::node::{Node, Reach};
use super::bucket::Rate;

/// A Redis, alone or a cluster of several.
#[derive(Debug)]
pub(super) struct Redis {
    /// What the keys of this middleware begin with.
    prefix: Box<[u8]>,
    servers: Servers,
    script: Script,
}

#[derive(Debug)]
enum Servers {
    One(Arc<Node>),
    Cluster(Cluster),
}

#[derive(Debug)]
struct Script {
    /// The hexadecimal SHA-1 that Redis knows it by.
    digest: String,
}

impl Redis {
    /// Compiles the settings of the middleware of this name.
    ///
    /// # Errors
    /// With the reason.
    pub(super) fn compile(
        name: &str,
        config: &dynamic::Redis,
        authorities: &NativeRoots,
    ) -> Result<Self, String> {
        let is_cluster = config.endpoints.len() > 1;
        let reach = Arc::new(Reach::compile(name, config, tls(config, authorities)?, is_cluster));
        let mut nodes = Vec::new();
        for (number, endpoint) in config.endpoints.iter().enumerate() {
            let node = Node::new(endpoint, &reach).ok_or_else(|| {
                format!("redis.endpoints[{number}]: `{endpoint}` is no `host:port`")
            })?;
            nodes.push(Arc::new(node));
        }
        let servers = match nodes.as_slice() {
            [] => return Err("redis.endpoints: there is no address".to_owned()),
            [one] => Servers::One(Arc::clone(one)),
            _ => Servers::Cluster(Cluster::new(nodes, reach)),
        };
        let digest = Sha1::digest(SCRIPT).iter().map(|byte| format!("{byte:02x}")).collect();
        let prefix = format!("rate:{name}:").into_bytes().into();
        Ok(Self { prefix, servers, script: Script { digest } })
    }

    /// Takes a token of this source, and says how long to wait for it.
    ///
    /// A future that is dropped may have taken it.
    pub(super) async fn take(&self, rate: &Rate, source: &[u8]) -> RedisResult<Duration> {
        let key = [&self.prefix, source].concat();
        let bucket = Bucket { script: &self.script, key: &key, rate, now: microseconds() };
        let wait: f64 = match &self.servers {
            Servers::One(node) => node.ask(&bucket, false).await?,
            Servers::Cluster(cluster) => cluster.ask(&bucket).await?,
        };
        // As Go does, from microseconds to whole nanoseconds.
        Ok(Duration::try_from_secs_f64(wait.max(0.0) / 1e6).unwrap_or(Duration::MAX))
    }
}

/// A question for a token.
#[derive(Clone, Copy, Debug)]
struct Bucket<'a> {
    script: &'a Script,
    key: &'a [u8],
    rate: &'a Rate,
    /// Microseconds since 1970.
    now: u128,
}

impl Bucket<'_> {
    /// The command, for a Redis that knows the script, or for any.
    fn command(&self, known: bool) -> Cmd {
        let mut command = if known { cmd("EVALSHA") } else { cmd("EVAL") };
        let script = if known { self.script.digest.as_str() } else { SCRIPT };
        let (per_microsecond, burst) = self.rate.per_microsecond();
        command.arg(script).arg(1).arg(self.key);
        // Texts, so that both routers write the same numbers.
        command.arg(per_microsecond.to_string()).arg(burst.to_string());
        command.arg(self.rate.lifetime().as_secs()).arg(self.now.to_string());
        command.arg(self.rate.max_delay().as_micros().to_string());
        command
    }
}

/// Whether Redis does not know the script, or has forgotten it.
fn is_unknown(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

fn microseconds() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros()
}

/// TLS as it is asked for. Unlike that of servers, it may leave nothing out that cannot be used.
fn tls(config: &dynamic::Redis, authorities: &NativeRoots) -> Result<Option<ClientTls>, String> {
    let Some(tls) = &config.tls else { return Ok(None) };
    let given =
        |material: &dynamic::Material| !material.content.is_empty() || !material.written.is_empty();
    let refused = |reason: &str| Err(format!("creating TLS config: {reason}"));
    let certificates = match (given(&tls.cert), given(&tls.key)) {
        (true, true) => vec![dynamic::Certificate {
            cert: tls.cert.clone(),
            key: tls.key.clone(),
            stores: Vec::new(),
        }],
        (false, false) => Vec::new(),
        _ => return refused("both TLS cert and key must be defined"),
    };
    let transport = dynamic::ServersTransport {
        insecure_skip_verify: tls.insecure_skip_verify,
        root_cas: Some(&tls.ca).filter(|ca| given(ca)).cloned().into_iter().collect(),
        certificates,
        disable_http2: true,
        ..dynamic::ServersTransport::default()
    };
    match ClientTls::compile(&transport, authorities) {
        (Some(compiled), problems) if problems.is_empty() => Ok(Some(compiled)),
        (_, problems) => {
            let first = problems.first();
            let field = match first.map_or("", |problem| problem.field.as_str()) {
                field if field.starts_with("rootCAs") => "ca: ",
                field if field.ends_with("certFile") => "cert: ",
                field if field.ends_with("keyFile") => "key: ",
                _ => "",
            };
            let reason = first.map_or("it cannot be set up", |problem| problem.message.as_str());
            refused(&format!("{field}{reason}"))
        }
    }
}

/// An error of the connection.
fn broken(kind: io::ErrorKind, reason: &'static str) -> RedisError {
    io::Error::new(kind, reason).into()
}

const SCRIPT: &str = include_str!("redis/bucket.lua");
