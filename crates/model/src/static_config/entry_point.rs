//! Entry points: listening addresses and how connections on them are treated.
//!
//! The types print (serde) as Traefik's `/api/entrypoints` shows them, without the name. What Portway does
//! not serve yet (`allowACMEByPass`, `http3`, `udp`) is kept to be shown; setting
//! it is reported when Portway starts.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
};

use serde::{Serialize, Serializer};

use crate::{
    Period,
    dynamic::{RouterTls, TraceVerbosity},
};

/// A listening address. Traefik: `entryPoints.<name>`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryPoint {
    /// Where it listens.
    pub address: Address,
    /// Whether routers answer ACME challenges of their own; not served yet.
    #[serde(rename = "allowACMEByPass", skip_serializing_if = "std::ops::Not::not")]
    pub allow_acme_by_pass: bool,
    /// Whether other processes may listen on the same address.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reuse_port: bool,
    /// Whether routers that name no entry point use this one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub as_default: bool,
    /// Timeouts and the end of connections.
    pub transport: Transport,
    /// The PROXY protocol, where it is spoken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_protocol: Option<ProxyProtocol>,
    /// Whose X-Forwarded-* headers are believed.
    pub forwarded_headers: ForwardedHeaders,
    /// What applies to each request.
    pub http: EntryPointHttp,
    /// HTTP/2.
    pub http2: Http2,
    /// HTTP/3; not served yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http3: Option<Http3>,
    /// UDP; not served yet.
    pub udp: Udp,
    /// Which records are made of requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observability: Option<EntryPointObservability>,
}

impl EntryPoint {
    /// An entry point with the defaults.
    pub fn new(address: Address) -> Self {
        Self {
            address,
            allow_acme_by_pass: false,
            reuse_port: false,
            as_default: false,
            transport: Transport::default(),
            proxy_protocol: None,
            forwarded_headers: ForwardedHeaders::default(),
            http: EntryPointHttp::default(),
            http2: Http2::default(),
            http3: None,
            udp: Udp::default(),
            observability: None,
        }
    }
}

/// Where an entry point listens: `[host]:port[/tcp|/udp]`. Prints as it was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Address {
    /// What was written.
    pub text: String,
    /// An address or a name, without brackets; empty, `0.0.0.0` and `::` mean all addresses of the
    /// machine, IPv4 and IPv6.
    pub host: String,
    /// The port; 0 means one that the system chooses.
    pub port: u16,
    /// What is spoken on it.
    pub protocol: Protocol,
}

/// The transport protocol of an entry point.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP; not served yet.
    Udp,
}

/// A text that is no address of an entry point.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is no address; write `[host]:port`, such as `:8000` or `127.0.0.1:8000/tcp`")]
pub struct NotAnAddress(String);

impl Address {
    /// All addresses of the machine, on a TCP port.
    pub fn on_port(port: u16) -> Self {
        Self { text: format!(":{port}"), host: String::new(), port, protocol: Protocol::Tcp }
    }

    /// Parses `[host]:port[/tcp|/udp]`; an IPv6 host stands in brackets.
    ///
    /// # Errors
    /// When there is no port, the host has a colon without brackets or is a number, or the protocol is another.
    pub fn parse(text: &str) -> Result<Self, NotAnAddress> {
        let fail = || NotAnAddress(text.to_owned());
        let (place, protocol) = match text.split_once('/') {
            None => (text, Protocol::Tcp),
            Some((place, name)) if name.eq_ignore_ascii_case("tcp") => (place, Protocol::Tcp),
            Some((place, name)) if name.eq_ignore_ascii_case("udp") => (place, Protocol::Udp),
            Some(_) => return Err(fail()),
        };
        let (host, port) = place.rsplit_once(':').ok_or_else(fail)?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if bracketed.is_none() && host.contains([':', '[', ']']) {
            return Err(fail());
        }
        if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(fail());
        }
        let port = port.parse().map_err(|_| fail())?;
        let host = bracketed.unwrap_or(host).to_owned();
        // What the C library would take for one all the same, such as `127.1` for 127.0.0.1.
        if ends_in_a_number(&host) && host.parse::<Ipv4Addr>().is_err() {
            return Err(fail());
        }
        Ok(Self { text: text.to_owned(), host, port, protocol })
    }

    /// The host as an address; `None` when it is empty or a name.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

