//! Portway beside the real Traefik 3.7: the same configuration, the same requests, and everything
//! that can be seen from outside compared.
//!
//! A suite is a table of [`pair::Case`]s run by a [`pair::Pair`]. Only the differences listed in
//! [`differences`] are accepted, and a case has to name the one it expects.
//!
//! `PORTWAY_TEST_BINARY` replaces Portway (with Traefik's own path the suite tests itself);
//! `COMPAT_SEED`, `COMPAT_BATCHES`, `COMPAT_ROUTERS` and `COMPAT_REQUESTS` make long runs of the
//! random rules, `COMPAT_COMBINATIONS` of chains, `COMPAT_LINES` of access logs, `COMPAT_TLS_SEEDS` of configurations of
//! TLS, `COMPAT_DOORS` of sets of entry points, `COMPAT_CROWDS` of crowds at them, `COMPAT_SERVERS` of servers;
//! `COMPAT_SHOW` prints what Traefik answered to every case, `COMPAT_ALL` every mismatch.

mod differences;
mod pair;
mod seeds;
mod seen;

mod access_log;
pub(crate) mod api;
mod balancing;
mod basic_auth;
mod behind;
mod broken;
mod buffering;
mod chain;
mod circuit_breaker;
mod combinations;
mod compound;
mod compress;
mod content_type;
mod crowds;
mod digest_auth;
mod doors;
mod encoded_characters;
mod entry_points;
mod errors;
mod forward_auth;
mod forwarded;
mod grpc_web;
mod guards;
mod headers;
mod health;
mod http2;
mod http2_servers;
mod ip_allow_list;
mod limits;
mod messages;
mod named;
mod ocsp;
mod pass_tls_client_cert;
mod paths;
mod proxy_protocol;
mod redirect_scheme;
mod redis;
mod refusals;
mod replace_path;
mod retry;
mod rules;
mod services;
mod settings;
mod sticky;
mod strip_prefix;
mod tls;
mod told;
mod upgrades;
mod wrappers;
