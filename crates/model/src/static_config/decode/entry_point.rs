//! Entry points out of a tree.

use std::net::IpAddr;

use super::group;
use crate::{
    Fields, Node, Period, Problem, Value,
    dynamic::{TraceVerbosity, decode},
    static_config::{
        Address, AliasHeaders, EncodedCharacters, EntryPoint, EntryPointHttp,
        EntryPointObservability, ForwardedHeaders, Http2, Http3, KeepAlive, LifeCycle,
        ProxyProtocol, RedirectToEntryPoint, Redirections, RespondingTimeouts, Transport, Udp,
    },
};

pub(super) fn entry_point(node: &Node, path: &str, problems: &mut Vec<Problem>) -> EntryPoint {
    let empty = Node::empty_map();
    let node = match &node.value {
        // `--entryPoints.web` and `web:` name an entry point without saying anything about it.
        Value::Null => &empty,
        Value::Scalar { text, .. } if text.eq_ignore_ascii_case("true") => &empty,
        _ => node,
    };
    let mut fields = Fields::open(node, path, problems);
    let written = fields.string("address");
    let address = Address::parse(&written);
    if let Err(error) = &address {
        let message = match written.is_empty() {
            true => "is missing; write `[host]:port`, such as `:8000`".to_owned(),
            false => error.to_string(),
        };
        fields.report("address", Problem::error, message);
    }
    let mut entry_point = EntryPoint::new(address.unwrap_or_else(|_| Address::on_port(0)));
    entry_point.allow_acme_by_pass = fields.boolean("allowACMEByPass").unwrap_or_default();
    entry_point.as_default = fields.boolean("asDefault").unwrap_or_default();
    entry_point.reuse_port = fields.boolean("reusePort").unwrap_or_default();
    entry_point.transport = group(&mut fields, "transport", transport);
    entry_point.proxy_protocol = fields.section("proxyProtocol", |node, path, problems| {
        let mut fields = Fields::open(node, path, problems);
        let insecure = fields.boolean("insecure").unwrap_or_default();
        ProxyProtocol { insecure, trusted_ips: networks(&mut fields) }
    });
    entry_point.forwarded_headers = group(&mut fields, "forwardedHeaders", forwarded_headers);
    entry_point.http = group(&mut fields, "http", http);
    entry_point.http2 = group(&mut fields, "http2", http2);
    entry_point.http3 = fields.section("http3", |node, path, problems| {
        let mut fields = Fields::open(node, path, problems);
        let port = fields.integer("advertisedPort");
        if port.is_some_and(|port| port < 0) {
            fields.report("advertisedPort", Problem::error, "is negative");
        }
        Http3 { advertised_port: port.unwrap_or_default() }
    });
    entry_point.udp = group(&mut fields, "udp", |node, path, problems| {
        let timeout = Fields::open(node, path, problems).period("timeout");
        Udp { timeout: timeout.unwrap_or(Udp::default().timeout) }
    });
    entry_point.observability = fields.section("observability", observability);
    entry_point
}

