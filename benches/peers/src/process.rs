//! A contender's processes: started on their core, measured, ended.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};

/// The core of the proxies.
pub(crate) const PROXY_CORE: usize = 0;

/// The core of the load generator, the backend and the runner.
pub(crate) const LOAD_CORE: usize = 1;

/// How long a contender may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// A process and its descendants.
#[derive(Debug)]
pub(crate) struct Tree {
    child: Child,
}

/// CPU time that a tree has used.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CpuTime {
    /// Nanoseconds of user and system time, by the scheduler's account.
    pub(crate) nanoseconds: u64,
    /// Ticks of user time.
    user: u64,
    /// Ticks of user and system time.
    ticks: u64,
}

impl CpuTime {
    /// What was used since `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            nanoseconds: self.nanoseconds.saturating_sub(before.nanoseconds),
            user: self.user.saturating_sub(before.user),
            ticks: self.ticks.saturating_sub(before.ticks),
        }
    }

    /// The share of it that was spent in user space, in ticks' precision.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    pub(crate) fn user_share(self) -> f64 {
        if self.ticks == 0 { 0.0 } else { self.user as f64 / self.ticks as f64 }
    }
}

impl Tree {
    /// Starts a command on a core; its output goes to a file. It ends with this process, however that ends.
    pub(crate) fn start(command: &Command, core: usize, log: &Path) -> Result<Self> {
        let mut pinned = Command::new("setpriv");
        pinned.args(["--pdeathsig", "TERM", "taskset", "-c"]).arg(core.to_string());
        pinned.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                pinned.env(name, value);
            }
        }
        let output = fs::File::create(log)?;
        pinned.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = pinned.spawn().with_context(|| format!("cannot run {pinned:?}"))?;
        Ok(Self { child })
    }

    /// Whether the first process is still there.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// CPU time of the whole tree so far.
    pub(crate) fn cpu_time(&self) -> CpuTime {
        let mut sum = CpuTime::default();
        for process in self.processes() {
            add_cpu_time(process, &mut sum);
        }
        sum
    }

    /// Resident memory of the whole tree in bytes; what processes share is counted once.
    pub(crate) fn memory(&self) -> u64 {
        self.processes().into_iter().filter_map(proportional_set).sum()
    }

    fn processes(&self) -> Vec<u32> {
        let mut found = vec![self.child.id()];
        let mut next = 0;
        while let Some(&process) = found.get(next) {
            next += 1;
            for task in tasks(process) {
                let path = format!("/proc/{process}/task/{task}/children");
                let children = fs::read_to_string(path).unwrap_or_default();
                found.extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
            }
        }
        found
    }

    fn signal(&self, signal: Signal) {
        for process in self.processes() {
            let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
            // A process that has ended meanwhile is what was asked for.
            let _ = pid.map(|pid| kill_process(pid, signal));
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
        let since = Instant::now();
        while self.is_alive() && since.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(10));
        }
        if self.is_alive() {
            self.signal(Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// CPU time of this very process.
pub(crate) fn own_cpu_time() -> CpuTime {
    let mut sum = CpuTime::default();
    add_cpu_time(std::process::id(), &mut sum);
    sum
}

fn tasks(process: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(format!("/proc/{process}/task")) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn add_cpu_time(process: u32, sum: &mut CpuTime) {
    for task in tasks(process) {
        let path = format!("/proc/{process}/task/{task}/schedstat");
        let text = fs::read_to_string(path).unwrap_or_default();
        sum.nanoseconds +=
            text.split_whitespace().next().and_then(|first| first.parse::<u64>().ok()).unwrap_or(0);
    }
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // What follows the name begins with the third field; 14 and 15 are user and system time.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let mut times = fields.split_whitespace().skip(11).map_while(|field| field.parse::<u64>().ok());
    let (user, system) = (times.next().unwrap_or(0), times.next().unwrap_or(0));
    sum.user += user;
    sum.ticks += user + system;
}

fn proportional_set(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}
