//! Several requests at entry points made at random, at once or on one connection of HTTP/2: who is counted as one
//! client, when a place is free again, and how long a connection goes on.
//!
//! `COMPAT_SEED` is the first seed and `COMPAT_CROWDS` how many follow it.

use portway_testkit::process::Setup;
use portway_testkit::random::Random;

use super::{pair::Pair, seeds};

mod doors;
mod guests;
mod together;
mod trains;
mod waits;

/// Plays what `play` makes of some seeds.
#[track_caller]
fn seeds(play: impl Fn(u64) -> Option<Pair> + Sync) {
    seeds::each("COMPAT_CROWDS", 2, 1, play);
}

/// A setup with these options of entry points.
fn setup(dynamic: &str, doors: &[(&str, Vec<String>)]) -> Setup {
    let mut setup = Setup::web(dynamic).flag("--log.level=ERROR");
    for (name, options) in doors {
        setup = setup.entry_point(name);
        for option in options {
            setup = setup.flag(&format!("--entryPoints.{name}.{option}"));
        }
    }
    setup
}

/// How a set of entry points is written.
fn text_of(setup: &Setup) -> String {
    format!("{}\n{}", setup.flags.join("\n"), setup.files[0].1)
}

/// A generator for a seed and a kind of play, so that each has its own choices.
fn random(seed: u64, kind: u64) -> Random {
    Random::new(seed.wrapping_mul(1_000_003).wrapping_add(kind))
}
