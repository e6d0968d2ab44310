//! The work that contenders are given.

use std::fmt::Write as _;

use anyhow::Result;

use crate::{
    backend::{SIZES, grpc_message},
    contender::{Contender, GUARDED_PREFIX, HOST, Kind, PREFIX, Setup, credentials, host_of},
    load::{Call, Requests, Sessions, Traffic},
};

/// One kind of work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it is, in a line.
    pub(crate) about: &'static str,
    /// `None` for plain connections.
    pub(crate) tls: Option<Sessions>,
    /// Each request gets a connection of its own.
    pub(crate) renew: bool,
    /// Connections at a time.
    pub(crate) connections: usize,
    /// Connections stay open after one answer each.
    pub(crate) hold: bool,
    /// Sent at a constant rate, of nginx's highest.
    pub(crate) paced: bool,
    /// Requests at a time on each connection of HTTP/2; `None` for HTTP/1.1.
    streams: Option<usize>,
    message: Message,
    size: &'static str,
    entrants: Entrants,
}

/// What a request looks like.
#[derive(Clone, Copy, Debug)]
enum Message {
    /// What a load generator usually sends.
    Short,
    /// What Chrome sends.
    Browser,
    /// 10 KiB of body.
    Post,
    /// A unary call of gRPC, with a message of 64 bytes in either direction.
    Call,
}

/// Who takes part.
#[derive(Clone, Copy, Debug)]
enum Entrants {
    Everyone,
    ManyRouters,
    Chained,
    Guarded,
    Loggers,
    Paced,
}

/// One contender's part in a workload.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    /// What it is called in tables.
    pub(crate) label: String,
    pub(crate) contender: Contender,
    pub(crate) setup: Setup,
    pub(crate) traffic: Traffic,
    /// The length of each answer's body.
    pub(crate) length: u64,
}

const H1: Workload = Workload {
    name: "h1",
    about: "HTTP/1.1 keep-alive, 64 connections, 1 KiB answers",
    tls: None,
    renew: false,
    connections: 64,
    hold: false,
    paced: false,
    streams: None,
    message: Message::Short,
    size: "/1k",
    entrants: Entrants::Everyone,
};

const TLS: Workload =
    Workload { name: "tls", about: "the same over TLS 1.3", tls: Some(Sessions::Never), ..H1 };

const H2: Workload = Workload {
    name: "h2",
    about: "HTTP/2 over TLS 1.3, 8 connections with 16 streams each, 1 KiB answers",
    connections: 8,
    streams: Some(16),
    ..TLS
};

