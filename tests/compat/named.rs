//! Servers that both routers share and that say who they are: their URLs, and so all hashes of them, are the same on
//! both sides.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use portway_testkit::backend::{Backend, Step, script};
use portway_testkit::client::{Client, Response};

use super::pair::Side;

/// Servers named `s0`, `s1` and so on.
pub(crate) struct Named(Vec<Backend>);

/// What came of a request.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Outcome {
    /// The status.
    pub(crate) status: u16,
    /// The server that answered; empty where none did.
    pub(crate) server: String,
    /// What the response sets, in order.
    pub(crate) cookies: Vec<String>,
}

impl Named {
    /// Starts so many. A path of `/wait-50` makes server `s1` wait for 50 milliseconds, `/wait-all-50` all of them.
    pub(crate) fn start(count: usize) -> Self {
        let server = |number: usize| {
            let name = format!("X-Server: s{number}\r\n");
            Backend::scripted(move |received| {
                let mut steps = Vec::new();
                let path = received.path();
                let wait = match path.strip_prefix("/wait-all-") {
                    Some(wait) => Some(wait),
                    None => path.strip_prefix("/wait-").filter(|_| number == 1),
                };
                if let Some(wait) = wait.and_then(|wait| wait.parse().ok()) {
                    steps.push(Step::Wait(Duration::from_millis(wait)));
                }
                if path == "/tunnel" {
                    let head = format!(
                        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{name}\r\n"
                    );
                    return [script::write(&head), vec![Step::Mirror]].concat();
                }
                let own = if path == "/own" { "Set-Cookie: own=1; Path=/x\r\n" } else { "" };
                steps.push(Step::Write(script::response("200 OK", &format!("{name}{own}"), "ok")));
                steps
            })
        };
        Self((0..count).map(server).collect())
    }

    /// The configuration with addresses instead of `@@s0@@` and so on.
    pub(crate) fn fill(&self, dynamic: &str) -> String {
        self.0.iter().enumerate().fold(dynamic.to_owned(), |text, (number, backend)| {
            text.replace(&format!("@@s{number}@@"), &backend.address().to_string())
        })
    }

    /// The URL of a server as `fill` has it.
    pub(crate) fn url(&self, number: usize) -> String {
        self.0[number].url()
    }
}

/// Asks for a path; `fields` are whole lines.
pub(crate) fn ask(side: &Side, host: &str, path: &str, fields: &str) -> Outcome {
    let local = IpAddr::from([127, 0, 0, 1]);
    ask_from(side, local, "web", "", &request(host, path, fields)).expect("an answer")
}

/// Sends a request to an entry point from an address, with something in front.
pub(crate) fn ask_from(
    side: &Side,
    source: IpAddr,
    entry_point: &str,
    preamble: &str,
    request: &str,
) -> io::Result<Outcome> {
    let mut client = Client::connect_from(source, side.process.address(entry_point))?;
    if !preamble.is_empty() {
        client.send(preamble)?;
    }
    let response = client.ask(request)?;
    Ok(Outcome::of(&response))
}

/// A request that ends its connection.
pub(crate) fn request(host: &str, path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{fields}\r\n")
}

impl Outcome {
    pub(crate) fn of(response: &Response) -> Self {
        let cookies = response.headers.values("Set-Cookie");
        Self {
            status: response.status,
            server: response.headers.value("X-Server").unwrap_or_default().to_owned(),
            cookies: cookies.into_iter().map(str::to_owned).collect(),
        }
    }
}
