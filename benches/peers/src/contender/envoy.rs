//! Envoy, without request identifiers and its own fields.

use std::{fs, process::Command};

use anyhow::Result;
use serde_json::{Value, json};

use super::{HOST, PREFIX, Place, Setup, host_of};

const TYPES: &str = "type.googleapis.com/envoy.extensions";

pub(super) fn prepare(place: &Place<'_>, command: &mut Command) -> Result<()> {
    let hosts: Vec<String> = match place.setup {
        Setup::Routers(count) => (0..count).map(host_of).collect(),
        _ => vec![HOST.to_owned()],
    };
    let configuration = json!({
        "static_resources": {
            "listeners": [
                listener("plain", place.plain, place, &hosts, None),
                listener("tls", place.tls, place, &hosts, Some(transport(place)?)),
            ],
            "clusters": [cluster(place)],
        },
    });
    let file = place.write("envoy.json", &serde_json::to_string(&configuration)?)?;
    command.arg("-c").arg(file);
    command.args(["--concurrency", "1", "--disable-hot-restart", "-l", "error"]);
    Ok(())
}

fn listener(
    name: &str,
    port: u16,
    place: &Place<'_>,
    hosts: &[String],
    transport: Option<Value>,
) -> Value {
    let virtual_hosts: Vec<Value> = hosts
        .iter()
        .map(|host| {
            json!({
                "name": host, "domains": [host],
                "routes": [{"match": {"prefix": PREFIX}, "route": {"cluster": "app", "timeout": "0s"}}],
            })
        })
        .collect();
    let hostname = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let field = |name: &str, value: &str| {
        json!({
            "header": {"key": name, "value": value},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        })
    };
    let http2 = match transport {
        Some(_) => place.setup == Setup::Http2,
        None => place.setup == Setup::Grpc,
    };
    let mut manager = json!({
        "@type": format!("{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": name,
        "codec_type": if http2 { "HTTP2" } else { "HTTP1" },
        "use_remote_address": true,
        "generate_request_id": false,
        "stream_idle_timeout": "0s",
        "http_filters": [{
            "name": "router",
            "typed_config": {"@type": format!("{TYPES}.filters.http.router.v3.Router"), "suppress_envoy_headers": true},
        }],
        "route_config": {
            "virtual_hosts": virtual_hosts,
            "request_headers_to_add": [
                field("X-Forwarded-Host", "%REQ(:authority)%"),
                field("X-Forwarded-Port", "%DOWNSTREAM_LOCAL_PORT%"),
                field("X-Forwarded-Server", hostname.trim()),
                field("X-Real-Ip", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"),
            ],
        },
    });
    if let (Setup::AccessLog, Some(members)) = (place.setup, manager.as_object_mut()) {
        members.insert("access_log".to_owned(), json!([access_log(place)]));
    }
    let mut chain = json!({"filters": [{"name": "http", "typed_config": manager}]});
    if let (Some(transport), Some(members)) = (transport, chain.as_object_mut()) {
        members.insert("transport_socket".to_owned(), transport);
    }
    json!({"name": name, "address": address("127.0.0.1", port), "filter_chains": [chain]})
}

fn access_log(place: &Place<'_>) -> Value {
    json!({
        "name": "file",
        "typed_config": {
            "@type": format!("{TYPES}.access_loggers.file.v3.FileAccessLog"),
            "path": format!("{}/access.log", place.folder()),
            "log_format": {"json_format": {
                "time": "%START_TIME%",
                "ClientAddr": "%DOWNSTREAM_REMOTE_ADDRESS%",
                "RequestMethod": "%REQ(:METHOD)%",
                "RequestHost": "%REQ(:AUTHORITY)%",
                "RequestPath": "%REQ(:PATH)%",
                "RequestProtocol": "%PROTOCOL%",
                "RequestScheme": "%REQ(X-FORWARDED-PROTO)%",
                "DownstreamStatus": "%RESPONSE_CODE%",
                "DownstreamContentSize": "%BYTES_SENT%",
                "Duration": "%DURATION%",
                "OriginDuration": "%RESPONSE_DURATION%",
                "OriginStatus": "%RESPONSE_CODE_DETAILS%",
                "ServiceAddr": "%UPSTREAM_HOST%",
                "UserAgent": "%REQ(USER-AGENT)%",
                "Referer": "%REQ(REFERER)%",
            }},
        },
    })
}

fn transport(place: &Place<'_>) -> Result<Value> {
    let chain = fs::read_to_string(place.certificate.chain())?;
    let key = fs::read_to_string(place.certificate.key())?;
    Ok(json!({
        "name": "tls",
        "typed_config": {
            "@type": format!("{TYPES}.transport_sockets.tls.v3.DownstreamTlsContext"),
            "common_tls_context": {
                "alpn_protocols": if place.setup == Setup::Http2 { json!(["h2"]) } else { json!([]) },
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"},
                "tls_certificates": [{
                    "certificate_chain": {"inline_string": chain},
                    "private_key": {"inline_string": key},
                }],
            },
        },
    }))
}

fn cluster(place: &Place<'_>) -> Value {
    let mut cluster = json!({
        "name": "app",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": "app",
            "endpoints": [{"lb_endpoints": [{"endpoint": {
                "address": address(&place.backend.ip().to_string(), place.backend.port()),
            }}]}],
        },
    });
    if let (Setup::Grpc, Some(members)) = (place.setup, cluster.as_object_mut()) {
        let options = json!({
            "@type": format!("{TYPES}.upstreams.http.v3.HttpProtocolOptions"),
            "explicit_http_config": {"http2_protocol_options": {}},
        });
        let name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
        members.insert("typed_extension_protocol_options".to_owned(), json!({name: options}));
    }
    cluster
}

fn address(address: &str, port: u16) -> Value {
    json!({"socket_address": {"address": address, "port_value": port}})
}
