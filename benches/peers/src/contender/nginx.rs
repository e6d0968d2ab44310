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
  proxy_http_version 1.1;
  proxy_set_header Connection \"\";
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Host $http_host;
  proxy_set_header X-Forwarded-Port $server_port;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Forwarded-Server $hostname;
  proxy_set_header X-Real-Ip $remote_addr;
",
        backend = place.backend,
    );
    text.push_str(&logging(place));
    let (plain, tls) = (place.plain, place.tls);
    if let Setup::Routers(count) = place.setup {
        text.push_str("  server_names_hash_max_size 65536; server_names_hash_bucket_size 128;\n");
        for router in 0..count {
            let host = host_of(router);
            writeln!(
                text,
                "  server {{ listen 127.0.0.1:{plain}; server_name {host}; location {PREFIX} {{ proxy_pass http://app; }} }}"
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
            "  server {{ listen 127.0.0.1:{plain}; listen 127.0.0.1:{tls} ssl; server_name {HOST}; location {PREFIX} {{ proxy_pass http://app; }} }}"
        )?;
    }
    writeln!(text, "  server {{ listen 127.0.0.1:{plain} default_server; return 404; }}\n}}")?;
    Ok(text)
}

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
