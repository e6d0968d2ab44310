//! Schedules of faults while objects change: one fault of each kind alone, and many schedules by chance.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use portway_testkit::{
    kubernetes::{ApiServer, Churn, Fault, Faults, Schedule},
    random::number_from_environment,
};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::{
    anchors,
    followed::{Followed, PATIENCE, run},
    witness::Witness,
};

/// Schedules that are under way at the same time: most of the time they wait.
const AT_ONCE: usize = 48;

const SHORT: Duration = Duration::from_millis(30);

/// Follows a churning server through a schedule.
async fn survive(schedule: Schedule, seed: u64) -> Faults {
    let server = ApiServer::start_with(schedule);
    Churn::install(&server);
    anchors::install(&server);
    let mut churn = Churn::seeded(seed);
    churn.steps(&server, 40);
    let mut witness = Witness::new(&server);
    let mut followed = Followed::new(&server);
    let start = Instant::now();
    let mut next = start;
    while !server.wait_until_healthy(Duration::ZERO) {
        assert!(start.elapsed() < PATIENCE, "faults are left: {:?}", server.faults());
        if Instant::now() >= next {
            churn.step(&server);
            next = Instant::now() + Duration::from_millis(10);
        }
        if timeout(Duration::from_millis(5), followed.cluster.changed()).await.is_ok() {
            hold(&followed, &mut witness);
        }
    }
    churn.steps(&server, 10);
    let fresh = Followed::new(&server).complete().await;
    let expected = (fresh.cluster.index(), fresh.said());
    let start = Instant::now();
    while (followed.cluster.index(), followed.said()) != expected {
        let late = start.elapsed() > PATIENCE;
        assert!(!late, "{:#?}\nis not\n{:#?}", followed.said(), expected.1);
        if timeout(Duration::from_millis(100), followed.cluster.changed()).await.is_ok() {
            hold(&followed, &mut witness);
        }
    }
    server.faults()
}

/// What must be so at each moment, from the first complete state on.
#[track_caller]
fn hold(followed: &Followed, witness: &mut Witness) {
    if followed.cluster.is_complete() {
        let index = followed.cluster.index();
        witness.hold(&index);
        anchors::hold(&index, witness);
    }
}

/// Each of the faults, one after the other; all of one kind.
#[track_caller]
fn each(faults: impl IntoIterator<Item = Fault>) {
    let faults: Vec<_> = faults.into_iter().collect();
    let expected = BTreeMap::from([(faults[0].name(), faults.len())]);
    let report = run(survive(Schedule::of(faults), 5));
    assert_eq!(report, Faults { occurred: expected, missed: Vec::new(), left: 0 });
}

#[test]
fn any_schedule_of_faults_ends_as_a_fresh_list_has_it_and_loses_no_router_on_the_way() {
    let first = number_from_environment("PORTWAY_SCHEDULE_SEED", 1);
    let last = first + number_from_environment("PORTWAY_SCHEDULES", 500);
    run(async {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut under_way = JoinSet::new();
        for seed in first..last {
            let place = Arc::clone(&places).acquire_owned().await.unwrap();
            under_way.spawn(async move {
                let _place = place;
                let schedule = Schedule::seeded(seed);
                let count = schedule.faults().len();
                let survived = tokio::spawn(survive(schedule.clone(), seed)).await;
                let Ok(report) = survived else { panic!("seed {seed}: {schedule:#?}") };
                assert_eq!(report.missed, [], "seed {seed}");
                assert_eq!(report.occurred.values().sum::<usize>(), count, "seed {seed}");
            });
            while let Some(ended) = under_way.try_join_next() {
                ended.unwrap();
            }
        }
        while let Some(ended) = under_way.join_next().await {
            ended.unwrap();
        }
    });
}

#[test]
fn too_many_requests_are_survived() {
    each([0, 0, 1, 0].map(|retry_after| Fault::TooManyRequests { retry_after }));
}

#[test]
fn internal_errors_are_survived() {
    each([Fault::InternalError; 4]);
}

#[test]
fn an_unavailable_server_is_survived() {
    each([0, 0, 1, 0].map(|retry_after| Fault::Unavailable { retry_after }));
}

#[test]
fn gateway_timeouts_are_survived() {
    each([Fault::GatewayTimeout; 4]);
}

#[test]
fn rights_that_are_lost_for_a_time_are_survived() {
    each([Fault::Forbidden { lasting: SHORT }; 4]);
}

#[test]
fn credentials_that_are_refused_for_a_time_are_survived() {
    each([Fault::Unauthorized { lasting: SHORT }; 4]);
}

#[test]
fn connections_that_are_reset_are_survived() {
    each([Fault::ConnectionReset; 4]);
}

#[test]
fn truncated_lists_are_survived() {
    each([false, true, false, true].map(|abrupt| Fault::ListTruncated { abrupt }));
}

#[test]
fn slow_lists_are_survived() {
    each([Fault::ListSlow { by: SHORT }; 4]);
}

#[test]
fn pages_that_expire_are_survived() {
    each([Fault::ContinueExpired; 4]);
}

#[test]
fn lists_in_another_order_are_survived() {
    each([1, 2, 3, 4].map(|seed| Fault::ListShuffled { seed }));
}

#[test]
fn refused_watches_are_survived() {
    each([false, true, false, true].map(|by_status| Fault::WatchRefused { by_status }));
}

#[test]
fn expired_watches_are_survived() {
    each([false, true, false, true].map(|everywhere| Fault::WatchExpired { everywhere }));
}

#[test]
fn dropped_watches_are_survived() {
    each(
        [(false, false), (false, true), (true, false), (true, true)]
            .map(|(abrupt, everywhere)| Fault::WatchDropped { abrupt, everywhere }),
    );
}

#[test]
fn hanging_watches_are_survived() {
    each([Fault::WatchHung; 4]);
}

#[test]
fn truncated_events_are_survived() {
    each([false, true, false, true].map(|abrupt| Fault::WatchTruncated { abrupt }));
}

#[test]
fn duplicated_events_are_survived() {
    each([Fault::EventDuplicated; 4]);
}

#[test]
fn delayed_events_are_survived() {
    each([Fault::EventsDelayed { by: SHORT }; 4]);
}

#[test]
fn outages_are_survived() {
    each([false, true, false, true].map(|compacted| Fault::Outage { lasting: SHORT, compacted }));
}

#[test]
fn compactions_are_survived() {
    each([Fault::Compaction; 4]);
}

#[test]
fn rollbacks_are_survived() {
    each([1, 3, 8, 20].map(|by| Fault::Rollback { by }));
}

#[test]
fn a_definition_that_is_taken_away_and_comes_back_is_survived() {
    each([Fault::Uninstalled { lasting: SHORT }; 4]);
}
