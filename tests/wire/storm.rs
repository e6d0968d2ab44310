//! Everything at once: clients of every protocol, polite and rude, before servers that come and go, while the
//! configuration changes and at last the process drains. Nothing is lost, mixed up or left behind.
//!
//! `STORM_SEED`, `STORM_SECONDS` and `STORM_CROWD` say which storm it is, how long it rages, and how many times as many
//! clients as usual there are.

mod changes;
mod clients;
mod content;
mod flow;
mod http1;
mod judge;
mod ledger;
mod origin;
mod plan;
mod ticket;
mod traces;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::{Duration, Instant};

use portway_testkit::certificate::Certificate;
use portway_testkit::process::{Process, Setup};
use portway_testkit::random::{Random, number_from_environment};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

use self::changes::Site;
use self::clients::Storm;
use self::ledger::Ledger;
use self::origin::{Role, Running, Speech};
use self::plan::CERTIFICATES;
use self::traces::Traces;

/// How long what drains may take.
const GRACE: Duration = Duration::from_secs(10);

/// How long requests are still accepted when it begins.
const ACCEPT: Duration = Duration::from_millis(700);

#[test]
fn nothing_is_lost_mixed_up_or_left_behind() {
    let seed = number_from_environment("STORM_SEED", 1);
    let seconds = number_from_environment("STORM_SECONDS", 6);
    let mut random = Random::new(seed);
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let ledger = Arc::new(Ledger::default());
    let mut servers = runtime.block_on(servers(&ledger));
    let certificates: Vec<_> =
        (0..CERTIFICATES).map(|_| Certificate::for_names(&["*.test"])).collect();
    let origins = servers.iter().map(|server| server.origin().clone()).collect();
    let mut process = Process::start(&crate::portway(), &setup(&mut random));
    let site = Site::new(&process, Arc::clone(&ledger), origins, &certificates);
    site.change(0, &mut random);
    let storm = Storm {
        ledger: Arc::clone(&ledger),
        web: process.address("web"),
        secure: process.address("secure"),
        crowd: number_from_environment("STORM_CROWD", 1) as usize,
        certificates: certificates.iter().map(|one| one.certificate_der.clone()).collect(),
    };

    let fresh = Traces::of(&process);
    let mut rage = |time: Duration, changes: bool| {
        ledger.over.store(false, SeqCst);
        rage(&runtime, &storm, &site, &mut servers, &mut random, time, changes);
    };
    // What a short storm leaves of memory is the beginning: pools, buffers and threads are there.
    rage(Duration::from_secs(1), false);
    let before = fresh.warm(&process);
    rage(Duration::from_secs(seconds), true);
    cancelled(&ledger, seed);
    for server in &mut servers {
        // What is pooled is gone.
        runtime.block_on(server.restart(Duration::ZERO));
    }
    site.calm();
    let after = Traces::settled(&process, &before);
    println!("before {before:?}, after {after:?}\n{}", ledger.counts());
    assert_eq!(ledger.faults(), Vec::<String>::new(), "seed {seed}");
    after.check(&before);

    let ending = Random::new(random.bits());
    let status = drain(&runtime, storm, &ledger, &mut process, ending);
    println!("{}", ledger.counts());
    assert_eq!(ledger.faults(), Vec::<String>::new(), "seed {seed}");
    assert!(status.success(), "{status}, seed {seed}");
    traces::check_log(&process.log());
    let records = fs::read_to_string(process.folder().path().join("access.log")).unwrap();
    traces::check_records(&records, &ledger.answered(), seed);
}

/// Waits until servers know of all calls that nobody waits for.
#[track_caller]
fn cancelled(ledger: &Ledger, seed: u64) {
    let begun = Instant::now();
    let waiting =
        || ledger.counted("calls that wait: begun") - ledger.counted("calls that wait: over");
    while waiting() > 0 {
        let patient = begun.elapsed() < Duration::from_secs(3);
        assert!(patient, "{} calls that nobody waits for go on, seed {seed}", waiting());
        thread::sleep(Duration::from_millis(10));
    }
}

