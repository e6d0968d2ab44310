//! Rounds over contenders, in turn, so that whatever changes on the machine meets all of them.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, sched_setaffinity},
};

use crate::{
    certificate::Certificate,
    contender::{Contender, HOST, Kind, Place, Setup, loopback},
    instance::Instance,
    load::{Edge, Outcome, Plan, Sessions, TlsClient, drive},
    options::Options,
    process::{CpuTime, LOAD_CORE, Tree, own_cpu_time},
    report,
    results::{LaneResult, Machine, Round, Run, Spread, Work, commit, now},
    workload::{Lane, Workload},
};

/// The share of nginx's highest rate at which latencies are compared.
const SHARE_OF_HIGHEST: f64 = 0.7;

/// How long load comes before each window.
const WARM_UP: Duration = Duration::from_millis(400);

/// How long idle connections settle before memory is read.
const SETTLING: Duration = Duration::from_secs(1);

/// Runs what the options ask for and writes results; fails if any round did.
pub(crate) fn run(options: &Options) -> Result<()> {
    prepare_process()?;
    let contenders = contenders(options);
    ensure!(!contenders.is_empty(), "there is no contender");
    let scratch = Scratch::make()?;
    let certificate = Certificate::make(&scratch.0)?;
    let bench = Bench { options, scratch: &scratch.0, certificate: &certificate };
    let backend = bench.backend()?;
    let mut run = Run {
        date: now(),
        commit: commit(),
        machine: Machine::here(),
        arguments: env::args().skip(2).filter(|argument| !argument.contains('/')).collect(),
        versions: contenders.iter().map(|one| (one.name.clone(), one.version.clone())).collect(),
        workloads: Vec::new(),
    };
    for workload in &options.workloads {
        let lanes = workload.lanes(&contenders)?;
        if !lanes.is_empty() {
            let work = bench.work(workload, &lanes, &backend)?;
            println!("{}", report::work(workload, &work));
            run.workloads.push(work);
        }
    }
    println!("{}", report::goals(&run));
    let path = run.save(&options.results)?;
    println!("{}", path.display());
    let mut lanes = run.workloads.iter().flat_map(|work| &work.lanes);
    match lanes.find_map(|lane| Some((&lane.label, lane.failure()?))) {
        Some((label, failure)) => bail!("a round of {label} failed: {failure}"),
        None => Ok(()),
    }
}

/// Pins this process to its core and takes what files it may.
fn prepare_process() -> Result<()> {
    let cores = thread::available_parallelism()?;
    ensure!(cores.get() >= 2, "proxy and load need a core each");
    let mut core = CpuSet::new();
    core.set(LOAD_CORE);
    sched_setaffinity(None, &core).context("cannot stay on one core")?;
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    Ok(())
}

fn contenders(options: &Options) -> Vec<Contender> {
    let mut found = Vec::new();
    for kind in options.contenders() {
        match Contender::find(kind) {
            Some(contender) => found.push(contender),
            None => eprintln!("left out: {}, which is not there", kind.name()),
        }
        // Other builds stand beside the one that they are compared with.
        if kind == Kind::Portway {
            for (name, program) in &options.binaries {
                match Contender::with_program(name, kind, program.clone()) {
                    Some(contender) => found.push(contender),
                    None => eprintln!("left out: {name}, which cannot be run"),
                }
            }
        }
    }
    found
}

/// What all workloads share.
struct Bench<'run> {
    options: &'run Options,
    scratch: &'run Path,
    certificate: &'run Certificate,
}

