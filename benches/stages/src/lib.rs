//! Stages of the request's way and of the configuration's, each run so that its instructions can be counted.
//!
//! `cargo xtask bench stages` runs the binary once for each stage under callgrind, which counts only what
//! happens inside [`counted_part`]: neither preparation nor start-up. What is counted is code of this
//! process; the kernel's part of a system call counts as nothing.
//!
//! Counts are compared from run to run, so nothing here depends on chance: hosts are picked in a fixed
//! order, and what a stage does first (growing its memory, filling its caches) happens before counting.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a bench fails by panicking")]

pub mod compress;
pub mod configuration;
pub mod exchange;
pub mod heads;
pub mod requests;
pub mod routing;

/// A stage: what is counted, and how often it happens.
#[derive(Clone, Copy, Debug)]
pub struct Stage {
    /// Its name in the record.
    pub name: &'static str,
    /// How many times it is run; the count is divided by it.
    pub times: u32,
    /// Runs it that many times, each inside of [`counted_part`].
    pub run: fn(u32),
}

/// All stages, in the order of the request's way and then of the configuration's.
pub const STAGES: &[Stage] = &[
    Stage { name: "request head, plain", times: 2000, run: heads::parse_plain },
    Stage { name: "request head, browser", times: 1000, run: heads::parse_browser },
    Stage { name: "response head", times: 2000, run: heads::parse_response },
    Stage { name: "canonical form, plain", times: 2000, run: heads::canonicalise_plain },
    Stage { name: "canonical form, browser", times: 1000, run: heads::canonicalise_browser },
    Stage { name: "route, 1 router", times: 1000, run: routing::one },
    Stage { name: "route, 1,000 routers", times: 1000, run: routing::thousand },
    Stage { name: "route, 100,000 routers", times: 1000, run: routing::hundred_thousand },
    Stage { name: "chain of five", times: 1000, run: routing::chain },
    Stage { name: "chain of eight", times: 1000, run: routing::chain_of_eight },
    Stage { name: "server pick", times: 1000, run: routing::pick },
    Stage { name: "write request head", times: 1000, run: heads::write_request },
    Stage { name: "write response head", times: 1000, run: heads::write_response },
    Stage { name: "compress 10 KB, brotli", times: 50, run: compress::by_brotli },
    Stage { name: "compress 10 KB, brotli alone", times: 50, run: compress::brotli_alone },
    Stage { name: "compress 10 KB, gzip", times: 50, run: compress::by_gzip },
    Stage { name: "compress 10 KB, gzip alone", times: 50, run: compress::gzip_alone },
    Stage { name: "exchange, plain", times: 2000, run: exchange::plain },
    Stage { name: "exchange, browser", times: 1000, run: exchange::browser },
    Stage { name: "compile and publish 10,000", times: 1, run: configuration::compile_and_publish },
    Stage { name: "one change of 100,000", times: 1, run: configuration::one_change },
];

/// How often a stage runs before it is counted.
const WARM_UP: u32 = 8;

/// Prepares and works `times` times on `state`; the work alone is counted.
pub fn repeat<S>(
    times: u32,
    state: &mut S,
    mut prepare: impl FnMut(&mut S),
    mut work: impl FnMut(&mut S),
) {
    for _ in 0..WARM_UP {
        prepare(state);
        work(state);
    }
    for _ in 0..times {
        prepare(state);
        counted_part(&mut || work(state));
    }
}

/// What callgrind counts; its name is what `cargo xtask bench stages` looks for.
#[inline(never)]
pub fn counted_part(work: &mut dyn FnMut()) {
    work();
}