fn transport(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Transport {
    let mut fields = Fields::open(node, path, problems);
    Transport {
        life_cycle: group(&mut fields, "lifeCycle", |node, path, problems| {
            let mut times = LifeCycle::default();
            let mut fields = Fields::open(node, path, problems);
            replace(
                &mut fields,
                "requestAcceptGraceTimeout",
                &mut times.request_accept_grace_timeout,
            );
            replace(&mut fields, "graceTimeOut", &mut times.grace_time_out);
            times
        }),
        responding_timeouts: group(&mut fields, "respondingTimeouts", |node, path, problems| {
            let mut times = RespondingTimeouts::default();
            let mut fields = Fields::open(node, path, problems);
            replace(&mut fields, "readTimeout", &mut times.read_timeout);
            replace(&mut fields, "writeTimeout", &mut times.write_timeout);
            replace(&mut fields, "idleTimeout", &mut times.idle_timeout);
            times
        }),
        keep_alive: KeepAlive {
            max_time: fields.period("keepAliveMaxTime").unwrap_or_default(),
            max_requests: fields.integer("keepAliveMaxRequests").unwrap_or_default(),
        },
    }
}

fn forwarded_headers(node: &Node, path: &str, problems: &mut Vec<Problem>) -> ForwardedHeaders {
    let mut fields = Fields::open(node, path, problems);
    ForwardedHeaders {
        insecure: fields.boolean("insecure").unwrap_or_default(),
        trusted_ips: networks(&mut fields),
        connection: texts(&mut fields, "connection"),
        not_append_x_forwarded_for: fields.boolean("notAppendXForwardedFor").unwrap_or_default(),
    }
}

/// The valid ones of `trustedIPs`; the others are reported.
fn networks(fields: &mut Fields<'_>) -> Vec<String> {
    let (valid, faulty): (Vec<_>, Vec<_>) =
        texts(fields, "trustedIPs").into_iter().partition(|text| is_network(text));
    for text in faulty {
        let message = format!(
            "expected addresses such as `10.0.0.1` or networks such as `10.0.0.0/8`, found `{text}`"
        );
        fields.report("trustedIPs", Problem::error, message);
    }
    valid
}

fn is_network(text: &str) -> bool {
    let (address, prefix) = match text.split_once('/') {
        None => return text.parse::<IpAddr>().is_ok(),
        Some(parts) => parts,
    };
    let longest = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    let digits = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
    digits && prefix.parse::<u8>().is_ok_and(|length| length <= longest)
}

fn http(node: &Node, path: &str, problems: &mut Vec<Problem>) -> EntryPointHttp {
    let default = EntryPointHttp::default();
    let mut fields = Fields::open(node, path, problems);
    let (underscores, aliases) = name_strategies(&mut fields);
    EntryPointHttp {
        redirections: fields.section("redirections", |node, path, problems| Redirections {
            entry_point: Fields::open(node, path, problems)
                .section("entryPoint", redirect_to_entry_point),
        }),
        middlewares: texts(&mut fields, "middlewares"),
        tls: fields.section("tls", decode::router_tls),
        encoded_characters: fields.section("encodedCharacters", encoded_characters),
        encode_query_semicolons: fields.boolean("encodeQuerySemicolons").unwrap_or_default(),
        sanitize_path: fields.boolean("sanitizePath").unwrap_or(default.sanitize_path),
        max_header_bytes: fields.integer("maxHeaderBytes").unwrap_or(default.max_header_bytes),
        underscore_headers_strategy: underscores,
        alias_headers_strategy: aliases,
    }
}

/// What becomes of headers with `_` in their names, and of those that a server may take for another; not two things
/// at once.
fn name_strategies(fields: &mut Fields<'_>) -> (Option<AliasHeaders>, Option<AliasHeaders>) {
    let strategies = [
        ("keep", AliasHeaders::Keep),
        ("delete", AliasHeaders::Delete),
        ("reject", AliasHeaders::Reject),
    ];
    let underscores = word(fields, "underscoreHeadersStrategy", &strategies);
    let aliases = word(fields, "aliasHeadersStrategy", &strategies);
    if underscores.is_some() && aliases.is_some() && underscores != aliases {
        let message = "has another value than `underscoreHeadersStrategy`; an entry point cannot have both, unless \
                       they are equal";
        fields.report("aliasHeadersStrategy", Problem::error, message);
    }
    (underscores, aliases)
}

fn redirect_to_entry_point(
    node: &Node,
    path: &str,
    problems: &mut Vec<Problem>,
) -> RedirectToEntryPoint {
    let default = RedirectToEntryPoint::default();
    let mut fields = Fields::open(node, path, problems);
    let to = fields.string("to");
    if to.is_empty() {
        fields.report("to", Problem::error, "is missing; name an entry point or write `:port`");
    }
    let scheme = fields.present("scheme").is_some().then(|| fields.string("scheme"));
    if scheme.as_deref() == Some("") {
        fields.report("scheme", Problem::error, "is empty; write `https` or `http`");
    }
    RedirectToEntryPoint {
        to,
        scheme: scheme.unwrap_or(default.scheme),
        permanent: fields.boolean("permanent").unwrap_or(default.permanent),
        priority: fields.integer("priority").unwrap_or(default.priority),
    }
}

fn encoded_characters(node: &Node, path: &str, problems: &mut Vec<Problem>) -> EncodedCharacters {
    let mut fields = Fields::open(node, path, problems);
    let mut allowed = |name| fields.boolean(name).unwrap_or(true);
    EncodedCharacters {
        allow_encoded_slash: allowed("allowEncodedSlash"),
        allow_encoded_back_slash: allowed("allowEncodedBackSlash"),
        allow_encoded_null_character: allowed("allowEncodedNullCharacter"),
        allow_encoded_semicolon: allowed("allowEncodedSemicolon"),
        allow_encoded_percent: allowed("allowEncodedPercent"),
        allow_encoded_question_mark: allowed("allowEncodedQuestionMark"),
        allow_encoded_hash: allowed("allowEncodedHash"),
    }
}

fn http2(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Http2 {
    let default = Http2::default();
    let mut fields = Fields::open(node, path, problems);
    let mut number = |name, default| {
        let parse = |text: &str| text.parse::<i32>().ok().map(i64::from);
        fields.scalar(name, "a whole number of 32 bits", parse).unwrap_or(default)
    };
    Http2 {
        max_concurrent_streams: number("maxConcurrentStreams", default.max_concurrent_streams),
        max_decoder_header_table_size: number(
            "maxDecoderHeaderTableSize",
            default.max_decoder_header_table_size,
        ),
        max_encoder_header_table_size: number(
            "maxEncoderHeaderTableSize",
            default.max_encoder_header_table_size,
        ),
    }
}

fn observability(node: &Node, path: &str, problems: &mut Vec<Problem>) -> EntryPointObservability {
    let mut fields = Fields::open(node, path, problems);
    let trace_verbosity = fields.choice("traceVerbosity", &TraceVerbosity::NAMES);
    let mut wanted = |name| fields.boolean(name).unwrap_or(true);
    EntryPointObservability {
        access_logs: wanted("accessLogs"),
        metrics: wanted("metrics"),
        tracing: wanted("tracing"),
        trace_verbosity: trace_verbosity.unwrap_or_default(),
    }
}

fn replace(fields: &mut Fields<'_>, name: &'static str, period: &mut Period) {
    *period = fields.period(name).unwrap_or(*period);
}

/// One of a few words; an empty one is none.
fn word<T: Copy>(fields: &mut Fields<'_>, name: &'static str, words: &[(&str, T)]) -> Option<T> {
    let is_empty = fields.node(name).and_then(Node::as_text) == Some("");
    if is_empty { None } else { fields.choice(name, words) }
}

/// A list of texts. In a file, too, blanks around one are not part of it.
fn texts(fields: &mut Fields<'_>, name: &'static str) -> Vec<String> {
    let mut texts = fields.strings(name);
    for text in &mut texts {
        if text.trim().len() < text.len() {
            *text = text.trim().to_owned();
        }
    }
    texts
}
