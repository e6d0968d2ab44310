//! What the tests of this crate share.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::OnceLock;
use std::time::Instant;

use portway_http::{HeaderName, Headers, Method, Request};
use portway_model::Problem;

use portway_tls::NativeRoots;

use crate::{Context, Origin, PasswordPool};

/// A request with these fields, as an entry point hands it to routers.
pub(crate) fn request(method: &str, uri: &str, host: &str, fields: &[(&str, &str)]) -> Request {
    let mut request = Request::new();
    request.method = Method::parse(method.as_bytes()).unwrap();
    request.target.set_path_and_query(uri.as_bytes()).unwrap();
    assert!(request.set_authority(host));
    for (name, value) in fields {
        request.headers.append(HeaderName::parse(name).unwrap(), value);
    }
    request.canonicalize(&portway_http::CanonicalRules::default()).unwrap();
    request
}

pub(crate) fn get(uri: &str, fields: &[(&str, &str)]) -> Request {
    request("GET", uri, "a.test", fields)
}

pub(crate) fn pool() -> &'static PasswordPool {
    static POOL: OnceLock<PasswordPool> = OnceLock::new();
    POOL.get_or_init(|| PasswordPool::new(2, 64).unwrap())
}

/// Where middlewares of tests come from.
pub(crate) fn origin() -> Origin<'static> {
    static NOBODY: OnceLock<NativeRoots> = OnceLock::new();
    Origin { name: "test@file", authorities: NOBODY.get_or_init(|| NativeRoots::new(Vec::new())) }
}

/// A context of a plain connection.
pub(crate) fn context() -> Context<'static> {
    Context::new(false, IpAddr::V4(Ipv4Addr::LOCALHOST), Instant::now(), pool())
}

/// Fields as `Name: value`, in order.
pub(crate) fn listed(headers: &Headers) -> Vec<String> {
    let shown = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    headers.iter().map(|field| format!("{}: {}", field.name, shown(field.value))).collect()
}

/// Problems as `severity field: message`.
pub(crate) fn shown(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(|problem| format!("{:?} {problem}", problem.severity)).collect()
}
