//! nginx, with its defaults but for what all contenders share.

use std::{fmt::Write as _, process::Command};

use anyhow::Result;

use super::{HOST, PREFIX, Place, Setup, host_of};

pub(super) fn prepare(place: &Place<'_>, command: &mut Command) -> Result<()> {
    let configuration = place.write("nginx.conf", &configuration(place)?)?;
    command.arg("-p").arg(place.folder).arg("-c").arg(configuration);
    command.args(["-e", "error.log"]);
    Ok(())
}

fn configuration(place: &Place<'_>) -> Result<String> {
    let folder = place.folder();
    let mut text = format!(
        "daemon off; worker_processes 1; worker_rlimit_nofile 20000; user root root;
pid {folder}/nginx.pid; error_log {folder}/error.log error;
events {{ worker_connections 16384; }}
http {{
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  keepalive_timeout 3600s; keepalive_requests 1000000000;
  upstream app {{
    server {backend}; keepalive 1024; keepalive_requests 1000000000; keepalive_timeout 3600s;
  }}
",
        backend = place.backend,
    );
    let (set, pass) = match place.setup {
        Setup::Grpc => ("grpc_set_header", "grpc_pass grpc://app"),
        _ => ("proxy_set_header", "proxy_pass http://app"),
    };
    if place.setup != Setup::Grpc {
        text.push_str("  proxy_http_version 1.1;\n  proxy_set_header Connection \"\";\n");
    }
    for (name, value) in FIELDS {
        writeln!(text, "  {set} {name} {value};")?;
    }
    text.push_str(&logging(place));
    let (plain, tls) = (place.plain, place.tls);
    let by_plain = if place.setup == Setup::Grpc { " http2" } else { "" };
    let by_tls = if place.setup == Setup::Http2 { " http2" } else { "" };
    if let Setup::Routers(count) = place.setup {
        text.push_str("  server_names_hash_max_size 65536; server_names_hash_bucket_size 128;\n");
        for router in 0..count {
            let host = host_of(router);
            writeln!(
                text,
                "  server {{ listen 127.0.0.1:{plain}; server_name {host}; location {PREFIX} {{ {pass}; }} }}"
            )?;
        }
    } else {
        let (chain, key) = (place.certificate.chain(), place.certificate.key());
        // Here and not above: every server that inherits a certificate loads it for itself.
        writeln!(
            text,
            "  ssl_protocols TLSv1.3; ssl_certificate {}; ssl_certificate_key {};",
            chain.display(),
            key.display()
        )?;
        writeln!(
            text,
            "  server {{ listen 127.0.0.1:{plain}{by_plain}; listen 127.0.0.1:{tls} ssl{by_tls}; server_name {HOST}; location {PREFIX} {{ {pass}; }} }}"
        )?;
    }
    writeln!(
        text,
        "  server {{ listen 127.0.0.1:{plain} default_server{by_plain}; return 404; }}\n}}"
    )?;
    Ok(text)
}

/// What the backend is told.
const FIELDS: [(&str, &str); 7] = [
    ("Host", "$http_host"),
    ("X-Forwarded-For", "$proxy_add_x_forwarded_for"),
    ("X-Forwarded-Host", "$http_host"),
    ("X-Forwarded-Port", "$server_port"),
    ("X-Forwarded-Proto", "$scheme"),
    ("X-Forwarded-Server", "$hostname"),
    ("X-Real-Ip", "$remote_addr"),
];

fn logging(place: &Place<'_>) -> String {
    if place.setup != Setup::AccessLog {
        return "  access_log off;\n".to_owned();
    }
    let fields = [
        ("time", "$time_iso8601"),
        ("ClientAddr", "$remote_addr:$remote_port"),
        ("RequestMethod", "$request_method"),
        ("RequestHost", "$host"),
        ("RequestPath", "$request_uri"),
        ("RequestProtocol", "$server_protocol"),
        ("RequestScheme", "$scheme"),
        ("DownstreamStatus", "$status"),
        ("DownstreamContentSize", "$body_bytes_sent"),
        ("Duration", "$request_time"),
        ("OriginDuration", "$upstream_response_time"),
        ("OriginStatus", "$upstream_status"),
        ("ServiceAddr", "$upstream_addr"),
        ("UserAgent", "$http_user_agent"),
        ("Referer", "$http_referer"),
    ];
    let members = fields.map(|(name, value)| format!("\"{name}\":\"{value}\"")).join(",");
    let folder = place.folder();
    format!(
        "  log_format bench escape=json '{{{members}}}';\n  access_log {folder}/access.log bench buffer=64k flush=1s;\n"
    )
}