/// All of them, in the order of the tables.
pub(crate) const WORKLOADS: &[Workload] = &[
    H1,
    TLS,
    H2,
    Workload {
        name: "h2-100",
        about: "HTTP/2 over TLS 1.3, one connection with 100 streams, 1 KiB answers",
        connections: 1,
        streams: Some(100),
        ..H2
    },
    Workload {
        name: "grpc",
        about: "gRPC over HTTP/2 without TLS, 8 connections with 16 unary calls each, 64 bytes",
        tls: None,
        message: Message::Call,
        ..H2
    },
    Workload {
        name: "tls-full",
        about: "TLS 1.3, a new connection and a full handshake for each request",
        renew: true,
        ..TLS
    },
    Workload {
        name: "tls-resumed",
        about: "TLS 1.3, a new connection and a resumed session for each request",
        renew: true,
        tls: Some(Sessions::Kept),
        ..TLS
    },
    Workload {
        name: "browser",
        about: "h1 with the header fields of a browser",
        message: Message::Browser,
        ..H1
    },
    Workload {
        name: "body-100k",
        about: "answers of 100 KiB, 16 connections",
        connections: 16,
        size: "/100k",
        ..H1
    },
    Workload {
        name: "body-1m",
        about: "answers of 1 MiB, 16 connections",
        connections: 16,
        size: "/1m",
        ..H1
    },
    Workload {
        name: "body-100k-tls",
        about: "answers of 100 KiB over TLS 1.3, 16 connections",
        connections: 16,
        size: "/100k",
        ..TLS
    },
    Workload {
        name: "body-1m-tls",
        about: "answers of 1 MiB over TLS 1.3, 16 connections",
        connections: 16,
        size: "/1m",
        ..TLS
    },
    Workload {
        name: "post-10k",
        about: "POST with a body of 10 KiB",
        message: Message::Post,
        ..H1
    },
    Workload {
        name: "connect",
        about: "a new plain connection for each request",
        renew: true,
        ..H1
    },
    Workload {
        name: "idle",
        about: "memory of 10,000 connections that idle after one request each",
        connections: 10_000,
        hold: true,
        ..H1
    },
    Workload {
        name: "idle-tls",
        about: "the same over TLS 1.3",
        connections: 10_000,
        hold: true,
        ..TLS
    },
    Workload {
        name: "routers",
        about: "h1 to random hosts out of 1, 10,000 and 100,000 (Portway) or 10,000 (others) rules",
        entrants: Entrants::ManyRouters,
        ..H1
    },
    Workload {
        name: "chain",
        about: "h1 through nine middlewares (Portway and Traefik)",
        entrants: Entrants::Chained,
        ..H1
    },
    Workload {
        name: "basic-auth",
        about: "h1 with basicAuth, bcrypt of cost 12, and without",
        entrants: Entrants::Guarded,
        ..H1
    },
    Workload {
        name: "access-log",
        about: "h1 with an access log in JSON to a file",
        entrants: Entrants::Loggers,
        ..H1
    },
    Workload {
        name: "rate",
        about: "open loop at 70 % of nginx's highest rate",
        paced: true,
        entrants: Entrants::Paced,
        ..H1
    },
];

/// What calls of gRPC call, behind the prefix of the rule.
const METHOD: &str = ".Bench/Unary";

/// Rules of the workload `routers`: Portway's three sizes.
const ROUTERS: [(usize, &str); 3] = [(1, "1"), (10_000, "10k"), (100_000, "100k")];

