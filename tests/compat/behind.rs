//! Servers of all kinds made at random, well behaved or not, transports and services that lead to them, and requests
//! that come to both routers.
//!
//! `COMPAT_SEED` is the first seed and `COMPAT_SERVERS` how many follow it; `COMPAT_WILD` makes one answer in so many
//! wild, and `COMPAT_ONLY` sends the request of that number alone.

use std::thread;

use portway_testkit::random::{Random, number_from_environment};

mod answers;
mod apart;
mod ends;
mod keys;
mod requests;
mod world;

use self::keys::Keys;
use self::world::World;
use super::pair::Pair;

/// Requests for each configuration.
const REQUESTS: u64 = 60;

/// Configurations that are served at once: most of the time is waiting.
const AT_ONCE: u64 = 4;

/// How many failures are told.
const SHOWN: usize = 20;

#[test]
fn strange_servers_are_reached_as_by_traefik() {
    let first = number_from_environment("COMPAT_SEED", 1);
    let end = first + number_from_environment("COMPAT_SERVERS", 4);
    let keys = Keys::make();
    let mut failures = Vec::new();
    let mut compared = 0;
    for seed in (first..end).step_by(AT_ONCE as usize) {
        let at_once = seed..end.min(seed + AT_ONCE);
        let pairs: Vec<Option<Pair>> = thread::scope(|scope| {
            let keys = &keys;
            let started = at_once.map(|seed| scope.spawn(move || visit(seed, keys)));
            let started: Vec<_> = started.collect();
            started.into_iter().map(|one| one.join().expect("a configuration")).collect()
        });
        for pair in pairs {
            let Some(pair) = pair else { return };
            compared += pair.compared();
            failures.extend_from_slice(pair.mismatches());
        }
    }
    let count = failures.len();
    if std::env::var_os("COMPAT_ALL").is_none() {
        failures.truncate(SHOWN);
    }
    assert!(compared > 0, "nothing was compared");
    assert!(count == 0, "{count} of {compared} cases differ\n{}", failures.join("\n"));
}

/// Sends random requests to random servers through both routers.
fn visit(seed: u64, keys: &Keys) -> Option<Pair> {
    let requests = number_from_environment("COMPAT_REQUESTS", REQUESTS);
    let wild = number_from_environment("COMPAT_WILD", 3) as usize;
    let only = number_from_environment("COMPAT_ONLY", u64::MAX);
    let mut random = Random::new(seed);
    let world = World::make(&mut random, keys);
    let mut pair = Pair::start_with(&world.setup, || world.start())?;
    for number in 0..requests {
        let mut case = requests::request(&mut random, &world, wild);
        case.rename(&format!("request {number} of COMPAT_SEED={seed}, {}", case.name()));
        if only == u64::MAX || only == number {
            pair.compare_again(&case);
        }
    }
    Some(pair)
}
