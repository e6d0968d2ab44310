//! The settings of one entry point, ready to run.

use std::{net::IpAddr, sync::Arc, time::Duration};

use ipnet::{IpNet, Ipv4Net};
use portway_http::{
    self as http, CanonicalRules, ForwardedRules, HeaderName, HeaderValue, TrustedPeers,
    codec::HeadLimits,
};
use portway_model::static_config::{self, Address, AliasHeaders, EncodedCharacters};

/// How long the part of an IPv6 address is that says that it is an IPv4 one (RFC 4291 §2.5.5.2).
const MAPPED_BITS: u8 = 96;

/// The settings of one entry point. Traefik: `entryPoints.<name>`.
#[derive(Debug)]
pub struct EntryPoint {
    /// Its name.
    pub name: Arc<str>,
    /// Where it listens.
    pub address: Address,
    /// Whose headers of the PROXY protocol are believed; `None` where it is not spoken.
    pub(crate) proxy_protocol: Option<TrustedPeers>,
    pub(crate) limits: HeadLimits,
    pub(crate) http2: Http2Limits,
    pub(crate) canonical: CanonicalRules,
    pub(crate) forwarded: ForwardedRules,
    /// Whether the peer is added to X-Forwarded-For.
    pub(crate) append_forwarded_for: bool,
    /// Whether requests that no router takes are in the access log.
    pub(crate) logs_unrouted: bool,
    /// Octets that no path may hold percent-encoded.
    pub(crate) denied_octets: Vec<u8>,
    /// How long a request may take to arrive whole, from its first byte.
    pub(crate) read_timeout: Option<Duration>,
    /// How long a response may take to be written whole, from the end of the request's head.
    pub(crate) write_timeout: Option<Duration>,
    /// How long a connection may wait for its next request.
    pub(crate) idle_timeout: Option<Duration>,
    /// How long it goes on accepting once the process ends.
    pub(crate) accept_grace: Duration,
    /// How long requests may take to end after that.
    pub(crate) grace: Duration,
    /// After how many requests a connection is closed; 0 means never.
    pub(crate) max_requests: u64,
    /// After how long a connection is closed with its next response.
    pub(crate) max_time: Option<Duration>,
}

/// What a connection that speaks HTTP/2 may use. Traefik: `entryPoints.<name>.http2`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Http2Limits {
    /// Requests at the same time.
    pub(crate) streams: u32,
    /// The bytes of fields that the client may have remembered here.
    pub(crate) decoder_table: usize,
    /// The bytes of fields that are remembered there.
    pub(crate) encoder_table: usize,
}

/// An entry point that cannot run.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("entryPoints.{entry_point}.{field}: {message}")]
pub struct InvalidEntryPoint {
    entry_point: String,
    field: &'static str,
    message: String,
}

impl EntryPoint {
    /// Compiles the settings. `append_forwarded_for` comes from the entry point and the global option;
    /// `host_name` is the machine's, for X-Forwarded-Server.
    ///
    /// # Errors
    /// When an address range or a header name is invalid.
    pub fn compile(
        name: &str,
        config: &static_config::EntryPoint,
        append_forwarded_for: bool,
        host_name: &str,
    ) -> Result<Self, InvalidEntryPoint> {
        let invalid = |field: &'static str, message: String| InvalidEntryPoint {
            entry_point: name.to_owned(),
            field,
            message,
        };
        let forwarded = &config.forwarded_headers;
        let networks = |field, texts: &[String]| {
            let networks = texts.iter().map(|text| network(text));
            networks.collect::<Result<_, _>>().map_err(|text| invalid(field, text))
        };
        let connection = forwarded.connection.iter().map(|text| {
            let parsed = HeaderName::parse(text);
            let message = |error| format!("`{text}`: {error}");
            parsed.map_err(|error| invalid("forwardedHeaders.connection", message(error)))
        });
        let life_cycle = &config.transport.life_cycle;
        let timeouts = &config.transport.responding_timeouts;
        Ok(Self {
            name: name.into(),
            address: config.address.clone(),
            proxy_protocol: match &config.proxy_protocol {
                Some(protocol) if protocol.insecure || !protocol.trusted_ips.is_empty() => {
                    let networks = networks("proxyProtocol.trustedIPs", &protocol.trusted_ips)?;
                    Some(TrustedPeers { insecure: protocol.insecure, networks })
                }
                Some(_) => {
                    let message = "names nobody whose headers are believed; give addresses of balancers such as \
                                   `10.0.0.0/8`, or set `proxyProtocol.insecure`";
                    return Err(invalid("proxyProtocol.trustedIPs", message.to_owned()));
                }
                None => None,
            },
            limits: HeadLimits {
                // As in Go, what is no limit means the default.
                bytes: match config.http.max_header_bytes {
                    ..=0 => HeadLimits::default().bytes,
                    bytes => usize::try_from(bytes).unwrap_or(usize::MAX),
                },
                ..HeadLimits::default()
            },
            http2: Http2Limits::compile(&config.http2)
                .map_err(|field| invalid(field, "is negative; 0 means the default".to_owned()))?,
            canonical: CanonicalRules {
                sanitize_path: config.http.sanitize_path,
                encode_query_semicolons: config.http.encode_query_semicolons,
                aliases: alias_headers(config.http.alias_headers_strategy),
                underscores: alias_headers(config.http.underscore_headers_strategy),
            },
            forwarded: ForwardedRules {
                peers: TrustedPeers {
                    insecure: forwarded.insecure,
                    networks: networks("forwardedHeaders.trustedIPs", &forwarded.trusted_ips)?,
                },
                connection: connection.collect::<Result<_, _>>()?,
                scheme_headers: false,
                server: HeaderValue::parse(host_name).ok(),
            },
            append_forwarded_for,
            logs_unrouted: config.observability.as_ref().is_none_or(|wanted| wanted.access_logs),
            denied_octets: denied(config.http.encoded_characters.as_ref()),
            read_timeout: timeouts.read_timeout.positive(),
            write_timeout: timeouts.write_timeout.positive(),
            // As in Go.
            idle_timeout: match timeouts.idle_timeout.nanoseconds {
                0 => timeouts.read_timeout.positive(),
                _ => timeouts.idle_timeout.positive(),
            },
            accept_grace: life_cycle.request_accept_grace_timeout.positive().unwrap_or_default(),
            grace: life_cycle.grace_time_out.positive().unwrap_or_default(),
            max_requests: u64::try_from(config.transport.keep_alive.max_requests).unwrap_or(0),
            max_time: config.transport.keep_alive.max_time.positive(),
        })
    }
}