/// Whether a host can be nothing but an IPv4 address, however it is written.
fn ends_in_a_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    let digits = last.bytes().all(|byte| byte.is_ascii_digit());
    !host.contains(':') && !last.is_empty() && (digits || last.starts_with("0x"))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// Timeouts and the end of connections. Traefik: `entryPoints.<name>.transport`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Transport {
    /// What happens at shutdown.
    pub life_cycle: LifeCycle,
    /// How long Portway waits for a client.
    pub responding_timeouts: RespondingTimeouts,
    /// When a connection ends between requests.
    #[serde(flatten)]
    pub keep_alive: KeepAlive,
}

/// What happens at shutdown. Traefik: `transport.lifeCycle`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LifeCycle {
    /// How long requests are still accepted after the signal, while `/ping` says that the end is near;
    /// default none.
    #[serde(skip_serializing_if = "is_zero_period")]
    pub request_accept_grace_timeout: Period,
    /// How long running requests may take to end after that, default 10 s.
    #[serde(skip_serializing_if = "is_zero_period")]
    pub grace_time_out: Period,
}

impl Default for LifeCycle {
    fn default() -> Self {
        Self {
            request_accept_grace_timeout: Period::default(),
            grace_time_out: Period::seconds(10),
        }
    }
}

/// How long Portway waits for a client; zero means no limit. Traefik: `transport.respondingTimeouts`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RespondingTimeouts {
    /// For a whole request with its body, default 60 s.
    #[serde(skip_serializing_if = "is_zero_period")]
    pub read_timeout: Period,
    /// From the end of a request's head to the end of the response, default none.
    #[serde(skip_serializing_if = "is_zero_period")]
    pub write_timeout: Period,
    /// For the next request of a connection, default 180 s; zero means what it is for a whole request.
    #[serde(skip_serializing_if = "is_zero_period")]
    pub idle_timeout: Period,
}

impl Default for RespondingTimeouts {
    fn default() -> Self {
        Self {
            read_timeout: Period::seconds(60),
            write_timeout: Period::default(),
            idle_timeout: Period::seconds(180),
        }
    }
}

/// When a connection ends between requests; zero and less mean never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeepAlive {
    /// After this time. Traefik: `transport.keepAliveMaxTime`.
    #[serde(rename = "keepAliveMaxTime", skip_serializing_if = "is_zero_period")]
    pub max_time: Period,
    /// After so many requests. Traefik: `transport.keepAliveMaxRequests`.
    #[serde(rename = "keepAliveMaxRequests", skip_serializing_if = "is_zero_signed")]
    pub max_requests: i64,
}

/// Whose headers of the PROXY protocol are believed. Traefik: `entryPoints.<name>.proxyProtocol`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProxyProtocol {
    /// Whether every peer is believed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub insecure: bool,
    /// Addresses and networks that are believed.
    #[serde(rename = "trustedIPs", skip_serializing_if = "Vec::is_empty")]
    pub trusted_ips: Vec<String>,
}

/// Whose X-Forwarded-* headers are believed. Traefik: `entryPoints.<name>.forwardedHeaders`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ForwardedHeaders {
    /// Whether every peer is believed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub insecure: bool,
    /// Addresses (`10.0.0.1`) and networks (`10.0.0.0/8`) that are believed; each is valid.
    #[serde(rename = "trustedIPs", skip_serializing_if = "Vec::is_empty")]
    pub trusted_ips: Vec<String>,
    /// Headers that a client may name in `Connection` and have passed on all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub connection: Vec<String>,
    /// Whether the peer is not added to X-Forwarded-For.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not_append_x_forwarded_for: bool,
}

/// What applies to each request of an entry point. Traefik: `entryPoints.<name>.http`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryPointHttp {
    /// Where all requests are sent instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirections: Option<Redirections>,
    /// Names of middlewares that run before those of each router.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub middlewares: Vec<String>,
    /// TLS of routers that have none of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<RouterTls>,
    /// Which encoded characters a path may have; `None` means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoded_characters: Option<EncodedCharacters>,
    /// Whether `;` in a query is encoded rather than read as `&`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub encode_query_semicolons: bool,
    /// Whether `..`, `.` and double slashes are resolved in paths, default yes.
    pub sanitize_path: bool,
    /// Bytes of a request's head at most, default 1 MiB; 0 and less mean the default too.
    #[serde(skip_serializing_if = "is_zero_signed")]
    pub max_header_bytes: i64,
    /// What becomes of headers with `_` in their names; `None` means keep. The same as the next field, where both are
    /// there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub underscore_headers_strategy: Option<AliasHeaders>,
    /// What becomes of headers that a server may take for another (`X_Real_Ip`); `None` means keep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias_headers_strategy: Option<AliasHeaders>,
}

impl Default for EntryPointHttp {
    fn default() -> Self {
        Self {
            redirections: None,
            middlewares: Vec::new(),
            tls: None,
            encoded_characters: None,
            encode_query_semicolons: false,
            sanitize_path: true,
            max_header_bytes: 1_048_576,
            underscore_headers_strategy: None,
            alias_headers_strategy: None,
        }
    }
}