impl Workload {
    /// Finds one by name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        WORKLOADS.iter().find(|workload| workload.name == name)
    }

    /// What comes before the rounds: the same work, by few connections that do not stay.
    pub(crate) fn warm_up(&self) -> Self {
        Self { hold: false, connections: self.connections.min(64), ..*self }
    }

    /// Who does what.
    pub(crate) fn lanes(&self, contenders: &[Contender]) -> Result<Vec<Lane>> {
        let usual = match (self.message, self.streams) {
            (Message::Call, _) => Setup::Grpc,
            (_, Some(_)) => Setup::Http2,
            (_, None) => Setup::Plain,
        };
        let mut lanes = Vec::new();
        for contender in contenders {
            match (self.entrants, contender.kind) {
                // It knows no TLS, and would hold two files for each idle connection.
                (Entrants::Everyone, Kind::Relay) if self.tls.is_some() || self.hold => {}
                (Entrants::Everyone, _)
                | (Entrants::Paced, Kind::Portway | Kind::Nginx | Kind::Haproxy | Kind::Relay) => {
                    lanes.push(self.lane(contender, "", usual)?);
                }
                (Entrants::ManyRouters, Kind::Portway) => {
                    for (count, suffix) in ROUTERS {
                        lanes.push(self.lane(contender, suffix, Setup::Routers(count))?);
                    }
                }
                (
                    Entrants::ManyRouters,
                    Kind::Nginx | Kind::Haproxy | Kind::Envoy | Kind::Traefik,
                ) => lanes.push(self.lane(contender, "10k", Setup::Routers(10_000))?),
                (Entrants::Chained, Kind::Portway | Kind::Traefik) => {
                    lanes.push(self.lane(contender, "", Setup::Chain)?);
                }
                (Entrants::Guarded, Kind::Portway) => {
                    lanes.push(self.guarded(contender)?);
                    lanes.push(self.lane(contender, "open", Setup::Guarded)?);
                }
                (
                    Entrants::Loggers,
                    Kind::Portway | Kind::Nginx | Kind::Envoy | Kind::Traefik | Kind::Caddy,
                ) => lanes.push(self.lane(contender, "", Setup::AccessLog)?),
                _ => {}
            }
        }
        Ok(lanes)
    }

    /// The protocols that clients ask for with TLS (ALPN).
    pub(crate) fn protocols(&self) -> &'static [&'static [u8]] {
        // Those of HTTP/1.1 ask for none.
        if self.streams.is_some() { &[b"h2"] } else { &[] }
    }

    fn lane(&self, contender: &Contender, suffix: &str, setup: Setup) -> Result<Lane> {
        let label = match suffix {
            "" => contender.name.clone(),
            suffix => format!("{}-{suffix}", contender.name),
        };
        let path = format!("{PREFIX}{}", self.size);
        let traffic = match (setup, self.streams) {
            (Setup::Routers(count), _) => Traffic::Requests(Requests::new(
                (0..count).map(|router| self.request(&host_of(router), &path, "")),
            )),
            (_, None) => Traffic::Requests(Requests::new([self.request(HOST, &path, "")])),
            (Setup::Grpc, Some(streams)) => {
                let method = format!("{PREFIX}{METHOD}");
                Traffic::Streams(Box::new(Call::grpc(HOST, &method, grpc_message())?), streams)
            }
            (_, Some(streams)) => {
                let call = Call::get(self.tls.is_some(), HOST, &path)?;
                Traffic::Streams(Box::new(call), streams)
            }
        };
        Ok(Lane { label, contender: contender.clone(), setup, traffic, length: self.length() })
    }

    fn guarded(&self, contender: &Contender) -> Result<Lane> {
        let path = format!("{GUARDED_PREFIX}{}", self.size);
        let authorization = format!("Authorization: {}\r\n", credentials());
        let requests = Requests::new([self.request(HOST, &path, &authorization)]);
        let traffic = Traffic::Requests(requests);
        Ok(Lane { traffic, ..self.lane(contender, "", Setup::Guarded)? })
    }

    fn length(&self) -> u64 {
        if matches!(self.message, Message::Call) {
            return grpc_message().len() as u64;
        }
        let size = SIZES.iter().find(|(end, _)| *end == self.size);
        size.map_or(0, |(_, size)| *size as u64)
    }

    fn request(&self, host: &str, path: &str, more: &str) -> Vec<u8> {
        let method = if matches!(self.message, Message::Post) { "POST" } else { "GET" };
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{more}");
        // A client that will not ask again says so; it closes when it has its answer.
        if self.renew {
            head.push_str("Connection: close\r\n");
        }
        let mut body = Vec::new();
        match self.message {
            Message::Short | Message::Call => {
                head.push_str("User-Agent: bench\r\nAccept: */*\r\n");
            }
            Message::Browser => BROWSER.iter().for_each(|(name, value)| {
                // Writing to a string cannot fail.
                let _ = write!(head, "{name}: {value}\r\n");
            }),
            Message::Post => {
                head.push_str("User-Agent: bench\r\nContent-Type: application/octet-stream\r\n");
                head.push_str("Content-Length: 10240\r\n");
                body = vec![b'p'; 10_240];
            }
        }
        head.push_str("\r\n");
        [head.into_bytes(), body].concat()
    }
}

/// What Chrome sends with a navigation, and a session's cookies.
const BROWSER: &[(&str, &str)] = &[
    ("Connection", "keep-alive"),
    ("Cache-Control", "max-age=0"),
    ("sec-ch-ua", "\"Chromium\";v=\"142\", \"Google Chrome\";v=\"142\", \"Not_A Brand\";v=\"99\""),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", "\"Linux\""),
    ("Upgrade-Insecure-Requests", "1"),
    (
        "User-Agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    ),
    (
        "Accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
    ),
    ("Sec-Fetch-Site", "same-origin"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-User", "?1"),
    ("Sec-Fetch-Dest", "document"),
    ("Referer", "http://bench.example.com/app/overview?tab=recent"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Accept-Language", "en-GB,en-US;q=0.9,en;q=0.8,de;q=0.7"),
    (
        "Cookie",
        "session=9f1c2ad07be54c6c8f0e1d2b3a495867; theme=dark; _ga=GA1.2.1093841.1764000000; consent=all",
    ),
];
