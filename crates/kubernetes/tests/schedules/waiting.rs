//! Servers that are away, and followers that are.

use std::time::Duration;

use portway_testkit::kubernetes::{ApiServer, Churn};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    anchors,
    followed::{Followed, PATIENCE, run},
    witness::Witness,
};

fn server() -> ApiServer {
    let server = ApiServer::start();
    Churn::install(&server);
    anchors::install(&server);
    server
}

/// What happens within a short time.
async fn a_while(followed: &mut Followed) {
    let changes = async {
        loop {
            followed.changed().await;
        }
    };
    let _ = timeout(Duration::from_millis(300), changes).await;
}

#[test]
fn nothing_is_complete_before_a_server_that_is_away_is_there() {
    run(async {
        let server = server();
        server.stop();
        let mut followed = Followed::new(&server);
        a_while(&mut followed).await;
        assert!(!followed.cluster.is_complete());
        let told = followed.told();
        let unreachable = "Error services: the API server cannot be reached: ";
        assert!(told.iter().any(|line| line.starts_with(unreachable)), "{told:?}");
        assert!(told.iter().any(|line| line.contains("Connection refused")), "{told:?}");
        server.restart();
        let followed = followed.complete().await;
        let index = followed.cluster.index();
        Witness::new(&server).hold(&index);
        anchors::hold(&index, &Witness::new(&server));
    });
}

#[test]
fn the_last_good_state_serves_through_an_outage_and_nothing_is_missed_after_it() {
    run(async {
        let server = server();
        let mut witness = Witness::new(&server);
        let mut followed = Followed::new(&server).complete().await;
        server.stop();
        Churn::seeded(3).steps(&server, 50);
        a_while(&mut followed).await;
        anchors::hold(&followed.cluster.index(), &witness);
        server.restart();
        let fresh = Followed::new(&server).complete().await;
        let expected = fresh.said();
        followed.until("the same", |followed| followed.said() == expected).await;
        witness.hold(&followed.cluster.index());
    });
}

#[test]
fn a_restored_server_that_uses_versions_again_is_noticed_after_its_restart() {
    run(async {
        let server = server();
        let then = server.resource_version();
        server.apply(service("lost"));
        let mut followed = Followed::new(&server).complete().await;
        server.stop();
        server.rollback(then);
        server.apply(service("other"));
        a_while(&mut followed).await;
        server.restart();
        followed.until("restored", |f| f.knows("Service default/other")).await;
        assert!(!followed.knows("Service default/lost"));
    });
}

#[test]
fn who_keeps_a_followed_cluster_no_more_leaves_no_watch_behind() {
    run(async {
        let server = server();
        let followed = Followed::new(&server).complete().await;
        let start = Instant::now();
        while server.open_watches() < 9 {
            assert!(start.elapsed() < PATIENCE, "{} watches", server.open_watches());
            sleep(Duration::from_millis(5)).await;
        }
        drop(followed);
        while server.open_watches() > 0 {
            assert!(start.elapsed() < PATIENCE, "{} watches are left", server.open_watches());
            sleep(Duration::from_millis(5)).await;
        }
        // Those that had nothing to watch ask no more either.
        let requests = server.requests().len();
        sleep(Duration::from_millis(800)).await;
        assert_eq!(server.requests().len(), requests);
    });
}

#[test]
fn a_quiet_server_is_asked_for_little() {
    run(async {
        let server = server();
        let followed = Followed::new(&server).complete().await;
        let before = server.requests().len();
        sleep(Duration::from_secs(5)).await;
        let requests = server.requests().split_off(before);
        let lists = |path: &str| {
            let of_path = requests.iter().filter(|seen| seen.path == path);
            of_path.filter(|seen| !seen.query.iter().any(|(name, _)| name == "watch")).count()
        };
        assert_eq!(lists("/api/v1/services"), 0, "a watch that ends in its time needs no list");
        drop(followed);
    });
}

fn service(name: &str) -> serde_json::Value {
    serde_json::json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": name },
        "spec": { "ports": [{ "port": 80 }] },
    })
}
