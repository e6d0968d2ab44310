//! HAProxy, with server connections shared by all clients.

use std::{fmt::Write as _, process::Command};

use anyhow::Result;

use super::{HOST, PREFIX, Place, Setup, host_of};

pub(super) fn prepare(place: &Place<'_>, command: &mut Command) -> Result<()> {
    let certificate = place.certificate.combined();
    let mut rule = format!("{{ hdr(host) -i {HOST} }} {{ path_beg {PREFIX} }}");
    if let Setup::Routers(count) = place.setup {
        let mut hosts = String::new();
        for router in 0..count {
            writeln!(hosts, "{} app", host_of(router))?;
        }
        let map = place.write("hosts.map", &hosts)?;
        let map = map.to_string_lossy();
        rule = format!("{{ hdr(host),lower,map({map}) -m found }} {{ path_beg {PREFIX} }}");
    }
    let (by_plain, to_backend) = match place.setup {
        Setup::Grpc => (" proto h2", " proto h2"),
        _ => ("", ""),
    };
    let protocol = if place.setup == Setup::Http2 { "h2" } else { "http/1.1" };
    // It would insist on two files for each connection; idle ones have one.
    let text = format!(
        "global
  nbthread 1
  maxconn 16000
  no strict-limits
defaults
  mode http
  http-reuse always
  timeout connect 10s
  timeout client 3600s
  timeout server 3600s
  timeout http-keep-alive 3600s
frontend web
  maxconn 16000
  bind 127.0.0.1:{plain} backlog 4096{by_plain}
  bind 127.0.0.1:{tls} backlog 4096 ssl crt {certificate} ssl-min-ver TLSv1.3 alpn {protocol}
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}
  http-request set-header X-Forwarded-Proto http unless {{ ssl_fc }}
  http-request set-header X-Forwarded-Server %[hostname]
  http-request set-header X-Real-Ip %[src]
  use_backend app if {rule}
backend app
  server backend {backend} pool-purge-delay 3600s{to_backend}
",
        plain = place.plain,
        tls = place.tls,
        certificate = certificate.display(),
        backend = place.backend,
    );
    let file = place.write("haproxy.cfg", &text)?;
    command.args(["-db", "-f"]).arg(file);
    Ok(())
}
