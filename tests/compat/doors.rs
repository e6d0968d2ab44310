//! Whole sets of entry points made at random, and requests of all kinds that come to them: how they are spelled in
//! flags, files and the environment, whose headers are believed, the PROXY protocol, redirections, middlewares, TLS,
//! paths and characters, the end of connections.
//!
//! `COMPAT_SEED` is the first seed and `COMPAT_DOORS` how many follow it.

use std::fmt::Write as _;

use portway_testkit::random::Random;

mod fields;
mod house;
mod options;
mod proxied;
mod refused;
mod routers;
mod slow;
mod visits;

use self::house::House;
use super::api::leaves;
use super::pair::{Pair, Side};
use super::seeds;

/// How many requests come to each house.
const VISITS: usize = 120;

#[test]
fn doors_open_as_those_of_traefik() {
    seeds::each("COMPAT_DOORS", 2, 1, visit);
}

fn visit(seed: u64) -> Option<Pair> {
    let mut random = Random::new(seed);
    let house = House::make(&mut random);
    let mut pair = Pair::start(&house.setup, 1)?;
    let texts = pair.sides.each_ref().map(|side| told(side, &house));
    let text = house.text();
    pair.compare_texts(&format!("seed {seed}, entry points and routers in the API\n{text}"), texts);
    for number in 0..VISITS {
        let mut case = visits::make(&mut random, &house);
        let entry_point = case.entry_point();
        let name = format!(
            "visit {number} of COMPAT_SEED={seed} to {} ({}), {}",
            entry_point,
            house.options_of(entry_point),
            case.name()
        );
        case.rename(&name);
        pair.compare(&case);
    }
    Some(pair)
}

/// What the API says of entry points, and of the routers' status.
fn told(side: &Side, house: &House) -> String {
    let mut text = String::new();
    for name in &house.setup.entry_points {
        let (response, value) = side.api(&format!("/api/entrypoints/{name}"));
        let _ = writeln!(text, "{name} {}", response.status);
        leaves(&mut text, "", &value);
    }
    let (_, list) = side.api("/api/http/routers?per_page=1000");
    let mut routers: Vec<String> = Vec::new();
    for router in list.as_array().into_iter().flatten() {
        let name = router["name"].as_str().unwrap_or_default();
        if name.contains("ready") {
            continue;
        }
        let mut line = format!("{name} {}\n", router["entryPoints"]);
        for field in ["rule", "priority", "service", "middlewares", "tls", "status", "using"] {
            let _ = writeln!(line, "  {field} {}", router[field]);
        }
        routers.push(line);
    }
    routers.sort();
    side.anonymous(&(text + &routers.concat()))
}