/// Storms for a while, until all clients are done.
fn rage(
    runtime: &Runtime,
    storm: &Storm,
    site: &Site,
    servers: &mut [Running],
    random: &mut Random,
    time: Duration,
    changes: bool,
) {
    let [mut of_changes, mut of_clients, mut of_servers] =
        [random.bits(), random.bits(), random.bits()].map(Random::new);
    let ledger = &storm.ledger;
    thread::scope(|scope| {
        if changes {
            scope.spawn(move || site.follow(&mut of_changes));
        }
        runtime.block_on(async {
            let end = async {
                sleep(time).await;
                ledger.over.store(true, SeqCst);
            };
            let failing = async {
                while changes && !ledger.is_over() {
                    sleep(Duration::from_millis(100 + of_servers.below(500) as u64)).await;
                    let flaky: Vec<_> = (0..servers.len())
                        .filter(|number| servers[*number].origin().role == Role::Flaky)
                        .collect();
                    let away = Duration::from_millis(of_servers.below(100) as u64);
                    servers[*of_servers.pick(&flaky)].restart(away).await;
                    ledger.count("restarts of servers");
                }
            };
            tokio::join!(end, failing, storm.rage(&mut of_clients));
        });
    });
}

/// Tells the process to end while clients are at work.
fn drain(
    runtime: &Runtime,
    storm: Storm,
    ledger: &Ledger,
    process: &mut Process,
    mut random: Random,
) -> std::process::ExitStatus {
    ledger.over.store(false, SeqCst);
    let clients = runtime.spawn(async move { storm.rage(&mut random).await });
    thread::sleep(Duration::from_millis(500));
    ledger.draining.store(true, SeqCst);
    let begun = Instant::now();
    process.signal("TERM");
    let status = process.wait(ACCEPT + GRACE + Duration::from_secs(5)).expect("an end");
    println!("drained in {:?}", begun.elapsed());
    ledger.over.store(true, SeqCst);
    assert!(begun.elapsed() < ACCEPT + GRACE + Duration::from_secs(1), "{:?}", begun.elapsed());
    runtime.block_on(clients).expect("clients");
    status
}

async fn servers(ledger: &Arc<Ledger>) -> Vec<Running> {
    let certificate = Arc::new(Certificate::for_names(&["server.test"]));
    let mut servers = Vec::new();
    for (name, speech, role) in [
        ("one", Speech::Http1, Role::Steady),
        ("two", Speech::Http1, Role::Steady),
        ("three", Speech::Http1, Role::Steady),
        ("four", Speech::H2c, Role::Steady),
        ("five", Speech::H2c, Role::Steady),
        ("six", Speech::Http2Tls, Role::Steady),
        ("copy", Speech::Http1, Role::Mirror),
        ("copies", Speech::H2c, Role::Mirror),
        ("bad", Speech::Http1, Role::Flaky),
        ("worse", Speech::H2c, Role::Flaky),
        ("worst", Speech::Http2Tls, Role::Flaky),
    ] {
        servers.push(Running::start(name, speech, role, ledger, &certificate).await);
    }
    servers
}

fn setup(random: &mut Random) -> Setup {
    let life = |name: &str, option: &str, time: Duration| {
        let time = time.as_millis();
        format!("--entryPoints.{name}.transport.lifeCycle.{option}={time}ms")
    };
    let mut setup = Setup::default().entry_point("web").entry_point("secure");
    for name in ["web", "secure"] {
        setup = setup.flag(&life(name, "requestAcceptGraceTimeout", ACCEPT));
        setup = setup.flag(&life(name, "graceTimeOut", GRACE));
        if random.once_in(3) {
            // Connections end by themselves.
            let most = 5 + random.below(50);
            setup =
                setup.flag(&format!("--entryPoints.{name}.transport.keepAliveMaxRequests={most}"));
        }
    }
    for flag in [
        "--log.level=INFO",
        "--providers.providersThrottleDuration=20ms",
        "--accesslog.filepath=@@folder@@/access.log",
        "--accesslog.format=json",
        "--accesslog.fields.headers.names.Ticket=keep",
    ] {
        setup = setup.flag(flag);
    }
    setup
}