impl Bench<'_> {
    fn backend(&self) -> Result<Tree> {
        let mut command = Command::new(env::current_exe()?);
        command.arg("backend").arg(loopback(self.options.port).to_string());
        Tree::start(&command, LOAD_CORE, &self.scratch.join("backend.log"))
    }

    fn work(&self, workload: &Workload, lanes: &[Lane], backend: &Tree) -> Result<Work> {
        eprintln!("{}: {}", workload.name, workload.about);
        let instances = self.start(workload, lanes);
        let rate = match workload.paced {
            true => Some(self.highest_rate(workload, lanes, &instances, backend)?),
            false => None,
        };
        let works = Works { workload, lanes, instances: &instances, backend };
        let mut results = works.warm_up()?;
        for number in 1..=self.options.rounds {
            works.round(number, rate, self.options.window, &mut results)?;
        }
        Ok(Work {
            name: workload.name.to_owned(),
            connections: workload.connections,
            rate,
            lanes: results,
        })
    }

    /// Starts what the lanes need; lanes with the same contender and setup get an instance each, too.
    /// One that does not start does not keep the others from being measured.
    fn start(&self, workload: &Workload, lanes: &[Lane]) -> Vec<Result<Instance>> {
        let mut instances = Vec::new();
        for (port, lane) in (self.options.port + 10..).step_by(2).zip(lanes) {
            let folder = self.scratch.join(format!("{}-{}", workload.name, lane.label));
            let place = Place {
                folder: &folder,
                plain: port,
                tls: port + 1,
                backend: loopback(self.options.port),
                certificate: self.certificate,
                setup: lane.setup,
            };
            instances.push(Instance::start(&lane.contender, &place));
        }
        instances
    }

    /// The rate of an open loop: a share of nginx's highest, or of the first contender's without nginx.
    fn highest_rate(
        &self,
        workload: &Workload,
        lanes: &[Lane],
        instances: &[Result<Instance>],
        backend: &Tree,
    ) -> Result<f64> {
        let all = || {
            let pairs = lanes.iter().zip(instances);
            pairs.filter_map(|(lane, instance)| Some((lane, instance.as_ref().ok()?)))
        };
        let nginx = all().find(|(lane, _)| lane.contender.kind == Kind::Nginx);
        let (lane, instance) =
            nginx.or_else(|| all().next()).context("no contender has started")?;
        let measure = Measure { workload, lane, instance, backend, rate: None };
        let mut rates = Vec::new();
        for _ in 0..3 {
            rates.push(measure.round(self.options.window)?.rate());
        }
        let highest = Spread::of(rates).context("no round")?.median;
        Ok((highest * SHARE_OF_HIGHEST).round())
    }
}

/// All contenders under one workload.
struct Works<'run> {
    workload: &'run Workload,
    lanes: &'run [Lane],
    instances: &'run [Result<Instance>],
    backend: &'run Tree,
}

impl Works<'_> {
    /// Lets everybody work for a second; answers results without rounds, but for those who did not start.
    fn warm_up(&self) -> Result<Vec<LaneResult>> {
        let workload = &self.workload.warm_up();
        let mut results = Vec::new();
        for (lane, instance) in self.lanes.iter().zip(self.instances) {
            let mut result = LaneResult::new(&lane.label);
            match instance {
                Ok(instance) => {
                    let backend = self.backend;
                    let measure = Measure { workload, lane, instance, backend, rate: None };
                    measure.round(Duration::from_secs(1))?;
                    result.start_seconds = instance.start.as_secs_f64();
                    result.memory_before = instance.tree.memory();
                }
                Err(error) => {
                    eprintln!("  {}: {error:#}", lane.label);
                    result.rounds.push(Round::failed("it did not start".to_owned()));
                }
            }
            results.push(result);
        }
        Ok(results)
    }

    fn round(
        &self,
        number: u32,
        rate: Option<f64>,
        window: Duration,
        results: &mut [LaneResult],
    ) -> Result<()> {
        let turns = self.lanes.iter().zip(self.instances).zip(results);
        let mut turns: Vec<_> = turns.collect();
        // Each round begins with another one.
        let first = number as usize % turns.len().max(1);
        turns.rotate_left(first);
        for ((lane, instance), result) in turns {
            let Ok(instance) = instance else { continue };
            let (workload, backend) = (self.workload, self.backend);
            let mut round = Measure { workload, lane, instance, backend, rate }.round(window)?;
            if lane.setup == Setup::AccessLog && !instance.empty_log() {
                round.failure.get_or_insert_with(|| "nothing was logged".to_owned());
            }
            eprintln!("  {number} {}: {}", lane.label, report::round(&round));
            result.rounds.push(round);
        }
        Ok(())
    }
}