impl Http2Limits {
    /// As in Traefik, 0 is the default; the error names the field that is negative.
    fn compile(config: &static_config::Http2) -> Result<Self, &'static str> {
        let usual = static_config::Http2::default();
        let number = |field, written: i64, usual: i64| match written {
            0 => Ok(usual.unsigned_abs()),
            _ => u64::try_from(written).map_err(|_| field),
        };
        let streams = number(
            "http2.maxConcurrentStreams",
            config.max_concurrent_streams,
            usual.max_concurrent_streams,
        )?;
        let decoder_table = number(
            "http2.maxDecoderHeaderTableSize",
            config.max_decoder_header_table_size,
            usual.max_decoder_header_table_size,
        )?;
        let encoder_table = number(
            "http2.maxEncoderHeaderTableSize",
            config.max_encoder_header_table_size,
            usual.max_encoder_header_table_size,
        )?;
        Ok(Self {
            streams: u32::try_from(streams).unwrap_or(u32::MAX),
            decoder_table: usize::try_from(decoder_table).unwrap_or(usize::MAX),
            encoder_table: usize::try_from(encoder_table).unwrap_or(usize::MAX),
        })
    }
}

/// An address or a range of addresses. IPv4 addresses that are written as IPv6 ones (`::ffff:10.0.0.0/104`) are the
/// same, as in Go.
fn network(text: &str) -> Result<IpNet, String> {
    let invalid = || format!("`{text}` is neither an IP address nor a range such as `10.0.0.0/8`");
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    let network = text.parse::<IpNet>().or_else(|_| address()).map_err(|_| invalid())?;
    let mapped = network.prefix_len().checked_sub(MAPPED_BITS).and_then(|length| {
        let IpAddr::V4(address) = network.addr().to_canonical() else { return None };
        network.addr().is_ipv6().then(|| Ipv4Net::new(address, length).ok()).flatten()
    });
    Ok(mapped.map_or(network, IpNet::from))
}

/// What becomes of headers whose names alias others.
fn alias_headers(strategy: Option<AliasHeaders>) -> http::AliasHeaders {
    match strategy.unwrap_or_default() {
        AliasHeaders::Keep => http::AliasHeaders::Keep,
        AliasHeaders::Delete => http::AliasHeaders::Delete,
        AliasHeaders::Reject => http::AliasHeaders::Reject,
    }
}

fn denied(allowed: Option<&EncodedCharacters>) -> Vec<u8> {
    let Some(allowed) = allowed else { return Vec::new() };
    [
        (allowed.allow_encoded_slash, b'/'),
        (allowed.allow_encoded_back_slash, b'\\'),
        (allowed.allow_encoded_null_character, b'\0'),
        (allowed.allow_encoded_semicolon, b';'),
        (allowed.allow_encoded_percent, b'%'),
        (allowed.allow_encoded_question_mark, b'?'),
        (allowed.allow_encoded_hash, b'#'),
    ]
    .into_iter()
    .filter(|(allowed, _)| !allowed)
    .map(|(_, octet)| octet)
    .collect()
}

#[cfg(test)]
mod tests {
    use portway_model::static_config::{self, Address};

    use super::{EntryPoint, network};

    #[test]
    fn a_header_that_is_none_is_named() {
        let mut config = static_config::EntryPoint::new(Address::on_port(1));
        config.forwarded_headers.connection = vec!["X-Good".to_owned(), "x bad".to_owned()];
        let error = EntryPoint::compile("web", &config, true, "host").unwrap_err().to_string();
        let expected = "entryPoints.web.forwardedHeaders.connection: `x bad`: ";
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn networks_of_mapped_addresses_are_those_of_the_addresses() {
        for (text, same) in [
            ("::ffff:10.1.2.3", "10.1.2.3/32"),
            ("::ffff:7f00:1/128", "127.0.0.1/32"),
            ("::ffff:127.0.0.0/104", "127.0.0.0/8"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("10.0.0.1/8", "10.0.0.1/8"),
            ("::ffff:0:0/90", "::ffff:0.0.0.0/90"),
            ("2001:db8::/32", "2001:db8::/32"),
        ] {
            assert_eq!(network(text).unwrap().to_string(), same, "{text}");
        }
        assert!(network("nobody").is_err());
    }
}
