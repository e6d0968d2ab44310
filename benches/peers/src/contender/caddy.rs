//! Caddy, without its administration and its own certificates.

use std::process::Command;

use anyhow::Result;

use super::{HOST, PREFIX, Place, Setup};

pub(super) fn prepare(place: &Place<'_>, command: &mut Command) -> Result<()> {
    let folder = place.folder();
    let log = match place.setup {
        Setup::AccessLog => format!(
            "  log {{\n    output file {folder}/access.log {{\n      roll_disabled\n    }}\n    format json\n  }}\n"
        ),
        _ => String::new(),
    };
    let (protocols, backend_protocol) = match place.setup {
        Setup::Http2 => ("h1 h2", ""),
        Setup::Grpc => ("h1 h2c", "        versions h2c\n"),
        _ => ("h1", ""),
    };
    let text = format!(
        "{{
  admin off
  auto_https off
  persist_config off
  storage file_system {folder}/storage
  log default {{
    level ERROR
  }}
  servers {{
    protocols {protocols}
  }}
}}
(site) {{
  bind 127.0.0.1
{log}  handle {PREFIX}* {{
    reverse_proxy {backend} {{
      header_up X-Forwarded-Port {{http.request.local.port}}
      header_up X-Forwarded-Server {{system.hostname}}
      header_up X-Real-Ip {{http.request.remote.host}}
      transport http {{
{backend_protocol}        keepalive 1h
        keepalive_idle_conns 1024
        keepalive_idle_conns_per_host 1024
        compression off
      }}
    }}
  }}
}}
http://{HOST}:{plain} {{
  import site
}}
https://{HOST}:{tls} {{
  tls {chain} {key} {{
    protocols tls1.3
  }}
  import site
}}
",
        plain = place.plain,
        tls = place.tls,
        backend = place.backend,
        chain = place.certificate.chain().display(),
        key = place.certificate.key().display(),
    );
    let file = place.write("Caddyfile", &text)?;
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
    command
        .env("GOMAXPROCS", "1")
        .env("XDG_CONFIG_HOME", place.folder)
        .env("XDG_DATA_HOME", place.folder);
    Ok(())
}
