//! A Redis that several instances count in.

use std::fmt;

use serde::Serialize;

use super::ClientTls;
use crate::Period;

/// A Redis that several instances count in. Traefik: `rateLimit.redis`.
#[derive(Clone, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Redis {
    /// Its addresses, `host:port`; several are members of one cluster that tell of the others.
    pub endpoints: Vec<String>,
    /// TLS towards it; `None` means that nothing is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ClientTls>,
    /// The user; empty means the default one.
    #[serde(skip)]
    pub username: String,
    /// The password; empty means that none is sent, and no user either.
    #[serde(skip)]
    pub password: String,
    /// The number of the database; a cluster has 0 alone.
    #[serde(skip_serializing_if = "is_zero")]
    pub db: i64,
    /// Connections to an address that are opened as they are needed; 0 means one for each core.
    #[serde(skip_serializing_if = "is_zero")]
    pub pool_size: i64,
    /// Connections to an address that are opened with the first.
    #[serde(skip_serializing_if = "is_zero")]
    pub min_idle_conns: i64,
    /// Connections to an address at most; 0 means any number.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_active_conns: i64,
    /// How long to wait for an answer; no time means without end.
    pub read_timeout: Period,
    /// How long to wait until a command is sent, in addition.
    pub write_timeout: Period,
    /// How long to wait for a connection; no time means 5 s.
    pub dial_timeout: Period,
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            endpoints: vec!["localhost:6379".to_owned()],
            tls: None,
            username: String::new(),
            password: String::new(),
            db: 0,
            pool_size: 0,
            min_idle_conns: 0,
            max_active_conns: 0,
            read_timeout: Period::seconds(3),
            write_timeout: Period::seconds(3),
            dial_timeout: Period::seconds(5),
        }
    }
}

impl fmt::Debug for Redis {
    /// Without the user and the password: they are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("endpoints", &self.endpoints)
            .field("tls", &self.tls)
            .field("db", &self.db)
            .finish_non_exhaustive()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}
