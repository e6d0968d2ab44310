//! A Deployment rolls under load, and no request is lost.

use std::time::{Duration, Instant};

use portway_testkit::backend::Backend;
use portway_testkit::control_plane::ADMIN;

use super::load::Load;
use super::pods::{self, Pods, Site, State};
use super::until;

const ROUNDS: usize = 30;

/// Pods of each revision of the Deployment.
const REPLICAS: usize = 2;

/// Answers of each round while old pods end.
const ANSWERS: usize = 20;

/// How long a change of endpoints may take to be live.
const PROMPT: Duration = Duration::from_secs(2);

fn in_state(state: State, pods: &[usize]) -> Pods {
    pods.iter().map(|number| (*number, state)).collect()
}

#[test]
fn rolling_updates_under_load_lose_no_request() {
    let ready = |pods: &[usize]| in_state(State::Ready, pods);
    let mut old: Vec<usize> = (0..REPLICAS).collect();
    let Some(site) = Site::start(&[("web".to_owned(), ready(&old))]) else { return };
    let mut session = site.plane.session(ADMIN);
    let mut update = |pods: &Pods| pods::update(&mut session, "web", pods);
    let mut running: Vec<Backend> = old.iter().map(|number| pods::run(*number)).collect();
    let load = Load::start(site.portway.address("web"), "web.example");
    let mut slowest = Duration::ZERO;
    for round in 1..=ROUNDS {
        let new: Vec<usize> = (round * REPLICAS..(round + 1) * REPLICAS).collect();
        let started: Vec<Backend> = new.iter().map(|number| pods::run(*number)).collect();
        update(&[ready(&old), ready(&new)].concat());
        until(|| started.iter().map(Backend::busy).sum::<usize>(), |busy| *busy > 0);
        update(&[ready(&new), in_state(State::Terminating, &old)].concat());
        let before = load.answered();
        until(|| load.answered(), |answered| *answered >= before + ANSWERS);
        update(&ready(&new));
        let asked = Instant::now();
        let gone: Vec<_> = old.iter().map(|number| pods::url(*number)).collect();
        while site.servers()["web"].iter().any(|server| gone.contains(server)) {
            assert!(asked.elapsed() < PROMPT, "round {round}: {:?}", site.servers());
        }
        slowest = slowest.max(asked.elapsed());
        // A server that drains ends when nothing is left to answer.
        until(|| running.iter().map(Backend::busy).sum::<usize>(), |busy| *busy == 0);
        let asked = |pod: &Backend| pod.connections() > 0;
        assert!(running.iter().any(asked), "round {round}: no pod was asked");
        running = started;
        old = new;
    }
    let answered = load.finish();
    println!(
        "{answered} requests over {ROUNDS} updates; a change was live after {slowest:?} at most"
    );
}
