//! Servers of the storm: they check what they get, and do what its ticket says.

mod http1;
mod http2;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use portway_testkit::certificate::Certificate;
use portway_testkit::line::welcome;
use portway_testkit::message::Headers;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use super::content::{Content, Way};
use super::ledger::Ledger;
use super::ticket::{Act, Ticket};

/// What a server speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Speech {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2 in plaintext.
    H2c,
    /// HTTP/2 over TLS.
    Http2Tls,
}

/// What a server is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
    /// It is always there.
    Steady,
    /// It goes away and comes again.
    Flaky,
    /// It gets copies.
    Mirror,
}

/// Which server it is.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) name: String,
    pub(super) speech: Speech,
    pub(super) role: Role,
    pub(super) address: SocketAddr,
}

impl Origin {
    pub(super) fn url(&self) -> String {
        let scheme = match self.speech {
            Speech::Http1 => "http",
            Speech::H2c => "h2c",
            Speech::Http2Tls => "https",
        };
        format!("{scheme}://{}", self.address)
    }
}

/// What a server works with.
#[derive(Clone, Debug)]
struct Desk {
    origin: Origin,
    ledger: Arc<Ledger>,
    certificate: Arc<Certificate>,
}

/// A running server, which ends with this.
pub(super) struct Running {
    desk: Desk,
    task: JoinHandle<()>,
}

impl Running {
    pub(super) async fn start(
        name: &str,
        speech: Speech,
        role: Role,
        ledger: &Arc<Ledger>,
        certificate: &Arc<Certificate>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let origin = Origin { name: name.to_owned(), speech, role, address };
        let (ledger, certificate) = (Arc::clone(ledger), Arc::clone(certificate));
        let desk = Desk { origin, ledger, certificate };
        let task = tokio::spawn(accept(listener, desk.clone()));
        Self { desk, task }
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.desk.origin
    }

    /// Breaks all its connections, is away for a while, and comes again at the same address.
    pub(super) async fn restart(&mut self, away: Duration) {
        self.task.abort();
        let _ = (&mut self.task).await;
        sleep(away).await;
        for _ in 0..200 {
            if let Ok(listener) = TcpListener::bind(self.desk.origin.address).await {
                self.task = tokio::spawn(accept(listener, self.desk.clone()));
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        // Somebody else's socket has the port: the server stays away.
        self.desk.ledger.count("servers that could not come again");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, desk: Desk) {
    // Connections end with the task.
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        connections.spawn(serve(socket, desk.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(socket: TcpStream, desk: Desk) {
    desk.ledger.count(&format!("connections to servers: {:?}", desk.origin.speech));
    let ended = match desk.origin.speech {
        Speech::Http1 => match welcome(socket, None).await {
            Ok(wire) => http1::serve(wire, &desk).await,
            Err(error) => Err(error),
        },
        Speech::H2c => match welcome(socket, None).await {
            Ok(wire) => http2::serve(wire, &desk).await,
            Err(error) => Err(error),
        },
        Speech::Http2Tls => {
            let mut tls = (*desk.certificate.server()).clone();
            tls.alpn_protocols = vec![b"h2".to_vec()];
            match welcome(socket, Some(Arc::new(tls))).await {
                Ok(wire) => http2::serve(wire, &desk).await,
                Err(error) => Err(error),
            }
        }
    };
    if let Err(error) = ended {
        desk.ledger.count(&format!("connections to servers that broke: {error}"));
    }
}

impl Desk {
    /// A request has come: whose is it, and may it be here?
    fn arrived(&self, path: &str, headers: &Headers) -> io::Result<Ticket> {
        let name = &self.origin.name;
        let Some(ticket) = headers.value("Ticket").and_then(Ticket::parse) else {
            self.ledger.fault(format!("{name} got {path} without a ticket: {headers:?}"));
            return Err(io::ErrorKind::InvalidData.into());
        };
        if path != ticket.path() || headers.values("Ticket").len() != 1 {
            self.ledger.fault(format!("{name} got {path} with the fields of {ticket}"));
        }
        self.ledger.arrive(&ticket, name, self.origin.role);
        Ok(ticket)
    }

    /// The body has come, or has broken off.
    fn uploaded(&self, ticket: &Ticket, content: &Content, trailers: io::Result<Headers>) {
        let Content { position, right, .. } = *content;
        let copied = self.origin.role == Role::Mirror && self.ledger.is_draining();
        let flaky = self.origin.role == Role::Flaky;
        let excused = ticket.rude || flaky || copied || ticket.act == Act::Hasty;
        let name = &self.origin.name;
        if !right || position > ticket.up {
            let told = format!("{name} got a wrong body (by byte {position}): {ticket}");
            return self.ledger.fault(told);
        }
        match trailers {
            Ok(_) if position < ticket.up => {
                self.ledger.fault(format!("{name} got {position} bytes as a whole: {ticket}"));
            }
            Ok(trailers) => match trailers.value("Ticket-Up") {
                Some(mark) if mark != ticket.id.to_string() => {
                    self.ledger.fault(format!("{name} got trailers of {mark}: {ticket}"));
                }
                Some(_) => self.ledger.count("trailers up"),
                None => {}
            },
            Err(error) if !excused => {
                self.ledger
                    .fault(format!("{name} got {position} bytes and then {error}: {ticket}"));
            }
            Err(_) => self.ledger.count("uploads that broke off"),
        }
    }

    /// The fields that every answer has.
    fn fields(&self, ticket: &Ticket, headers: &Headers) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("ticket-back", ticket.to_string()),
            ("server-name", self.origin.name.clone()),
            (
                "content-type",
                if is_call(ticket) { "application/grpc" } else { "text/plain" }.to_owned(),
            ),
        ];
        if let Some(generation) = headers.value("X-Generation") {
            fields.push(("generation-seen", generation.to_owned()));
        }
        fields
    }
}

fn is_call(ticket: &Ticket) -> bool {
    matches!(ticket.act, Act::Call | Act::Wait)
}

/// Both bodies of a ticket, from their beginnings.
fn contents(ticket: &Ticket) -> (Content, Content) {
    (Content::of(ticket.id, Way::Up), Content::of(ticket.id, Way::Down))
}
