//! Portway and Traefik: the same options and the same file, but for the number of workers.

use std::{fmt::Write as _, fs, process::Command};

use anyhow::Result;
use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::{HOST, PREFIX, Place, Setup, host_of};

/// The user of the guarded router.
const USER: &str = "bench";

/// The user's password.
const PASSWORD: &str = "correct horse";

/// The path prefix of the guarded router.
pub(crate) const GUARDED_PREFIX: &str = "/guarded";

/// What most requests of a public site meet; none of it turns one away.
const CHAIN: &str = r#"
    near: {ipAllowList: {sourceRange: ["127.0.0.0/8", "10.0.0.0/8"]}}
    rate: {rateLimit: {average: 1000000, burst: 1000000}}
    most: {inFlightReq: {amount: 10000}}
    fields: {headers: {frameDeny: true, contentTypeNosniff: true, stsSeconds: 60, customRequestHeaders: {X-Bench: "1"}}}
    strip: {stripPrefix: {prefixes: [/app]}}
    add: {addPrefix: {prefix: /app}}
    compress: {compress: {}}
    retry: {retry: {attempts: 2}}
    breaker: {circuitBreaker: {expression: "NetworkErrorRatio() > 0.9"}}
"#;

/// Their order.
const CHAINED: &str = "near, rate, most, fields, strip, add, compress, retry, breaker";

/// What a client sends as Authorization to the guarded router.
pub(crate) fn credentials() -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}")))
}

pub(super) fn prepare(place: &Place<'_>, command: &mut Command, portway: bool) -> Result<()> {
    let dynamic = place.folder.join("dynamic");
    fs::create_dir_all(&dynamic)?;
    fs::write(dynamic.join("routers.yml"), routers(place)?)?;
    fs::write(dynamic.join("tls.yml"), certificates(place))?;
    let mut options = format!(
        "entryPoints:
  web: {{address: \"127.0.0.1:{plain}\"}}
  websecure: {{address: \"127.0.0.1:{tls}\"}}
providers:
  file: {{directory: \"{dynamic}\"}}
log: {{level: ERROR}}
",
        plain = place.plain,
        tls = place.tls,
        dynamic = dynamic.display(),
    );
    if place.setup == Setup::AccessLog {
        let folder = place.folder();
        writeln!(options, "accessLog: {{format: json, filePath: \"{folder}/access.log\"}}")?;
    }
    if portway {
        options.push_str("workers: 1\n");
    } else {
        options.push_str("global: {checkNewVersion: false, sendAnonymousUsage: false}\n");
        command.env("GOMAXPROCS", "1");
    }
    let file = place.write("options.yml", &options)?;
    command.arg(format!("--configFile={}", file.to_string_lossy()));
    Ok(())
}

fn routers(place: &Place<'_>) -> Result<String> {
    let mut text = "http:\n  routers:\n".to_owned();
    let mut router = |name: &str, rest: &str, host: &str, prefix: &str| {
        let rule = format!("Host(`{host}`) && PathPrefix(`{prefix}`)");
        writeln!(text, "    {name}: {{rule: \"{rule}\", service: app, {rest}}}")
    };
    if let Setup::Routers(count) = place.setup {
        for number in 0..count {
            router(&format!("r{number}"), "entryPoints: [web]", &host_of(number), PREFIX)?;
        }
    } else {
        let chained = if place.setup == Setup::Chain { CHAINED } else { "" };
        let chain = format!("middlewares: [{chained}]");
        router("plain", &format!("entryPoints: [web], {chain}"), HOST, PREFIX)?;
        router("tls", &format!("entryPoints: [websecure], tls: {{}}, {chain}"), HOST, PREFIX)?;
    }
    if place.setup == Setup::Guarded {
        let rest = "entryPoints: [web], middlewares: [password]";
        router("guarded", rest, HOST, GUARDED_PREFIX)?;
        let hash = bcrypt::hash(PASSWORD, 12)?;
        writeln!(
            text,
            "  middlewares:\n    password: {{basicAuth: {{users: [\"{USER}:{hash}\"]}}}}"
        )?;
    }
    if place.setup == Setup::Chain {
        write!(text, "  middlewares:{CHAIN}")?;
    }
    let scheme = if place.setup == Setup::Grpc { "h2c" } else { "http" };
    let backend = place.backend;
    writeln!(
        text,
        "  services:\n    app: {{loadBalancer: {{servers: [{{url: \"{scheme}://{backend}\"}}]}}}}"
    )?;
    Ok(text)
}

fn certificates(place: &Place<'_>) -> String {
    format!(
        "tls:
  certificates:
    - {{certFile: \"{chain}\", keyFile: \"{key}\"}}
  options:
    default: {{minVersion: VersionTLS13}}
",
        chain = place.certificate.chain().display(),
        key = place.certificate.key().display(),
    )
}
