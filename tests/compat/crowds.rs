//! Several requests at entry points made at random, at once or on one connection of HTTP/2: who is counted as one
//! client, when a place is free again, and how long a connection goes on.
//!
//! `COMPAT_SEED` is the first seed and `COMPAT_CROWDS` how many follow it.

use portway_testkit::process::Setup;
use portway_testkit::random::{Random, number_from_environment};

use super::pair::Pair;

mod doors;
mod guests;
mod together;
mod trains;
mod waits;

/// How many failures are told.
const SHOWN: usize = 10;

/// Plays what `play` makes of some seeds, and fails with all that differs.
#[track_caller]
fn seeds(play: impl Fn(u64) -> Option<Pair>) {
    let first = number_from_environment("COMPAT_SEED", 1);
    let count = number_from_environment("COMPAT_CROWDS", 2);
    let mut failures = Vec::new();
    let mut compared = 0;
    for seed in first..first + count {
        let Some(pair) = play(seed) else { return };
        compared += pair.compared();
        failures.extend_from_slice(pair.mismatches());
    }
    println!("{compared} compared from COMPAT_SEED={first}, {} differ", failures.len());
    let count = failures.len();
    if std::env::var_os("COMPAT_ALL").is_none() {
        failures.truncate(SHOWN);
    }
    assert!(compared > 0, "nothing was compared");
    assert!(count == 0, "{count} of {compared} differ\n{}", failures.join("\n"));
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
