//! `bench stages`: instructions of each stage, compared with the record in `benches/stages.toml`.
//!
//! The runner is our own, since it is short: callgrind runs the binary of `benches/stages` once for each
//! stage and counts what happens inside of one function of it. gungraun (iai-callgrind before) does the
//! same with statistics that we do not use, and would need a second binary, installed in exactly its
//! version. Counts are the same from run to run to within some parts in ten thousand, whatever else the
//! machine does; they change with the toolchain and with the architecture.

mod record;

use std::{
    env::consts::ARCH,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
    thread,
};

use anyhow::{Context as _, Result, anyhow, bail};

use self::record::Record;
use crate::{cargo, root, run, shown, tools};

/// The architecture of the counts on record.
const RECORDED_ON: &str = "x86_64";

/// Counts only while inside of it; see `benches/stages/src/lib.rs`.
const COUNTED: &str = "--toggle-collect=*counted_part*";

/// A stage of the binary.
struct Stage {
    name: String,
    /// How many times one run of the binary does it.
    times: u64,
}

/// A stage's name and the instructions that it takes once.
pub(crate) type Count = (String, u64);

/// Compares the stages whose names hold `wanted` with the record.
///
/// # Errors
/// When a stage has grown too much or is not on record, or cannot be run.
pub(crate) fn compare(wanted: &str) -> Result<()> {
    let Some(counts) = count(wanted)? else { return Ok(()) };
    let record = Record::read(&record_file())?;
    let (table, faults) = record.compare(&counts, wanted.is_empty());
    print!("{table}");
    if !faults.is_empty() {
        bail!(
            "{}\nIf it has to be so, `cargo xtask bench stages --record \"why\"` records it",
            faults.join("\n")
        );
    }
    Ok(())
}

/// Counts all stages and records what has changed, with the reason for it.
///
/// # Errors
/// When a stage cannot be run or the record not be written.
pub(crate) fn record(reason: &str) -> Result<()> {
    if reason.trim().is_empty() {
        bail!("a change of the record needs a reason");
    }
    let Some(counts) = count("")? else { return Ok(()) };
    let before = Record::read(&record_file()).unwrap_or_default();
    print!("{}", before.compare(&counts, true).0);
    before.updated(&counts, reason).write(&record_file())
}

fn record_file() -> PathBuf {
    root().join("benches/stages.toml")
}

/// Counts the stages whose names hold `wanted`; `None` where there is no way to.
fn count(wanted: &str) -> Result<Option<Vec<Count>>> {
    if ARCH != RECORDED_ON {
        tools::missing(&format!("a machine of architecture {RECORDED_ON}"), "a counter like it")?;
        return Ok(None);
    }
    if !tools::by_apt("valgrind", "valgrind") {
        tools::missing("valgrind", "`apt-get install valgrind`")?;
        return Ok(None);
    }
    run(&mut cargo(["build", "--release", "--package", "portway-stages"]))?;
    let binary = root().join("target/release/portway-stages");
    let folder = root().join("target/stages");
    fs::create_dir_all(&folder)?;
    let stages = stages(&binary)?.into_iter().filter(|stage| stage.name.contains(wanted));
    count_all(&binary, &folder, &stages.collect::<Vec<_>>()).map(Some)
}

fn stages(binary: &Path) -> Result<Vec<Stage>> {
    let listed = Command::new(binary).output().context("the stages cannot be listed")?;
    let listed = String::from_utf8(listed.stdout)?;
    let stage = |line: &str| {
        let (times, name) = line.split_once(' ')?;
        Some(Stage { name: name.to_owned(), times: times.parse().ok().filter(|&t| t > 0)? })
    };
    let stages = listed.lines().map(|line| stage(line).ok_or_else(|| anyhow!("stage `{line}`")));
    stages.collect()
}

/// Runs as many stages at once as there are processors, beginning with the last, which take longest.
fn count_all(binary: &Path, folder: &Path, stages: &[Stage]) -> Result<Vec<Count>> {
    let waiting = Mutex::new(stages.iter().enumerate());
    let next = || waiting.lock().ok()?.next_back();
    let work = || {
        let mut counted = Vec::new();
        while let Some((number, stage)) = next() {
            counted.push((number, count_one(binary, folder, stage)));
        }
        counted
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut counted = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect::<Vec<_>>()
    });
    if counted.len() != stages.len() {
        bail!("a stage was lost");
    }
    counted.sort_by_key(|(number, _)| *number);
    counted.into_iter().map(|(_, count)| count).collect()
}

fn count_one(binary: &Path, folder: &Path, stage: &Stage) -> Result<Count> {
    // What was counted stays there: `callgrind_annotate` shows where the instructions are.
    let letters = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = stage.name.chars().map(letters).collect();
    let file = folder.join(name + ".callgrind");
    let mut out = OsString::from("--callgrind-out-file=");
    out.push(&file);
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--tool=callgrind", COUNTED]).arg(out).arg(binary).arg(&stage.name);
    let output = valgrind.output().context("valgrind cannot run")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed with {}: {said}", shown(&valgrind), output.status);
    }
    let text = fs::read_to_string(&file)?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let total: u64 =
        total.and_then(|total| total.parse().ok()).context("callgrind gave no total")?;
    if total == 0 {
        bail!("nothing of `{}` was counted", stage.name);
    }
    Ok((stage.name.clone(), total.div_ceil(stage.times)))
}
