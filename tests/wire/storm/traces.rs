//! What a storm leaves behind in the process: open files, memory, lines of its log.

use std::collections::HashMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use portway_testkit::process::Process;

use super::ticket::Ticket;

/// How long it may take until all is given back.
const PATIENCE: Duration = Duration::from_secs(12);

/// How many more files may be open once no server has a connection any more.
const FILES: usize = 2;

/// How much more memory may be resident, in bytes: what an allocator keeps.
const MEMORY: u64 = 96 * 1024 * 1024;

/// What the process holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traces {
    files: usize,
    threads: usize,
    memory: u64,
}

impl Traces {
    pub(super) fn of(process: &Process) -> Self {
        let count = |what: &str| {
            let folder = format!("/proc/{}/{what}", process.id());
            fs::read_dir(folder).map(Iterator::count).unwrap_or(0)
        };
        Self { files: count("fd"), threads: count("task"), memory: process.resident_bytes() }
    }

    /// The same files with what is held later of the rest.
    pub(super) fn warm(self, process: &Process) -> Self {
        Self { files: self.files, ..Self::of(process) }
    }

    /// What it holds once it holds little more than before, or patience is over.
    pub(super) fn settled(process: &Process, before: &Self) -> Self {
        let begun = Instant::now();
        loop {
            let now = Self::of(process);
            if now.is_like(before) || begun.elapsed() > PATIENCE {
                return now;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn is_like(&self, before: &Self) -> bool {
        self.files <= before.files + FILES
            && self.threads <= before.threads + 2
            && self.memory <= before.memory + MEMORY
    }

    #[track_caller]
    pub(super) fn check(&self, before: &Self) {
        assert!(self.is_like(before), "before {before:?}, after {self:?}");
    }
}

/// Nothing is an error of the process's own.
#[track_caller]
pub(super) fn check_log(log: &str) {
    let bad = |line: &&str| ["ERROR", "panick"].iter().any(|word| line.contains(word));
    let lines: Vec<_> = log.lines().filter(bad).collect();
    assert_eq!(lines, Vec::<&str>::new());
}

/// Every request has one record, and those that were answered have one in any case.
#[track_caller]
pub(super) fn check_records(records: &str, answered: &[u64], seed: u64) {
    let mut counts = HashMap::<u64, usize>::new();
    for line in records.lines() {
        let record: serde_json::Value = serde_json::from_str(line).expect("a record");
        let ticket = record.get("request_Ticket").and_then(serde_json::Value::as_str);
        if let Some(ticket) = ticket.and_then(Ticket::parse) {
            *counts.entry(ticket.id).or_default() += 1;
        }
    }
    let several: Vec<_> = counts.iter().filter(|(_, count)| **count > 1).collect();
    assert!(several.is_empty(), "recorded several times, seed {seed}: {several:x?}");
    let missing: Vec<_> = answered.iter().filter(|id| !counts.contains_key(id)).collect();
    assert!(missing.is_empty(), "answered and not recorded, seed {seed}: {missing:x?}");
}
