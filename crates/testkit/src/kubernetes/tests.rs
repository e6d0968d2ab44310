mod access;
mod churn;
mod faults;
mod informer;
mod lists;
mod watches;
mod writes;

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use super::ApiServer;
use crate::client::{Client, Response};

const TRAEFIK: &str = "traefik.io/v1alpha1";
const MIDDLEWARES: &str = "/apis/traefik.io/v1alpha1/namespaces/default/middlewares";
const MERGE: &str = "application/merge-patch+json";

/// A server that knows Middlewares.
fn server() -> ApiServer {
    let server = ApiServer::start();
    server.install(TRAEFIK, "Middleware", "middlewares", true);
    server
}

fn middleware(name: &str, team: &str) -> Value {
    json!({
        "apiVersion": TRAEFIK,
        "kind": "Middleware",
        "metadata": { "name": name, "namespace": "default", "labels": { "team": team } },
        "spec": { "stripPrefix": { "prefixes": ["/api"] } },
    })
}

fn address(server: &ApiServer) -> SocketAddr {
    server.url().trim_start_matches("http://").parse().unwrap()
}

/// One request on its own connection.
fn exchange(
    server: &ApiServer,
    method: &str,
    target: &str,
    fields: &str,
    body: &str,
) -> std::io::Result<Response> {
    Client::connect(address(server))?.ask(format!(
        "{method} {target} HTTP/1.1\r\nHost: kubernetes\r\n{fields}Content-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

/// The status and the body as JSON.
fn send(
    server: &ApiServer,
    method: &str,
    target: &str,
    content_type: &str,
    body: &Value,
) -> (u16, Value) {
    let fields = format!("Content-Type: {content_type}\r\n");
    let response = exchange(server, method, target, &fields, &body.to_string()).unwrap();
    (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
}

fn get(server: &ApiServer, target: &str) -> (u16, Value) {
    let response = exchange(server, "GET", target, "", "").unwrap();
    (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect()
}

fn version(object: &Value) -> &str {
    object["metadata"]["resourceVersion"].as_str().unwrap()
}

/// An open watch, read line by line.
struct Lines {
    reader: BufReader<TcpStream>,
    /// The rest of the chunk that is being read.
    chunk: usize,
}

/// What a watch has said when it is asked.
#[derive(Clone, Debug, PartialEq)]
enum Said {
    /// An event.
    Event(Value),
    /// Bytes that are no event.
    Garbage(String),
    /// The response is over.
    Over,
    /// The connection broke.
    Broken,
    /// Nothing, for as long as the reader waits.
    Silence,
}

impl Lines {
    /// Opens a watch of `target`, or returns the status of its refusal.
    fn open(server: &ApiServer, target: &str, patience: Duration) -> Result<Self, u16> {
        let stream = TcpStream::connect(address(server)).map_err(|_| 0_u16)?;
        stream.set_read_timeout(Some(patience)).map_err(|_| 0_u16)?;
        let mut reader = BufReader::new(stream);
        let request = format!("GET {target} HTTP/1.1\r\nHost: kubernetes\r\n\r\n");
        std::io::Write::write_all(reader.get_mut(), request.as_bytes()).map_err(|_| 0_u16)?;
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            match reader.read_line(&mut head) {
                Ok(0) | Err(_) => return Err(0),
                Ok(_) => {}
            }
        }
        let status = head[9..12].parse().unwrap();
        if status == 200 { Ok(Self { reader, chunk: 0 }) } else { Err(status) }
    }

    /// The next thing said that is no bookmark.
    fn next(&mut self) -> Said {
        loop {
            match self.next_or_bookmark() {
                Said::Event(event) if event["type"] == "BOOKMARK" => {}
                said => return said,
            }
        }
    }

    fn next_or_bookmark(&mut self) -> Said {
        let mut line = Vec::new();
        loop {
            match self.byte() {
                Ok(Some(b'\n')) => break,
                Ok(Some(byte)) => line.push(byte),
                Ok(None) if line.is_empty() => return Said::Over,
                Ok(None) => return Said::Garbage(String::from_utf8(line).unwrap()),
                Err(error) => {
                    return match error.kind() {
                        std::io::ErrorKind::WouldBlock => Said::Silence,
                        _ if line.is_empty() => Said::Broken,
                        _ => Said::Garbage(String::from_utf8(line).unwrap()),
                    };
                }
            }
        }
        serde_json::from_slice(&line)
            .map_or_else(|_| Said::Garbage(String::from_utf8(line).unwrap()), Said::Event)
    }

    /// The next byte of the body; `None` after the last chunk.
    fn byte(&mut self) -> std::io::Result<Option<u8>> {
        let mut byte = [0];
        if self.chunk == 0 {
            let mut size = String::new();
            while size.trim().is_empty() {
                size.clear();
                if self.reader.read_line(&mut size)? == 0 {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
            }
            self.chunk = usize::from_str_radix(size.trim(), 16).map_err(std::io::Error::other)?;
            if self.chunk == 0 {
                return Ok(None);
            }
        }
        self.reader.read_exact(&mut byte)?;
        self.chunk -= 1;
        Ok(Some(byte[0]))
    }
}

/// The type of an event and the name and version of its object.
#[track_caller]
fn summary(said: &Said) -> String {
    let Said::Event(event) = said else { panic!("not an event: {said:?}") };
    let object = &event["object"];
    let kind = event["type"].as_str().unwrap();
    format!("{kind} {}", object["metadata"]["name"].as_str().unwrap_or_default())
}
