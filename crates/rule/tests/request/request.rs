//! A request for tests.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::net::IpAddr;

use portway_rule::Subject;

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) host: String,
    pub(crate) path: Vec<u8>,
    pub(crate) method: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) query: String,
    pub(crate) client: Option<IpAddr>,
}

impl Request {
    /// `GET` of `host/path?query`.
    pub(crate) fn new(target: &str) -> Self {
        let (before, query) = target.split_once('?').unwrap_or((target, ""));
        let (host, path) = before.split_at(before.find('/').unwrap_or(before.len()));
        Self {
            host: host.to_owned(),
            path: path.as_bytes().to_vec(),
            method: "GET".to_owned(),
            headers: Vec::new(),
            query: query.to_owned(),
            client: Some(IpAddr::from([192, 0, 2, 1])),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn method(mut self, method: &str) -> Self {
        self.method = method.to_owned();
        self
    }

    pub(crate) fn client(mut self, address: &str) -> Self {
        self.client = address.parse().ok();
        self
    }
}

impl Subject for Request {
    fn host(&self) -> &str {
        &self.host
    }

    fn path(&self) -> &[u8] {
        &self.path
    }

    fn method(&self) -> &[u8] {
        self.method.as_bytes()
    }

    fn any_header(&self, name: &str, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.headers.iter().any(|(key, value)| key == name && test(value.as_bytes()))
    }

    fn query(&self) -> &[u8] {
        self.query.as_bytes()
    }

    fn client_ip(&self) -> Option<IpAddr> {
        self.client
    }
}
