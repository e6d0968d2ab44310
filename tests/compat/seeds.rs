//! Comparisons that are made of seeds: as many as are asked for, and all that differs.
//!
//! `COMPAT_SEED` is the first; `COMPAT_ALL` shows every mismatch.

use std::thread;

use portway_testkit::random::number_from_environment;

use super::pair::Pair;

/// How many mismatches are shown.
const SHOWN: usize = 20;

/// Plays what `play` makes of the `usual` seeds, or as many as the variable says, so many of them `at_once`, and fails
/// with what differs. `None` of `play` ends it: there is nothing to compare with.
#[track_caller]
pub(crate) fn each(
    variable: &str,
    usual: u64,
    at_once: usize,
    play: impl Fn(u64) -> Option<Pair> + Sync,
) {
    let first = number_from_environment("COMPAT_SEED", 1);
    let end = first + number_from_environment(variable, usual);
    let mut failures = Vec::new();
    let mut compared = 0;
    for seed in (first..end).step_by(at_once) {
        let seeds = seed..end.min(seed + at_once as u64);
        let pairs: Vec<Option<Pair>> = thread::scope(|scope| {
            let play = &play;
            let started: Vec<_> = seeds.map(|seed| scope.spawn(move || play(seed))).collect();
            started.into_iter().map(|one| one.join().expect("a seed that is played")).collect()
        });
        for pair in pairs {
            let Some(pair) = pair else { return };
            compared += pair.compared();
            failures.extend_from_slice(pair.mismatches());
        }
    }
    println!("{compared} compared from COMPAT_SEED={first}, {} differ", failures.len());
    let count = failures.len();
    if std::env::var_os("COMPAT_ALL").is_none() {
        failures.truncate(SHOWN);
    }
    assert!(compared > 0, "nothing was compared");
    assert!(count == 0, "{count} of {compared} differ\n{}", failures.join("\n"));
}
