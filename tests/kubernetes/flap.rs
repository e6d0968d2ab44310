//! Endpoints of many Services flap under load: no request is lost, and what is left is what was written last.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use portway_testkit::backend::Backend;
use portway_testkit::control_plane::ADMIN;
use portway_testkit::random::{Random, number_from_environment};

use super::load::Load;
use super::pods::{self, Pods, Site, State};
use super::until;

const SERVICES: usize = 1_000;

/// Pods behind each Service, which share them.
const PODS: usize = 4;

/// Services of which some requests are asked; they flap as often as all others together.
const ASKED: usize = 10;

/// From one change to the next.
const PERIOD: Duration = Duration::from_millis(10);

const CHANGES: u32 = 500;

fn name(service: usize) -> String {
    format!("web-{service}")
}

/// Pods in states of chance; the first one stays, so that there is always a server.
fn by_chance(random: &mut Random) -> Pods {
    let mut state = |number: usize| match number {
        0 => State::Ready,
        _ => *random.pick(&[State::Ready, State::Unready, State::Terminating]),
    };
    (0..PODS).map(|number| (number, state(number))).collect()
}

/// The servers of pods: those that are ready, and those that still serve while they end.
fn servers(pods: &Pods) -> Vec<String> {
    let serving = pods.iter().filter(|(_, state)| !matches!(state, State::Unready));
    serving.map(|(number, _)| pods::url(*number)).collect()
}

#[test]
fn endpoints_that_flap_among_many_services_lose_no_request() {
    let mut random = Random::new(number_from_environment("FLAP_SEED", 7));
    let mut services: Vec<(String, Pods)> =
        (0..SERVICES).map(|service| (name(service), by_chance(&mut random))).collect();
    let Some(site) = Site::start(&services) else { return };
    let running: Vec<Backend> = (0..PODS).map(pods::run).collect();
    let mut session = site.plane.session(ADMIN);
    let hosts: Vec<_> = (0..ASKED).map(|service| format!("{}.example", name(service))).collect();
    let load = Load::on_hosts(site.portway.address("web"), &hosts);
    let start = Instant::now();
    for change in 1..=CHANGES {
        let service = random.below(if change % 2 == 0 { ASKED } else { SERVICES });
        let (name, pods) = &mut services[service];
        *pods = by_chance(&mut random);
        pods::update(&mut session, name, pods);
        thread::sleep((PERIOD * change).saturating_sub(start.elapsed()));
    }
    let took = start.elapsed();
    let expected: BTreeMap<_, _> =
        services.iter().map(|(name, pods)| (name.clone(), servers(pods))).collect();
    let wrong = || {
        let seen = site.servers();
        let wrong = expected.iter().filter(|(name, servers)| seen.get(*name) != Some(*servers));
        wrong.map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    until(wrong, Vec::is_empty);
    let settled = start.elapsed() - took;
    let answered = load.finish();
    println!("{answered} requests over {CHANGES} changes in {took:?}; all live after {settled:?}");
    assert!(running.iter().all(|pod| pod.connections() > 0), "a pod was never asked");
}
