//! Servers of all kinds made at random, well behaved or not, transports and services that lead to them, and requests
//! that come to both routers.
//!
//! `COMPAT_SEED` is the first seed and `COMPAT_SERVERS` how many follow it; `COMPAT_WILD` makes one answer in so many
//! wild, and `COMPAT_ONLY` sends the request of that number alone.

use portway_testkit::random::{Random, number_from_environment};

mod answers;
mod apart;
mod ends;
mod keys;
mod requests;
mod world;

use self::keys::Keys;
use self::world::World;
use super::{pair::Pair, seeds};

/// Requests for each configuration.
const REQUESTS: u64 = 60;

/// Configurations that are served at once: most of the time is waiting.
const AT_ONCE: usize = 4;

#[test]
fn strange_servers_are_reached_as_by_traefik() {
    let keys = Keys::make();
    seeds::each("COMPAT_SERVERS", 4, AT_ONCE, |seed| visit(seed, &keys));
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
