//! A question after a server's health over HTTP, and after redirects.

use std::{future::poll_fn, io, sync::Arc, time::Instant};

use portway_http::{
    HeaderName, HeaderValue, Headers, Known, Method, Request, Response, Status,
    codec::{HeadLimits, Progress, ResponseParser, write_request_head},
};
use portway_model::dynamic::{CheckScheme, HealthCheck};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::place::{Place, has_scheme, leads_elsewhere};
use crate::{Opened, Scheme, Server, Stream, connect};

/// Requests that a question may take, redirects included. Go: `defaultCheckRedirect`.
const MOST_REQUESTS: usize = 10;

/// The most bytes of response heads that are read.
const LONGEST_HEAD: usize = 64 * 1024;

/// Fields that are not shown to another host. Go: `shouldCopyHeaderOnRedirect`.
const PRIVATE: [&str; 4] = ["Authorization", "Www-Authenticate", "Cookie", "Cookie2"];

/// Asks a server; the error says in Traefik's words why it is not well.
pub(super) async fn ask(config: &HealthCheck, server: &Server) -> Result<(), String> {
    let mut question = Question::new(config, server)?;
    let failed = |error: String| format!("HTTP request failed: {error}");
    let mut response = Response::new();
    for count in 1.. {
        question.send(server, &mut response).await.map_err(failed)?;
        let moved = config.follow_redirects && question.follow(&response).map_err(failed)?;
        if !moved {
            break;
        }
        if count == MOST_REQUESTS {
            return Err(failed(format!("stopped after {MOST_REQUESTS} redirects")));
        }
    }
    match (config.status, response.status.code()) {
        (0, 200..400) => Ok(()),
        (0, status) => Err(format!("received error status code: {status}")),
        (wanted, status) if wanted == status => Ok(()),
        (wanted, status) => {
            Err(format!("received error status code: {status} expected status code: {wanted}"))
        }
    }
}

/// A request, and where it goes.
struct Question {
    place: Place,
    request: Request,
    /// The Host that is asked for, where it is not that of the place.
    hostname: Option<String>,
    /// Where it went first.
    first_host: String,
}

impl Question {
    fn new(config: &HealthCheck, server: &Server) -> Result<Self, String> {
        let create = |error: String| format!("create HTTP request: {error}");
        if leads_elsewhere(&config.path) {
            let path = &config.path;
            return Err(create(format!("health check path must be a relative URL, got: {path:?}")));
        }
        let mut place = Place::of(server)?.resolve(&config.path).map_err(create)?;
        if let Some(scheme) = config.scheme {
            place.scheme = match scheme {
                CheckScheme::Http => Scheme::Http,
                CheckScheme::Https => Scheme::Https,
                CheckScheme::H2c => Scheme::H2c,
            };
        }
        if config.port != 0 {
            place.set_port(config.port);
        }
        let mut request = Request::new();
        if !config.method.is_empty() {
            let method = Method::parse(config.method.as_bytes());
            request.method =
                method.map_err(|_| create(format!("invalid method {:?}", config.method)))?;
        }
        fill(&mut request.headers, config).map_err(create)?;
        let hostname = Some(config.hostname.clone()).filter(|name| !name.is_empty());
        let first_host = place.host.clone();
        Ok(Self { place, request, hostname, first_host })
    }

