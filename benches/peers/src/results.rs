//! What a run leaves: one file with every round's figures.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// A whole run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Run {
    /// When it began, in UTC.
    pub(crate) date: String,
    /// The commit of the working tree, `-dirty` with changes; empty without git.
    #[serde(default)]
    pub(crate) commit: String,
    pub(crate) machine: Machine,
    /// The command's arguments.
    pub(crate) arguments: Vec<String>,
    /// Versions by contender.
    pub(crate) versions: BTreeMap<String, String>,
    pub(crate) workloads: Vec<Work>,
}

/// What it ran on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) kernel: String,
    pub(crate) processor: String,
    pub(crate) cores: usize,
}

/// One workload's part.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Work {
    pub(crate) name: String,
    pub(crate) connections: usize,
    /// Requests a second of an open loop.
    pub(crate) rate: Option<f64>,
    pub(crate) lanes: Vec<LaneResult>,
}

/// One contender's part in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct LaneResult {
    pub(crate) label: String,
    /// From start to the first answer.
    pub(crate) start_seconds: f64,
    /// Resident memory after the warm-up, before the rounds.
    pub(crate) memory_before: u64,
    pub(crate) rounds: Vec<Round>,
}

/// One round's figures.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Round {
    pub(crate) requests: u64,
    pub(crate) seconds: f64,
    /// User and system time of the contender's processes.
    pub(crate) cpu_nanoseconds: u64,
    pub(crate) user_share: f64,
    /// CPU time of load generator and backend.
    pub(crate) load_nanoseconds: u64,
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    /// Resident memory at the window's end.
    pub(crate) memory: u64,
    pub(crate) full_handshakes: u64,
    pub(crate) resumed_handshakes: u64,
    /// Why the round does not count.
    pub(crate) failure: Option<String>,
}

impl Round {
    /// One that does not count.
    pub(crate) fn failed(why: String) -> Self {
        Self { failure: Some(why), ..Self::default() }
    }

    /// Microseconds of the contender's CPU for a request.
    pub(crate) fn cpu_per_request(&self) -> f64 {
        ratio(self.cpu_nanoseconds, self.requests) / 1e3
    }

    /// Requests in a second.
    pub(crate) fn rate(&self) -> f64 {
        number(self.requests) / self.seconds
    }

    /// Resident memory in MiB.
    pub(crate) fn mebibytes(&self) -> f64 {
        number(self.memory) / f64::from(1 << 20)
    }

    /// How much of its core the contender used.
    pub(crate) fn proxy_core(&self) -> f64 {
        number(self.cpu_nanoseconds) / 1e9 / self.seconds
    }

    /// How much of their core load generator and backend used.
    pub(crate) fn load_core(&self) -> f64 {
        number(self.load_nanoseconds) / 1e9 / self.seconds
    }
}

impl LaneResult {
    /// Without any round yet.
    pub(crate) fn new(label: &str) -> Self {
        Self { label: label.to_owned(), ..Self::default() }
    }

    /// A figure of every round; `None` without rounds or with failed ones.
    pub(crate) fn figures(&self, figure: impl Fn(&Round) -> f64) -> Option<Vec<f64>> {
        let counts = self.failure().is_none() && !self.rounds.is_empty();
        counts.then(|| self.rounds.iter().map(figure).collect())
    }

    /// The middle, the lowest and the highest of it.
    pub(crate) fn spread(&self, figure: impl Fn(&Round) -> f64) -> Option<Spread> {
        Spread::of(self.figures(figure)?)
    }

    /// The first failure of a round.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.rounds.iter().find_map(|round| round.failure.as_deref())
    }

    /// Bytes of resident memory for each of so many connections.
    pub(crate) fn bytes_per_connection(&self, round: &Round, connections: usize) -> f64 {
        ratio(round.memory.saturating_sub(self.memory_before), connections as u64)
    }

    /// The same over all rounds.
    pub(crate) fn memory_per_connection(&self, connections: usize) -> Option<Spread> {
        self.spread(|round| self.bytes_per_connection(round, connections))
    }
}

/// A figure over several rounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) lowest: f64,
    pub(crate) highest: f64,
}

