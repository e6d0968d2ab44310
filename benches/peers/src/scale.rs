//! Very many routers: what loading them takes, what one change among them takes, and whether memory returns.
//!
//! `cargo xtask bench scale` is the way to start it.

use std::{
    fmt::Write as _,
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Serialize;

use crate::{
    contender::{Contender, Kind, host_of, loopback},
    options::results_folder,
    process::{PROXY_CORE, Tree},
    results::{Machine, Spread, commit, next_free, now},
    run::Scratch,
};

/// Routers, each with a service of its own.
const ROUTERS: usize = 100_000;
/// Their files: all in one, or spread over many.
const LAYOUTS: [usize; 2] = [1, 100];
/// Times that each layout is loaded; the layouts take turns.
const ROUNDS: usize = 5;
/// Changes in each round.
const CHANGES: usize = 5;
/// How long a process may rest before its memory is read. What is freed goes back to the system within it.
const REST: Duration = Duration::from_secs(8);
/// How long loading or a change may take.
const PATIENCE: Duration = Duration::from_secs(120);
const PORT: u16 = 21_010;

/// What a run leaves.
#[derive(Debug, Serialize)]
struct Record {
    date: String,
    commit: String,
    machine: Machine,
    routers: usize,
    rounds: Vec<Round>,
}

/// One life of the process.
#[derive(Debug, Serialize)]
struct Round {
    files: usize,
    /// From the start to the first answer of the last router.
    load_seconds: f64,
    load_cpu_seconds: f64,
    settled_mebibytes: f64,
    changes: Vec<Change>,
    /// After all files but that of the change were removed.
    gone_mebibytes: f64,
}

/// Another host for one router, in a small file of its own.
#[derive(Debug, Serialize)]
struct Change {
    /// From the new file to the first answer of the new host.
    live_milliseconds: f64,
    cpu_milliseconds: f64,
}

/// Measures, prints a table and keeps the raw figures.
pub(crate) fn run() -> Result<()> {
    let portway =
        Contender::find(Kind::Portway).context("there is no portway; set PORTWAY_BINARY")?;
    let scratch = Scratch::make()?;
    let mut rounds = Vec::new();
    for number in 0..ROUNDS {
        for files in LAYOUTS {
            let folder = scratch.0.join(format!("scale-{number}-{files}"));
            let round = round(&portway.program, &folder, files)?;
            fs::remove_dir_all(&folder)?;
            println!("{}", serde_json::to_string(&round)?);
            rounds.push(round);
        }
    }
    print!("{}", table(&rounds));
    let record = Record {
        date: now(),
        commit: commit(),
        machine: Machine::here(),
        routers: ROUTERS,
        rounds,
    };
    let path = next_free(&results_folder().join("scale"), &record.date)?;
    fs::write(&path, serde_json::to_string_pretty(&record)? + "\n")?;
    println!("\n{}", path.display());
    Ok(())
}

fn round(program: &Path, folder: &Path, files: usize) -> Result<Round> {
    let routers = folder.join("routers");
    fs::create_dir_all(&routers)?;
    let of_file = ROUTERS / files;
    let paths: Vec<PathBuf> =
        (0..files).map(|file| routers.join(format!("{file:03}.yml"))).collect();
    for (file, path) in paths.iter().enumerate() {
        fs::write(path, objects(file * of_file..(file + 1) * of_file))?;
    }
    replace(&routers, "before.changes")?;
    let options = format!(
        "entryPoints: {{web: {{address: \"127.0.0.1:{PORT}\"}}}}
providers: {{file: {{directory: \"{}\", watch: true}}}}
log: {{level: ERROR}}
workers: 1
",
        routers.display()
    );
    let file = folder.join("portway.yml");
    fs::write(&file, options)?;
    let mut command = Command::new(program);
    command.arg(format!("--configFile={}", file.display()));
    let begin = Instant::now();
    let log = folder.join("output.log");
    let mut process = Life { tree: Tree::start(&command, PROXY_CORE, &log)?, log };
    process.wait_for(&host_of(ROUTERS - 1))?;
    let load_seconds = begin.elapsed().as_secs_f64();
    let load_cpu_seconds = process.cpu_milliseconds() / 1e3;
    thread::sleep(REST);
    let settled_mebibytes = process.mebibytes();
    let changes = (0..CHANGES).map(|number| process.change(&routers, number));
    let changes = changes.collect::<Result<Vec<_>>>()?;
    for path in &paths {
        fs::remove_file(path)?;
    }
    thread::sleep(REST);
    ensure!(status(&host_of(0))? == 404, "a router is still there after it was removed");
    let gone_mebibytes = process.mebibytes();
    Ok(Round { files, load_seconds, load_cpu_seconds, settled_mebibytes, changes, gone_mebibytes })
}

/// A running Portway.
struct Life {
    tree: Tree,
    log: PathBuf,
}

impl Life {
    fn change(&mut self, routers: &Path, number: usize) -> Result<Change> {
        let host = format!("change{number}.example.com");
        let before = self.cpu_milliseconds();
        let begin = Instant::now();
        replace(routers, &host)?;
        self.wait_for(&host)?;
        let live_milliseconds = begin.elapsed().as_secs_f64() * 1e3;
        // What comes after it is live, such as taking apart what was before, costs too.
        thread::sleep(Duration::from_millis(1500));
        Ok(Change { live_milliseconds, cpu_milliseconds: self.cpu_milliseconds() - before })
    }

    /// Waits until a host has a router.
    fn wait_for(&mut self, host: &str) -> Result<()> {
        let begin = Instant::now();
        // 404 says that there is no router, 503 that nothing has been read yet.
        while !status(host).is_ok_and(|status| !matches!(status, 404 | 503)) {
            if !self.tree.is_alive() || begin.elapsed() > PATIENCE {
                let output = fs::read_to_string(&self.log).unwrap_or_default();
                bail!("`{host}` has no answer; the process says:\n{output}");
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    fn cpu_milliseconds(&self) -> f64 {
        self.tree.cpu_time().nanoseconds as f64 / 1e6
    }

    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    fn mebibytes(&self) -> f64 {
        self.tree.memory() as f64 / f64::from(1 << 20)
    }
}

/// Routers of these numbers and their services.
fn objects(numbers: std::ops::Range<usize>) -> String {
    let (mut routers, mut services) = (String::new(), String::new());
    for number in numbers {
        let host = host_of(number);
        // Writing to a string cannot fail.
        let _ = writeln!(
            routers,
            "    r{number:06}:\n      rule: \"Host(`{host}`) && PathPrefix(`/api`)\"\n      service: s{number:06}"
        );
        let _ = writeln!(
            services,
            "    s{number:06}:\n      loadBalancer:\n        servers:\n          - url: \"http://127.0.0.1:9\""
        );
    }
    format!("http:\n  routers:\n{routers}  services:\n{services}")
}

/// Puts the file with the one router that changes in place of the one before, whole.
fn replace(folder: &Path, host: &str) -> Result<()> {
    let text = format!(
        "http:
  routers:
    change:
      rule: Host(`{host}`) && PathPrefix(`/api`)
      service: change
  services:
    change:
      loadBalancer:
        servers:
          - url: \"http://127.0.0.1:9\"
"
    );
    let new = folder.join("change.new");
    fs::write(&new, text)?;
    Ok(fs::rename(new, folder.join("change.yml"))?)
}

/// The status of a request to a host.
fn status(host: &str) -> Result<u16> {
    let address: SocketAddr = loopback(PORT);
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET /api HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    answer.split(' ').nth(1).and_then(|word| word.parse().ok()).context("no answer")
}

fn table(rounds: &[Round]) -> String {
    let mut text = format!(
        "\n{ROUTERS} routers, each with a service of its own\n
| files | load, s | load, CPU s | MiB | a change live, ms | a change, CPU ms | MiB when all are gone |
|---|---|---|---|---|---|---|\n"
    );
    for files in LAYOUTS {
        let all = || rounds.iter().filter(move |round| round.files == files);
        let of_round = |figure: fn(&Round) -> f64| spread(all().map(figure).collect());
        let of_change = |figure: fn(&Change) -> f64| {
            spread(all().flat_map(|round| &round.changes).map(figure).collect())
        };
        let cells = [
            of_round(|round| round.load_seconds),
            of_round(|round| round.load_cpu_seconds),
            of_round(|round| round.settled_mebibytes),
            of_change(|change| change.live_milliseconds),
            of_change(|change| change.cpu_milliseconds),
            of_round(|round| round.gone_mebibytes),
        ];
        let _ = writeln!(text, "| {files} | {} |", cells.join(" | "));
    }
    text
}

fn spread(figures: Vec<f64>) -> String {
    Spread::of(figures).map_or_else(String::new, |Spread { median, lowest, highest }| {
        format!("{median:.1} ({lowest:.1}–{highest:.1})")
    })
}