/// One contender under one workload.
#[derive(Clone, Copy)]
struct Measure<'run> {
    workload: &'run Workload,
    lane: &'run Lane,
    instance: &'run Instance,
    backend: &'run Tree,
    rate: Option<f64>,
}

impl Measure<'_> {
    fn round(&self, window: Duration) -> Result<Round> {
        let workload = self.workload;
        let client = |sessions| TlsClient::new(HOST, sessions, workload.protocols());
        let tls = workload.tls.map(client).transpose()?;
        let plan = Plan {
            address: if tls.is_some() { self.instance.tls } else { self.instance.plain },
            tls,
            connections: workload.connections,
            renew: workload.renew,
            traffic: &self.lane.traffic,
            length: self.lane.length,
            warm_up: WARM_UP,
            window: if workload.hold { SETTLING } else { window },
            rate: self.rate,
            hold: workload.hold,
        };
        let (mut times, mut memory) = (Vec::new(), 0);
        let outcome = drive(&plan, |edge| {
            if edge == Edge::End {
                // What the load generator uses to read memory is not the contender's work.
                times.push(self.times());
                memory = self.instance.tree.memory();
            } else {
                times.push(self.times());
            }
        })?;
        let (proxy, load) = match times.as_slice() {
            [before, after] => (after.0.since(before.0), after.1 - before.1),
            _ => (CpuTime::default(), 0),
        };
        let milliseconds = |share: f64| {
            Duration::from_nanos(outcome.latency.value_at_quantile(share)).as_secs_f64() * 1e3
        };
        Ok(Round {
            requests: outcome.completed,
            seconds: outcome.elapsed.as_secs_f64(),
            cpu_nanoseconds: proxy.nanoseconds,
            user_share: proxy.user_share(),
            load_nanoseconds: load,
            p50_ms: milliseconds(0.5),
            p90_ms: milliseconds(0.9),
            p99_ms: milliseconds(0.99),
            p999_ms: milliseconds(0.999),
            memory,
            full_handshakes: outcome.full_handshakes,
            resumed_handshakes: outcome.resumed_handshakes,
            failure: failure(&plan, workload.tls, &outcome),
        })
    }

    /// CPU time so far: the contender's, and the nanoseconds of load generator and backend.
    fn times(&self) -> (CpuTime, u64) {
        let load = own_cpu_time().nanoseconds + self.backend.cpu_time().nanoseconds;
        (self.instance.tree.cpu_time(), load)
    }
}

/// Why a round does not count.
fn failure(plan: &Plan<'_>, sessions: Option<Sessions>, outcome: &Outcome) -> Option<String> {
    let faults = outcome.faults;
    if faults.total() > 0 {
        let complaint = outcome.complaint.as_deref().unwrap_or("");
        return Some(format!("{faults:?} {complaint}").trim().to_owned());
    }
    if outcome.completed == 0 {
        return Some("no answer came within the window".to_owned());
    }
    if plan.renew && sessions.is_some() {
        let resumed = outcome.resumed_handshakes;
        let fits = match sessions {
            Some(Sessions::Kept) => resumed * 100 >= outcome.completed * 99,
            _ => resumed == 0,
        };
        if !fits {
            return Some(format!("{resumed} of {} sessions were resumed", outcome.completed));
        }
    }
    None
}

/// A folder for the run, removed after it.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn make() -> Result<Self> {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
        fs::create_dir_all(&target)?;
        let folder = target.canonicalize()?.join(format!("peers-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is in a folder that `cargo clean` removes.
        let _ = fs::remove_dir_all(&self.0);
    }
}