    /// Sends the request to where it goes, and receives the head of the response.
    async fn send(&mut self, like: &Server, response: &mut Response) -> Result<(), String> {
        let Self { place, request, hostname, .. } = self;
        let path = place.path_and_query();
        // What is not sent as it is written could end the line.
        let query = path.split_once('?').map_or("", |(_, query)| query);
        if query.contains(' ') || request.target.set_path_and_query(path.as_bytes()).is_err() {
            return Err(format!("{path:?} is no path and query"));
        }
        let host = hostname.as_deref().unwrap_or(&place.authority);
        if !request.set_authority(host) {
            return Err(format!("{host:?} is no host"));
        }
        let server = server_at(place, like);
        let opened = connect(&server, false).await.map_err(|error| error.to_string())?;
        let received = receive(opened, request, response);
        let received = match server.transport.response_header_timeout {
            None => received.await,
            Some(limit) => timeout(limit, received)
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())),
        };
        received.map_err(|error| error.to_string())
    }

    /// Turns to where a response leads; says whether it leads anywhere. Go: `redirectBehavior`.
    fn follow(&mut self, response: &Response) -> Result<bool, String> {
        let keeps_method = match response.status.code() {
            301..=303 => matches!(self.request.method, Method::Get | Method::Head),
            307 | 308 => true,
            _ => return Ok(false),
        };
        let location = response.headers.get_str(Known::Location).unwrap_or_default();
        if location.is_empty() {
            return Ok(false);
        }
        let place = self
            .place
            .resolve(location)
            .map_err(|error| format!("failed to parse Location header {location:?}: {error}"))?;
        if !keeps_method {
            self.request.method = Method::Get;
        }
        if has_scheme(location) {
            self.hostname = None;
        }
        let below = place.host.strip_suffix(self.first_host.as_str());
        if below.is_none_or(|rest| !rest.is_empty() && !rest.ends_with('.')) {
            for name in PRIVATE {
                self.request.headers.remove(name);
            }
        }
        if !(self.place.scheme == Scheme::Https && place.scheme != Scheme::Https) {
            self.request.headers.set(Known::Referer, self.place.url());
        }
        self.place = place;
        Ok(true)
    }
}

/// The fields of a question.
fn fill(headers: &mut Headers, config: &HealthCheck) -> Result<(), String> {
    headers.set(Known::UserAgent, "portway");
    for (name, value) in &config.headers {
        let name = HeaderName::parse(name).map_err(|_| format!("invalid header name {name:?}"))?;
        let value = HeaderValue::parse(value)
            .map_err(|_| format!("invalid value of header {:?}", name.as_str()))?;
        // As in Go, these are said by the request itself.
        let own = ["Host", "Content-Length", "Transfer-Encoding", "Trailer"];
        if !own.contains(&name.as_str()) {
            headers.set(&name, value);
        }
    }
    Ok(())
}

/// The server that is at a place, reached like another.
pub(super) fn server_at(place: &Place, like: &Server) -> Server {
    Server {
        url: place.url(),
        scheme: place.scheme,
        authority: place.authority.clone(),
        address: place.host.parse().ok().map(|ip: std::net::IpAddr| (ip, place.port).into()),
        host: place.host.clone(),
        port: place.port,
        path: String::new(),
        transport: Arc::clone(&like.transport),
        id: Arc::clone(&like.id),
        passive: None,
    }
}

/// Sends a request without a body, and receives the head of the final response.
async fn receive(opened: Opened, request: &Request, response: &mut Response) -> io::Result<()> {
    match opened {
        Opened::Http1(stream) => receive_http1(stream, request, response).await,
        Opened::Http2(mut connection) => {
            let stream = connection.open(Instant::now());
            let mut stream = stream.ok_or(io::ErrorKind::ConnectionAborted)?;
            stream.ask(request, request.authority(), true)?;
            loop {
                poll_fn(|cx| stream.poll_response(cx, response)).await?;
                if is_final(response.status) {
                    return Ok(());
                }
            }
        }
    }
}

async fn receive_http1(
    mut stream: Stream,
    request: &Request,
    response: &mut Response,
) -> io::Result<()> {
    let mut bytes = Vec::new();
    write_request_head(&mut bytes, request, request.authority(), false);
    stream.write_all(&bytes).await?;
    stream.flush().await?;
    bytes.clear();
    let mut parser = ResponseParser::new();
    loop {
        match parser.parse(&bytes, &HeadLimits::default(), &request.method, response) {
            Ok(Progress::Complete(_)) if is_final(response.status) => return Ok(()),
            Ok(Progress::Complete(length)) => {
                bytes.drain(..length);
                continue;
            }
            Ok(Progress::Partial) if bytes.len() < LONGEST_HEAD => {}
            Ok(Progress::Partial) => {
                return Err(io::Error::other("response header fields too large"));
            }
            Err(error) => return Err(io::Error::other(error)),
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Whether no other response follows.
pub(super) fn is_final(status: Status) -> bool {
    status.code() == 101 || status.code() >= 200
}
