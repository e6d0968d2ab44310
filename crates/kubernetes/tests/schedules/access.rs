//! Tokens that are replaced and rights that are missing.

use std::time::Duration;

use kube::Config;
use portway_kubernetes::cluster::{Cluster, client};
use portway_testkit::{
    folder::Folder,
    kubernetes::{ApiServer, Churn},
};
use tokio::time::timeout;

use crate::{
    anchors,
    followed::{Followed, PACE, resources, run},
};

fn server() -> ApiServer {
    let server = ApiServer::start();
    Churn::install(&server);
    anchors::install(&server);
    server
}

#[test]
fn a_token_that_is_replaced_in_its_file_is_used_at_once() {
    run(async {
        let (server, folder) = (server(), Folder::new("tokens"));
        let file = folder.write("token", "first");
        server.require_token(Some("first"));
        let mut config = Config::new(server.url().parse().unwrap());
        config.auth_info.token_file = Some(file.to_str().unwrap().to_owned());
        let client = client(config).unwrap();
        let cluster = Cluster::follow(&client, &resources(), PACE);
        let mut followed = Followed { cluster }.complete().await;

        server.require_token(Some("second"));
        followed.until("told", |followed| !followed.told().is_empty()).await;
        let refused = "Error services: the API server does not accept the credentials that it is shown: Unauthorized";
        followed.until("refused", |followed| followed.told().contains(&refused.to_owned())).await;
        assert!(followed.knows("Service shop/anchor"), "the last good state serves");

        server.delete("v1", "Service", "shop", "anchor");
        folder.write("token", "second");
        followed.until("followed", |followed| !followed.knows("Service shop/anchor")).await;
        let well =
            |followed: &Followed| !followed.told().iter().any(|told| told.starts_with("Error"));
        followed.until("well", well).await;
    });
}

#[test]
fn a_resource_that_must_be_read_and_may_not_be_is_waited_for() {
    run(async {
        let server = server();
        server.forbid("secrets", &["list"]);
        let mut followed = Followed::new(&server);
        let told = "Error secrets: secrets is forbidden: ";
        let is_told =
            |followed: &Followed| followed.told().iter().any(|line| line.starts_with(told));
        followed.until("told", is_told).await;
        // All others are there long before; readiness must wait all the same.
        followed.until("the rest", |followed| followed.knows("IngressRoute shop/anchor")).await;
        let patience = Duration::from_millis(300);
        let _ = timeout(patience, async {
            loop {
                followed.changed().await;
            }
        })
        .await;
        assert!(!followed.cluster.is_complete());
        server.allow("secrets", &["list"]);
        let mut followed = followed.complete().await;
        followed.until("well", |followed| !is_told(followed)).await;
    });
}

#[test]
fn what_may_be_listed_and_not_watched_is_listed_again_and_again() {
    run(async {
        let server = server();
        server.forbid("services", &["watch"]);
        let mut followed = Followed::new(&server).complete().await;
        server.delete("v1", "Service", "shop", "anchor");
        followed.until("followed", |followed| !followed.knows("Service shop/anchor")).await;
        let is_told = |line: &String| line.starts_with("Error services: services is forbidden: ");
        assert!(followed.told().iter().any(is_told), "{:?}", followed.told());
    });
}

#[test]
fn a_resource_that_need_not_be_read_counts_as_empty_until_it_may_be() {
    run(async {
        let server = server();
        server.apply(serde_json::json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "authorities" },
            "data": { "ca.crt": "x" },
        }));
        server.forbid("configmaps", &["*"]);
        let mut followed = Followed::new(&server).complete().await;
        let told = "Warning configmaps: configmaps is forbidden: ";
        let is_told =
            |followed: &Followed| followed.told().iter().any(|line| line.starts_with(told));
        assert!(is_told(&followed), "{:?}", followed.told());
        server.allow("configmaps", &["*"]);
        followed.until("picked up", |f| f.knows("ConfigMap default/authorities")).await;
        followed.until("well", |followed| !is_told(followed)).await;
    });
}

#[test]
fn a_right_that_is_taken_away_takes_nothing_that_was_read() {
    run(async {
        let server = server();
        server.apply(serde_json::json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "authorities" },
            "data": { "ca.crt": "x" },
        }));
        let mut followed = Followed::new(&server).complete().await;
        server.forbid("configmaps", &["*"]);
        server.compact();
        server.stop();
        server.restart();
        let told = "Warning configmaps: configmaps is forbidden: ";
        let is_told =
            |followed: &Followed| followed.told().iter().any(|line| line.starts_with(told));
        followed.until("told", is_told).await;
        assert!(followed.knows("ConfigMap default/authorities"));
    });
}
