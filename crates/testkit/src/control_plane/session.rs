//! A connection to the API server: for what kubectl is too slow for.

use std::net::SocketAddr;

use serde_json::Value;

use crate::client::{Client, Response, Tls};

/// How a change is written: RFC 7396.
const MERGE: &str = "application/merge-patch+json";

/// A connection as one user; thousands of requests cost seconds, where kubectl takes a process for each.
#[derive(Debug)]
pub struct Session {
    address: SocketAddr,
    client: Client,
    token: String,
}

impl Session {
    pub(super) fn new(address: SocketAddr, token: &str) -> Self {
        let client = connect(address);
        Self { address, client, token: token.to_owned() }
    }

    /// Makes an object; `resource` is the path of its resource, such as `/api/v1/namespaces/default/services`.
    ///
    /// # Panics
    /// When the API server refuses it.
    #[track_caller]
    pub fn create(&mut self, resource: &str, object: &Value) {
        let object = object.to_string();
        self.expect(&[200, 201], "POST", resource, "application/json", &object);
    }

    /// Changes an object; `path` is its own.
    ///
    /// # Panics
    /// When the API server refuses that.
    #[track_caller]
    pub fn merge(&mut self, path: &str, change: &Value) {
        self.expect(&[200], "PATCH", path, MERGE, &change.to_string());
    }

    /// Deletes an object, if it is there.
    ///
    /// # Panics
    /// When the API server refuses that.
    #[track_caller]
    pub fn delete(&mut self, path: &str) {
        self.expect(&[200, 404], "DELETE", path, "application/json", "");
    }

    /// Sends a request and reads its answer. One that was lost with an idle connection is sent again.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn send(&mut self, method: &str, path: &str, kind: &str, body: &str) -> Response {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {}\r\n\
             Accept: application/json\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        self.client.ask(&request).unwrap_or_else(|_| {
            self.client = connect(self.address);
            let answer = self.client.ask(&request);
            answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
        })
    }

    #[track_caller]
    fn expect(&mut self, statuses: &[u16], method: &str, path: &str, kind: &str, body: &str) {
        let answer = self.send(method, path, kind, body);
        let text = answer.text();
        assert!(statuses.contains(&answer.status), "{method} {path}: {text}\n{body}");
    }
}

#[track_caller]
fn connect(address: SocketAddr) -> Client {
    Client::connect_tls(address, &Tls::anonymous()).expect("an API server")
}
