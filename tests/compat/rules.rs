//! Random rules against random requests: which router answers.
//!
//! Every router answers by `noop@internal` with its own name in a header. Priorities never tie,
//! because Traefik settles ties by chance: rules are padded until their lengths differ, and
//! explicit priorities are taken from the same pool. A difference prints the seed, the request and
//! the two routers; `COMPAT_SEED` repeats a run.

mod generate;
mod table;

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io;

use portway_testkit::client::Client;
use portway_testkit::process::{Process, Setup};
use portway_testkit::random::{Random, number_from_environment};

use self::generate::{Request, Router};
use super::pair::Pair;

#[test]
fn random_rules_choose_the_router_that_traefik_chooses() {
    let seed = number_from_environment("COMPAT_SEED", 0x00C0_FFEE);
    let routers = number_from_environment("COMPAT_ROUTERS", 300) as usize;
    let batches = number_from_environment("COMPAT_BATCHES", 10);
    let requests = number_from_environment("COMPAT_REQUESTS", 6000) / batches;
    let (mut all_matched, mut all_winners) = (0, 0);
    for batch in 0..batches {
        let seed = seed.wrapping_add(batch);
        let mut random = Random::new(seed);
        // Every second table shows each rule alone, the others show which of many wins.
        let table = match batch % 2 {
            0 => generate::routers(&mut random, routers),
            _ => generate::guarded_routers(&mut random, routers),
        };
        println!("seed {seed}: {} routers, {requests} requests", table.len());
        let setup = Setup::web(&configuration(&table)).flag("--log.level=ERROR");
        let Some(mut pair) = Pair::start(&setup, 0) else { return };
        let mut lines = [Lines::default(), Lines::default()];
        let (mut matched, mut winners) = (0, BTreeSet::new());
        for _ in 0..requests {
            let request = generate::request(&mut random, &table);
            let texts = [0, 1].map(|index| {
                let process = &pair.sides[index].process;
                lines[index].answer(process, &request)
            });
            if texts[1].starts_with("418") {
                matched += 1;
                winners.insert(texts[1].clone());
            }
            if texts[0] != texts[1] {
                let text = repro(seed, &request, &texts, &table);
                pair.note("a request is routed differently", &text);
            } else {
                pair.count();
            }
        }
        println!("{matched} of {requests} requests met {} different routers", winners.len());
        all_matched += matched;
        all_winners += winners.len() as u64;
        pair.finish();
    }
    let telling = all_matched * 5 > requests * batches && all_winners > 20 * batches;
    assert!(telling, "the tables say too little: {all_matched} matches, {all_winners} winners");
}

/// Kept-alive connections by source address.
#[derive(Default)]
struct Lines {
    open: HashMap<String, Client>,
}

impl Lines {
    /// The status and the router that answered.
    fn answer(&mut self, process: &Process, request: &Request) -> String {
        // A kept connection may have been closed meanwhile; a fresh one decides.
        let kept = self.open.remove(&request.source);
        let answer = match kept {
            Some(client) => self.ask(client, request),
            None => Err(io::ErrorKind::NotConnected.into()),
        };
        let answer = answer.or_else(|_| {
            let source = request.source.parse().expect("an address");
            let client = Client::connect_from(source, process.address("web"))?;
            self.ask(client, request)
        });
        answer.unwrap_or_else(|error| format!("{:?}", error.kind()))
    }

    fn ask(&mut self, mut client: Client, request: &Request) -> io::Result<String> {
        let response = client.ask(&request.bytes)?;
        let router = response.headers.value("X-Router").unwrap_or("no router");
        let text = format!("{} {router}", response.status);
        if response.headers.value("Connection").is_none() {
            self.open.insert(request.source.clone(), client);
        }
        Ok(text)
    }
}

fn configuration(table: &[Router]) -> String {
    let mut text = "http:\n  routers:\n".to_owned();
    for router in table {
        text.push_str(&router.yaml());
    }
    text.push_str("  middlewares:\n");
    for router in table {
        let name = &router.name;
        let _ = writeln!(
            text,
            "    {name}: {{headers: {{customResponseHeaders: {{X-Router: {name}}}}}}}"
        );
    }
    text
}

fn repro(seed: u64, request: &Request, texts: &[String; 2], table: &[Router]) -> String {
    let mut text = format!(
        "COMPAT_SEED={seed}\nfrom {} sent {}\n",
        request.source,
        request.bytes.escape_ascii()
    );
    for (side, answer) in ["Portway", "Traefik"].iter().zip(texts) {
        let _ = writeln!(text, "{side}: {answer}");
        let name = answer.split(' ').nth(1).unwrap_or_default();
        if let Some(router) = table.iter().find(|router| router.name == name) {
            text.push_str(&router.yaml());
        }
    }
    text
}
