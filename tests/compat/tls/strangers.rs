//! Whole configurations of TLS made at random, and clients of all kinds that come to them: certificates, stores,
//! options, routers that share and dispute names, entry points with TLS of their own and behind the PROXY protocol.
//!
//! `COMPAT_SEED` is the first seed and `COMPAT_TLS_SEEDS` how many follow it.

use portway_testkit::client::Client;
use portway_testkit::random::Random;
use serde_json::Value;

mod guests;
mod keys;
mod rules;
mod world;

use self::guests::Visit;
use self::keys::Identities;
use self::world::World;
use super::super::pair::{Pair, Side};
use super::super::seeds;

/// How many clients come to each configuration.
const VISITS: usize = 160;

#[test]
fn strangers_are_received_as_by_traefik() {
    let identities = Identities::make();
    seeds::each("COMPAT_TLS_SEEDS", 3, 1, |seed| receive(seed, &identities));
}

fn receive(seed: u64, identities: &Identities) -> Option<Pair> {
    let mut random = Random::new(seed);
    let world = World::make(&mut random, identities);
    let mut pair = Pair::start(&world.setup, 1)?;
    super::settle(&pair, world::SETTLED, &world.settled);
    let texts = pair.sides.each_ref().map(|side| routers(side, &world));
    pair.compare_texts(&format!("seed {seed}, routers in the API\n{}", world.text()), texts);
    let (mut excused, mut compared) = (0, 0);
    for number in 0..VISITS {
        let visit = Visit::make(&mut random, &world, identities);
        let told = |name: &str| format!("seed {seed}, visit {number}, {visit:?}, {name}");
        let resumed = pay(&pair, &visit, &world, true);
        // A router that cannot serve keeps its claim (1, 15), and the connection stays what it was.
        let is_closed = |(name, [portway, traefik]): &Text| {
            portway.contains(" 500 ") && !traefik.contains(" 500 ") && world.may_close(name)
        };
        let differs = |text: &&Text| !guests::same(&text.1[0], &text.1[1]) && !is_closed(text);
        // With the session of another name Traefik lets in whom it would refuse without (57).
        let refuses = |text: &Text| text.1[0] == guests::REFUSED;
        let different = resumed.iter().filter(differs);
        let texts = match different.clone().count() > 0 && different.clone().all(refuses) {
            true => pay(&pair, &visit, &world, false),
            false => resumed,
        };
        for text in texts {
            compared += 1;
            excused += u32::from(is_closed(&text));
            if differs(&&text) {
                let (name, [portway, traefik]) = text;
                let name = format!("{}\n{}", told(&name), world.text());
                pair.compare_texts(&name, [portway, traefik]);
            } else {
                pair.count();
            }
        }
    }
    assert!(excused * 2 < compared, "seed {seed}: {excused} of {compared} are excused");
    Some(pair)
}

/// What became of a connection or a request: its name, and a text of each side.
type Text = (String, [String; 2]);

fn pay(pair: &Pair, visit: &Visit, world: &World, resumes: bool) -> Vec<Text> {
    let [portway, traefik] = pair.sides.each_ref().map(|side| visit.pay(side, world, resumes));
    // Where one side refuses a connection, the other's answers have no counterpart.
    let connections = portway.into_iter().zip(traefik);
    let texts = connections.flat_map(|(portway, traefik)| portway.into_iter().zip(traefik));
    texts.map(|((name, portway), (_, traefik))| (name, [portway, traefik])).collect()
}

/// The routers as the API shows them: name, status, errors and TLS options of each.
fn routers(side: &Side, world: &World) -> String {
    let mut client = Client::connect(side.process.address("traefik")).expect("the API");
    let request = "GET /api/http/routers?per_page=1000 HTTP/1.1\r\nHost: api\r\n\r\n";
    let body = client.ask(request).expect("an answer").body;
    let all: Vec<Value> = serde_json::from_slice(&body).expect("JSON");
    let mut lines: Vec<String> = all.iter().map(|router| line(router, world)).collect();
    lines.sort();
    lines.join("\n")
}

fn line(router: &Value, world: &World) -> String {
    let text = |key: &str| router[key].as_str().unwrap_or_default().to_owned();
    let name = text("name");
    let number = name.trim_end_matches("@file").rsplit('r').next().and_then(|n| n.parse().ok());
    // Portway may close what Traefik lowers to the default options (15), or accepts and refuses in every handshake (7).
    let closes = number.is_some_and(|number| world.may_close_router(number));
    let status = match closes {
        true => String::new(),
        false => format!("{} {}", text("status"), router["error"]),
    };
    format!("{name} {status} {}", router["tls"]["options"])
}
