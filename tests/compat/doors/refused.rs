//! Options of entry points that are wrong, or nearly: whether the programs start with them, and what they then say.

use std::fmt::Write as _;

use portway_testkit::process::{Process, Program, Setup, Source};
use portway_testkit::random::{Random, number_from_environment};

use crate::compat::api::leaves;

/// One option in each line; `!` before it says that the programs differ on purpose (60, 61).
const OPTIONS: &str = include_str!("refused.txt");

/// How many of them a short run tries.
const TRIED: usize = 16;

const DYNAMIC: &str = "http:\n  middlewares:\n    mark: {headers: {customResponseHeaders: {X-Mark: a}}}\n\
    tls:\n  options:\n    strict: {minVersion: VersionTLS13}\n";

#[test]
fn wrong_options_stop_what_they_stop_in_traefik() {
    let Some(traefik) = Program::traefik() else { return };
    let portway = crate::portway();
    let first = number_from_environment("COMPAT_SEED", 1);
    let mut random = Random::new(first);
    let mut options: Vec<&str> = OPTIONS.lines().collect();
    if std::env::var_os("COMPAT_DOORS").is_none() {
        options.retain(|_| random.below(OPTIONS.lines().count()) < TRIED);
    }
    let mut failures = Vec::new();
    for written in &options {
        let wanted = written.strip_prefix("! ");
        let option = wanted.unwrap_or(written);
        let source = *random.pick(&[
            Source::Flags,
            Source::Flags,
            Source::Yaml,
            Source::Toml,
            Source::Environment,
        ]);
        let [portway, traefik] = std::thread::scope(|scope| {
            let other = scope.spawn(|| start(&traefik, option, source));
            [start(&portway, option, source), other.join().expect("a start")]
        });
        if (portway.0 != traefik.0) != wanted.is_some() {
            failures.push(format!(
                "{source:?} {written}\n- Traefik, + Portway\n{}\nlogs: {}{}",
                portway_testkit::golden::lines_that_differ(&traefik.0, &portway.0),
                portway.1,
                traefik.1,
            ));
        }
    }
    let count = failures.len();
    assert!(count == 0, "{count} of {} differ\n{}", options.len(), failures.join("\n"));
}

/// What becomes of a program with an option, and the end of its log.
fn start(program: &Program, option: &str, source: Source) -> (String, String) {
    let mut setup = Setup::web(DYNAMIC)
        .flag(&format!("--entryPoints.alpha.{option}"))
        .flag("--log.level=ERROR");
    setup.entry_points = vec!["alpha".to_owned(), "beta".to_owned()];
    setup.source = source;
    let mut process = Process::spawn(program, &setup);
    let end = process.end_or_live();
    let log = process.log();
    let log = log.lines().rev().take(3).collect::<Vec<_>>().join("\n");
    let text = match end {
        Some(_) => "does not start\n".to_owned(),
        None => told(&process),
    };
    (text, format!("{log}\n"))
}

fn told(process: &Process) -> String {
    let ask = |target: &str| {
        let address = process.address("traefik");
        let request = format!("GET {target} HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n");
        let client = portway_testkit::client::Client::connect(address);
        let response = client.and_then(|mut client| client.ask(request)).expect("an answer");
        serde_json::from_slice(&response.body).unwrap_or_default()
    };
    let mut text = "starts\n".to_owned();
    leaves(&mut text, "", &ask("/api/entrypoints/alpha"));
    let routers: serde_json::Value = ask("/api/http/routers");
    for router in routers.as_array().into_iter().flatten() {
        let name = router["name"].as_str().unwrap_or_default();
        if name.contains("alpha") {
            let _ = writeln!(text, "{name} {} {}", router["status"], router["rule"]);
        }
    }
    for (name, port) in process.ports() {
        text = text.replace(&port.to_string(), &format!("port-{name}"));
    }
    text
}