impl Spread {
    /// `None` of nothing.
    pub(crate) fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let upper = figures.get(figures.len() / 2)?;
        let lower = figures.get((figures.len() - 1) / 2)?;
        let median = f64::midpoint(*lower, *upper);
        Some(Self { median, lowest: *figures.first()?, highest: *figures.last()? })
    }
}

impl Run {
    /// Writes it under the next free name of its day.
    pub(crate) fn save(&self, folder: &Path) -> Result<PathBuf> {
        let path = next_free(folder, &self.date)?;
        fs::write(&path, serde_json::to_string_pretty(self)? + "\n")?;
        Ok(path)
    }

    /// Reads what was saved.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    /// The last part of each workload out of several runs, the oldest first.
    pub(crate) fn latest(runs: &[Self]) -> Self {
        let mut latest = Self::default();
        for run in runs {
            latest.machine = run.machine.clone();
            latest.commit.clone_from(&run.commit);
            latest.date.clone_from(&run.date);
            latest.versions.extend(run.versions.clone());
            for work in &run.workloads {
                match latest.workloads.iter_mut().find(|known| known.name == work.name) {
                    Some(known) => *known = work.clone(),
                    None => latest.workloads.push(work.clone()),
                }
            }
        }
        latest
    }

    /// The part of a workload.
    pub(crate) fn work(&self, name: &str) -> Option<&Work> {
        self.workloads.iter().find(|work| work.name == name)
    }
}

/// The next free name of a day in a folder, which is made.
pub(crate) fn next_free(folder: &Path, date: &str) -> Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let day = date.get(..10).unwrap_or("undated");
    let mut names = (1u32..).map(|number| folder.join(format!("{day}-{number}.json")));
    names.find(|path| !path.exists()).context("no free name")
}

/// The time in UTC.
pub(crate) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// What the working tree is.
pub(crate) fn commit() -> String {
    let mut git = Command::new("git");
    let git = git.args(["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty"]);
    let output = git.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}

impl Work {
    /// The part of a contender.
    pub(crate) fn lane(&self, label: &str) -> Option<&LaneResult> {
        self.lanes.iter().find(|lane| lane.label == label)
    }
}

impl Machine {
    /// This one.
    pub(crate) fn here() -> Self {
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let mut fields = processors.lines().filter_map(|line| line.split_once(':'));
        let model = fields.find(|(name, _)| name.trim() == "model name");
        Self {
            kernel: kernel.trim().to_owned(),
            processor: model.map(|(_, model)| model.trim().to_owned()).unwrap_or_default(),
            cores: std::thread::available_parallelism().map_or(0, std::num::NonZeroUsize::get),
        }
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { number(part) / number(whole) }
}

#[expect(clippy::cast_precision_loss, reason = "counts and times far below 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::{LaneResult, Round, Run, Spread, Work};

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        let spread = Spread::of(vec![4.0, 1.0, 2.0, 9.0]).unwrap();
        assert_eq!((spread.median, spread.lowest, spread.highest), (3.0, 1.0, 9.0));
        assert!(Spread::of(Vec::new()).is_none());
    }

    #[test]
    fn a_failed_round_leaves_no_figure() {
        let fine = Round { requests: 10, cpu_nanoseconds: 50_000, ..Round::default() };
        let mut lane = LaneResult { rounds: vec![fine.clone()], ..LaneResult::default() };
        assert_eq!(lane.spread(Round::cpu_per_request).unwrap().median, 5.0);
        lane.rounds.push(Round { failure: Some("503".to_owned()), ..fine });
        assert!(lane.spread(Round::cpu_per_request).is_none());
    }

    #[test]
    fn the_last_run_of_a_workload_counts() {
        let work = |name: &str, connections| Work {
            name: name.to_owned(),
            connections,
            ..Work::default()
        };
        let first = Run { workloads: vec![work("h1", 1), work("tls", 2)], ..Run::default() };
        let second = Run { workloads: vec![work("h1", 3)], ..Run::default() };
        let latest = Run::latest(&[first, second]);
        assert_eq!(latest.work("h1").unwrap().connections, 3);
        assert_eq!(latest.work("tls").unwrap().connections, 2);
    }
}
