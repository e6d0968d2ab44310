//! The least proxy on Pingora that does what the other contenders do: one rule of host and path prefix,
//! six forwarded fields, kept server connections, one thread.

use std::{env, fs, process::exit};

use async_trait::async_trait;
use pingora::{
    Result,
    apps::HttpServerOptions,
    http::RequestHeader,
    listeners::tls::TlsSettings,
    proxy::{ProxyHttp, Session, http_proxy_service},
    server::{Server, configuration::ServerConf},
    upstreams::peer::HttpPeer,
};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--version"] => println!("{}", env!("CARGO_PKG_VERSION")),
        [plain, tls, backend, host, prefix, chain, key, protocol @ ..] => {
            let hostname = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            let proxy = Proxy {
                backend: (*backend).to_owned(),
                host: (*host).to_owned(),
                prefix: (*prefix).to_owned(),
                hostname: hostname.trim().to_owned(),
                grpc: protocol == ["grpc"],
            };
            serve(proxy, plain, tls, chain, key, protocol == ["h2"]);
        }
        _ => {
            // `h2`: HTTP/2 over TLS; `grpc`: HTTP/2 by prior knowledge without TLS and to the backend.
            eprintln!("pingora PLAIN TLS BACKEND HOST PREFIX CHAIN KEY [h2 | grpc]");
            exit(2);
        }
    }
}

fn serve(proxy: Proxy, plain: &str, tls: &str, chain: &str, key: &str, http2: bool) {
    let configuration = ServerConf {
        threads: 1,
        work_stealing: false,
        upstream_keepalive_pool_size: 1024,
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, configuration);
    server.bootstrap();
    let grpc = proxy.grpc;
    let mut service = http_proxy_service(&server.configuration, proxy);
    if let Some(proxy) = service.app_logic_mut().filter(|_| grpc) {
        let mut options = HttpServerOptions::default();
        options.h2c = true;
        proxy.server_options = Some(options);
    }
    service.add_tcp(plain);
    let mut settings =
        TlsSettings::intermediate(chain, key).expect("certificate and key can be read");
    if http2 {
        settings.enable_h2();
    }
    service.add_tls_with_settings(tls, None, settings);
    server.add_service(service);
    server.run_forever();
}

struct Proxy {
    backend: String,
    host: String,
    prefix: String,
    hostname: String,
    /// HTTP/2 by prior knowledge on both sides.
    grpc: bool,
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = ();

    fn new_ctx(&self) {}

    async fn request_filter(&self, session: &mut Session, (): &mut ()) -> Result<bool> {
        let request = session.req_header();
        let host = request.headers.get("host").map(|host| host.as_bytes());
        // Of HTTP/2 it stands in the address.
        let host = host.or_else(|| request.uri.host().map(str::as_bytes));
        let fits = host == Some(self.host.as_bytes())
            && request.raw_path().starts_with(self.prefix.as_bytes());
        if !fits {
            session.respond_error(404).await?;
        }
        Ok(!fits)
    }

    async fn upstream_peer(&self, _: &mut Session, (): &mut ()) -> Result<Box<HttpPeer>> {
        let mut peer = HttpPeer::new(self.backend.as_str(), false, String::new());
        if self.grpc {
            peer.options.set_http_version(2, 2);
        }
        Ok(Box::new(peer))
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        request: &mut RequestHeader,
        (): &mut (),
    ) -> Result<()> {
        let client = session.client_addr().and_then(|address| address.as_inet());
        let client = client.map(|address| address.ip().to_string()).unwrap_or_default();
        let port = session.server_addr().and_then(|address| address.as_inet());
        let port = port.map(|address| address.port().to_string()).unwrap_or_default();
        let secure = session.digest().is_some_and(|digest| digest.ssl_digest.is_some());
        request.insert_header("X-Forwarded-For", &client)?;
        request.insert_header("X-Forwarded-Host", &self.host)?;
        request.insert_header("X-Forwarded-Port", port)?;
        request.insert_header("X-Forwarded-Proto", if secure { "https" } else { "http" })?;
        request.insert_header("X-Forwarded-Server", &self.hostname)?;
        request.insert_header("X-Real-Ip", client)?;
        Ok(())
    }
}
