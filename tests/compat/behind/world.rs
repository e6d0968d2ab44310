//! Servers of all kinds, transports to reach them, and services over them.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use portway_testkit::backend::{Backend, Http2Settings, Step};
use portway_testkit::process::Setup;
use portway_testkit::random::Random;
use rustls::ServerConfig;

use super::answers;
use super::keys::Keys;

mod services;
mod transports;

use self::services::{made_service, service};
use self::transports::{default_transport, transport};

const SERVERS: usize = 14;
const TRANSPORTS: usize = 10;
/// Services that lead to servers.
const PLAIN_SERVICES: usize = 28;
/// Services made of others.
const MADE_SERVICES: usize = 8;
/// All services, each with a router.
pub(super) const SERVICES: usize = PLAIN_SERVICES + MADE_SERVICES;

/// A configuration, and what it leads to.
pub(super) struct World {
    pub(super) setup: Setup,
    servers: Vec<Server>,
    /// A line for each service: itself, its transport and its server.
    pub(super) told: Vec<String>,
}

#[derive(Clone)]
struct Server {
    tls: Option<Arc<ServerConfig>>,
    greeting: Vec<Step>,
    settings: Http2Settings,
    told: String,
}

impl World {
    pub(super) fn make(random: &mut Random, keys: &Keys) -> Self {
        let servers: Vec<Server> =
            (0..SERVERS).map(|number| server(random, keys, number)).collect();
        let mut transports: Vec<String> =
            (0..TRANSPORTS).map(|_| transport(random, keys)).collect();
        let (mut text, mut told) = (String::from("http:\n  routers:\n"), Vec::new());
        for number in 0..SERVICES {
            let _ = writeln!(
                text,
                "    r{number}: {{rule: \"Host(`r{number}.test`)\", service: s{number}}}"
            );
        }
        text.push_str("  serversTransports:\n");
        for (number, transport) in transports.iter().enumerate() {
            let _ = writeln!(text, "    t{number}: {transport}");
        }
        text.push_str("  services:\n");
        let default = default_transport(random);
        transports.push(default.join(" "));
        for number in 0..PLAIN_SERVICES {
            let (service, transport, server) = service(random, &servers, number);
            let _ = writeln!(text, "    s{number}: {service}");
            let transport = transport.map_or("none of that name", |index| &transports[index]);
            told.push(format!("{service} over {transport} to {}", servers[server].told));
        }
        for number in PLAIN_SERVICES..SERVICES {
            let (service, parts) = made_service(random, number);
            let _ = writeln!(text, "    s{number}: {service}");
            let parts: Vec<&str> = parts.iter().map(|&part| told[part].as_str()).collect();
            told.push(format!("{service} of [{}]", parts.join("; ")));
        }
        let mut setup = Setup::web(&text).flag("--log.level=ERROR");
        for flag in &default {
            setup = setup.flag(flag);
        }
        setup.files.extend(keys.files.iter().cloned());
        Self { setup, servers, told }
    }

    /// The servers of one side.
    pub(super) fn start(&self) -> Vec<Backend> {
        let start = |server: &Server| {
            Backend::with(server.tls.clone(), answers::early, answers::answer)
                .greeting(server.greeting.clone())
                .settings(server.settings)
        };
        self.servers.iter().map(start).collect()
    }
}

fn server(random: &mut Random, keys: &Keys, number: usize) -> Server {
    let settings = Http2Settings {
        streams: random.once_in(3).then(|| 1 + random.below(3) as u32),
        window: random.once_in(3).then(|| *random.pick(&[1, 10, 100_000])),
        frame: random.once_in(4).then(|| *random.pick(&[16_384, 100_000])),
        head: random.once_in(6).then_some(16_384),
    };
    let (mut tls, mut greeting, mut told) = (None, Vec::new(), "plain".to_owned());
    match number {
        0..4 => {}
        4 => {
            (greeting, told) = match random.below(4) {
                0 => (vec![Step::Close], "closes".to_owned()),
                1 => (vec![Step::Reset], "resets".to_owned()),
                2 => (
                    vec![Step::Wait(Duration::from_millis(30)), Step::Close],
                    "closes late".to_owned(),
                ),
                _ => (vec![Step::Wait(Duration::from_millis(400))], "is late".to_owned()),
            }
        }
        _ => {
            let (config, name) = keys.server(random);
            (tls, told) = (Some(config), name);
        }
    }
    Server { tls, greeting, settings, told: format!("server {number}: {told}, {settings:?}") }
}
