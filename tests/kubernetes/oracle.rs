//! The real Traefik and Portway watch the same API server; what both make of the same objects is compared.
//!
//! - [`addresses`]: the status of Ingresses.
//! - [`corpus`]: files of objects, each applied alone: those of the golden tests and of `oracle/`.
//! - [`generate`]: random sets of objects.
//! - [`requests`]: requests asked of both, through real servers.
//! - [`stage`]: the API server, both programs, and when they have seen what was applied.
//! - [`marks`]: objects that tell how far a program has read.
//! - [`compare`]: `/api/rawdata` of both, and which differences are wanted.
//!
//! `ORACLE_ONLY` selects files by their path; `ORACLE_SHOW` prints each comparison with the time when it ended.

mod addresses;
mod compare;
mod corpus;
mod generate;
mod marks;
mod requests;
mod stage;

use std::time::Instant;

use stage::Stage;

#[test]
fn both_make_the_same_of_the_same_objects() {
    let Some(mut stage) = Stage::start() else { return };
    let mut report = Report::new();
    corpus::compare(&mut stage, &mut report);
    generate::compare(&mut stage, &mut report);
    report.finish();
}

/// What was compared, and what differed.
#[derive(Debug)]
struct Report {
    start: Instant,
    compared: usize,
    mismatches: Vec<String>,
}

impl Report {
    fn new() -> Self {
        Self { start: Instant::now(), compared: 0, mismatches: Vec::new() }
    }

    /// Counts a comparison under its name.
    fn add(&mut self, name: &str, mismatch: Option<String>) {
        self.compared += 1;
        if std::env::var_os("ORACLE_SHOW").is_some() {
            println!("{:?} {name} {}", self.start.elapsed(), mismatch.as_deref().unwrap_or("ok"));
        }
        self.mismatches.extend(mismatch.map(|text| format!("=== {name}\n{text}")));
    }

    #[track_caller]
    fn finish(self) {
        let (count, compared) = (self.mismatches.len(), self.compared);
        assert!(compared > 0, "nothing was compared");
        assert!(count == 0, "{count} of {compared} differ\n{}", self.mismatches.join("\n"));
    }
}