/// Where all requests of an entry point are sent instead. Traefik: `http.redirections`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Redirections {
    /// To another entry point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry_point: Option<RedirectToEntryPoint>,
}

/// A redirection to another entry point. Traefik: `http.redirections.entryPoint`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RedirectToEntryPoint {
    /// The entry point's name, or `:port`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub to: String,
    /// The new scheme, default `https`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scheme: String,
    /// 301 and 308 (default) instead of 302 and 307.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub permanent: bool,
    /// The priority of the router that does it, default one below the greatest.
    #[serde(skip_serializing_if = "is_zero_signed")]
    pub priority: i64,
}

/// The port of a redirection to `:port`; `None` where a name is written.
pub fn written_port(to: &str) -> Option<&str> {
    let port = to.strip_prefix(':')?;
    (!port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())).then_some(port)
}

impl Default for RedirectToEntryPoint {
    fn default() -> Self {
        Self {
            to: String::new(),
            scheme: "https".to_owned(),
            permanent: true,
            priority: i64::MAX - 1,
        }
    }
}

/// Which encoded characters a path may have; a request with another is answered 400. Traefik:
/// `http.encodedCharacters`, each allowed by default.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EncodedCharacters {
    /// `%2F`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_encoded_slash: bool,
    /// `%5C`.
    #[serde(rename = "allowEncodedBackSlash", skip_serializing_if = "std::ops::Not::not")]
    pub allow_encoded_back_slash: bool,
    /// `%00`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_encoded_null_character: bool,
    /// `%3B`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_encoded_semicolon: bool,
    /// `%25`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_encoded_percent: bool,
    /// `%3F`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_encoded_question_mark: bool,
    /// `%23`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_encoded_hash: bool,
}

impl Default for EncodedCharacters {
    fn default() -> Self {
        Self {
            allow_encoded_slash: true,
            allow_encoded_back_slash: true,
            allow_encoded_null_character: true,
            allow_encoded_semicolon: true,
            allow_encoded_percent: true,
            allow_encoded_question_mark: true,
            allow_encoded_hash: true,
        }
    }
}

/// What becomes of headers that a server may take for another.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AliasHeaders {
    /// They are passed on.
    #[default]
    Keep,
    /// They are left out.
    Delete,
    /// The request is answered 400.
    Reject,
}

/// What a connection that speaks HTTP/2 may use. Traefik: `entryPoints.<name>.http2`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Http2 {
    /// Streams of a connection at most.
    #[serde(skip_serializing_if = "is_zero_signed")]
    pub max_concurrent_streams: i64,
    /// Bytes of the table that reads headers at most.
    #[serde(skip_serializing_if = "is_zero_signed")]
    pub max_decoder_header_table_size: i64,
    /// Bytes of the table that writes headers at most.
    #[serde(skip_serializing_if = "is_zero_signed")]
    pub max_encoder_header_table_size: i64,
}

impl Default for Http2 {
    fn default() -> Self {
        Self {
            max_concurrent_streams: 250,
            max_decoder_header_table_size: 4096,
            max_encoder_header_table_size: 4096,
        }
    }
}

/// HTTP/3; not served yet. Traefik: `entryPoints.<name>.http3`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Http3 {
    /// The UDP port that clients are told; 0 means the entry point's.
    #[serde(skip_serializing_if = "is_zero_signed")]
    pub advertised_port: i64,
}

/// UDP; not served yet. Traefik: `entryPoints.<name>.udp`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Udp {
    /// How long an idle session is kept.
    #[serde(skip_serializing_if = "is_zero_period")]
    pub timeout: Period,
}

impl Default for Udp {
    fn default() -> Self {
        Self { timeout: Period::seconds(3) }
    }
}

/// Which records are made of requests, unless a router says otherwise. Traefik:
/// `entryPoints.<name>.observability`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryPointObservability {
    /// Access log lines, default yes.
    pub access_logs: bool,
    /// Metrics, default yes.
    pub metrics: bool,
    /// Traces, default yes.
    pub tracing: bool,
    /// How much traces say, default [`TraceVerbosity::Minimal`].
    pub trace_verbosity: TraceVerbosity,
}

impl Default for EntryPointObservability {
    fn default() -> Self {
        Self {
            access_logs: true,
            metrics: true,
            tracing: true,
            trace_verbosity: TraceVerbosity::Minimal,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero_period(period: &Period) -> bool {
    period.nanoseconds == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero_signed(number: &i64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests;
