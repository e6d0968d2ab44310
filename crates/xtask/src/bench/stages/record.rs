//! The record of counts, and what counts are compared with it.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use super::Count;

/// By how many hundredths a stage may grow over its record.
const TOLERANCE: u64 = 5;

/// What changes less keeps its record and the reason with it.
const NOISE: f64 = 0.01;

const HEAD: &str = "\
# Instructions that each stage takes once, and why it takes more or fewer than before.
# `cargo xtask bench stages` compares with it, `cargo xtask bench stages --record \"why\"` rewrites it.
";

/// Counts by the names of stages.
#[derive(Debug, Default)]
pub(super) struct Record {
    stages: BTreeMap<String, Recorded>,
}

#[derive(Clone, Debug)]
struct Recorded {
    instructions: u64,
    reason: String,
}

impl Record {
    pub(super) fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).context("there is no record of the stages")?;
        let table: Table = text.parse().context("the record of the stages")?;
        let stages = table.iter().map(|(name, stage)| {
            let instructions = stage.get("instructions").and_then(Value::as_integer);
            let instructions = instructions.and_then(|count| u64::try_from(count).ok());
            let reason = stage.get("reason").and_then(Value::as_str).unwrap_or_default().to_owned();
            let instructions = instructions.with_context(|| format!("`{name}` has no count"))?;
            Ok((name.clone(), Recorded { instructions, reason }))
        });
        Ok(Self { stages: stages.collect::<Result<_>>()? })
    }

    pub(super) fn write(&self, file: &Path) -> Result<()> {
        let mut text = HEAD.to_owned();
        for (name, Recorded { instructions, reason }) in &self.stages {
            let (name, reason) = (Value::from(name.as_str()), Value::from(reason.as_str()));
            write!(text, "\n[{name}]\ninstructions = {instructions}\nreason = {reason}\n")?;
        }
        fs::write(file, text).context("the record of the stages cannot be written")
    }

    /// A table of counts beside their records, and what is wrong. With `all`, each stage on record must
    /// have been counted.
    pub(super) fn compare(&self, counts: &[Count], all: bool) -> (String, Vec<String>) {
        let mut table = row("stage", "recorded", "now", "change");
        let mut faults = Vec::new();
        for (name, now) in counts {
            let Some(Recorded { instructions, .. }) = self.stages.get(name) else {
                table.push_str(&row(name, "", &now.to_string(), "new"));
                faults.push(format!("`{name}` is not on record"));
                continue;
            };
            let grown = growth(*instructions, *now);
            let change = format!("{:+.1} %", grown * 100.0);
            table.push_str(&row(name, &instructions.to_string(), &now.to_string(), &change));
            if now.saturating_mul(100) > instructions.saturating_mul(100 + TOLERANCE) {
                faults.push(format!("`{name}` takes {now} instructions, {change} over its record"));
            }
        }
        let counted = |stage: &&String| counts.iter().any(|(name, _)| name == *stage);
        let gone = self.stages.keys().filter(|stage| all && !counted(stage));
        faults
            .extend(gone.map(|name| format!("`{name}` is on record, but there is no such stage")));
        (table, faults)
    }

    /// The record of these counts; `reason` is why those that changed did.
    pub(super) fn updated(&self, counts: &[Count], reason: &str) -> Self {
        let stages = counts.iter().map(|(name, now)| {
            let same = |old: &&Recorded| growth(old.instructions, *now).abs() < NOISE;
            let kept = self.stages.get(name).filter(same).cloned();
            let fresh = || Recorded { instructions: *now, reason: reason.to_owned() };
            (name.clone(), kept.unwrap_or_else(fresh))
        });
        Self { stages: stages.collect() }
    }
}

/// By which part of `before` a count has grown.
#[expect(clippy::cast_precision_loss, reason = "a ratio is wanted, not its last digits")]
fn growth(before: u64, now: u64) -> f64 {
    now as f64 / before.max(1) as f64 - 1.0
}

fn row(stage: &str, recorded: &str, now: &str, change: &str) -> String {
    format!("{stage:<28}{recorded:>14}{now:>14}{change:>10}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(counts: &[(&str, u64)]) -> Vec<Count> {
        counts.iter().map(|&(name, count)| (name.to_owned(), count)).collect()
    }

    fn faults(record: &Record, now: &[(&str, u64)]) -> Vec<String> {
        record.compare(&counts(now), true).1
    }

    #[test]
    fn growth_beyond_the_tolerance_is_a_fault() {
        let record = Record::default().updated(&counts(&[("a", 1000)]), "first");
        assert!(faults(&record, &[("a", 1050)]).is_empty());
        assert_eq!(
            faults(&record, &[("a", 1051)]),
            ["`a` takes 1051 instructions, +5.1 % over its record"]
        );
        assert!(faults(&record, &[("a", 500)]).is_empty());
    }

    #[test]
    fn record_and_stages_name_the_same() {
        let record = Record::default().updated(&counts(&[("a", 1000)]), "first");
        assert_eq!(
            faults(&record, &[("b", 1)]),
            ["`b` is not on record", "`a` is on record, but there is no such stage"]
        );
        assert!(record.compare(&[], false).1.is_empty());
    }

    #[test]
    fn what_did_not_change_keeps_its_reason() {
        let first = counts(&[("a", 1000), ("b \"quoted\"", 1000)]);
        let record = Record::default().updated(&first, "first");
        let record = record.updated(&counts(&[("a", 1005), ("b \"quoted\"", 900)]), "faster");
        let file = std::env::temp_dir().join(format!("portway-record-{}.toml", std::process::id()));
        record.write(&file).unwrap();
        let read = Record::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let shown = |name: &str| (read.stages[name].instructions, read.stages[name].reason.clone());
        assert_eq!(shown("a"), (1000, "first".to_owned()));
        assert_eq!(shown("b \"quoted\""), (900, "faster".to_owned()));
    }
}
