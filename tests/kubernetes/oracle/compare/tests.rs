//! What the comparison accepts, and what it does not.

use serde_json::{Value, json};

use super::differ;

#[track_caller]
fn alike(portway: Value, traefik: Value) {
    assert_eq!(differ(&portway, &traefik), None);
}

#[track_caller]
fn unlike(portway: Value, traefik: Value) {
    assert!(differ(&portway, &traefik).is_some(), "{portway}\n{traefik}");
}

fn router(fields: Value) -> Value {
    let mut router =
        json!({"service": "s", "rule": "Host(`a`)", "status": "enabled", "using": ["web"]});
    for (name, value) in fields.as_object().into_iter().flatten() {
        router[name] = value.clone();
    }
    router
}

fn routers(name: &str, fields: Value) -> Value {
    json!({"routers": {name: router(fields)}})
}

const NAME: &str = "r@kubernetescrd";

#[test]
fn any_field_counts() {
    alike(routers(NAME, json!({})), routers(NAME, json!({})));
    unlike(routers(NAME, json!({"priority": 1})), routers(NAME, json!({"priority": 2})));
    unlike(routers(NAME, json!({"status": "disabled"})), routers(NAME, json!({})));
    // Other providers are compared elsewhere.
    alike(routers("r@file", json!({"priority": 1})), routers("r@file", json!({"priority": 2})));
}

#[test]
fn only_what_is_closed_may_be_there_in_addition() {
    alike(routers(NAME, json!({"status": "disabled", "error": ["why"]})), json!({}));
    unlike(routers(NAME, json!({})), json!({}));
    unlike(json!({}), routers(NAME, json!({"status": "disabled"})));
}

#[test]
fn a_service_without_servers_closes_what_leads_to_it_alone() {
    let with = |servers: Value| {
        let balancer = json!({"passHostHeader": true, "servers": servers});
        json!({
            "routers": {NAME: router(json!({}))},
            "services": {"s@kubernetescrd": {
                "loadBalancer": balancer, "status": "enabled", "usedBy": [NAME],
            }},
        })
    };
    alike(with(Value::Null), json!({}));
    unlike(with(json!([{"url": "http://10.0.0.1"}])), json!({}));
}

#[test]
fn what_is_not_served_must_still_be_shown() {
    let service = |amount: u32, more: Value| {
        let mut service = json!({"mirroring": {"service": "a", "maxBodySize": amount}});
        for (name, value) in more.as_object().into_iter().flatten() {
            service[name] = value.clone();
        }
        json!({"services": {"m@kubernetescrd": service}})
    };
    let unserved = json!({
        "status": "disabled", "usedBy": [NAME],
        "error": ["spec.mirroring: not served by this version of Portway yet"],
    });
    let served = json!({"status": "enabled", "usedBy": [NAME]});
    alike(service(1, unserved.clone()), service(1, served.clone()));
    unlike(service(2, unserved), service(1, served));
}

#[test]
fn faults_of_annotations_close_routers_that_traefik_serves() {
    let name = "r@kubernetes";
    let with = |reason: &str| routers(name, json!({"status": "disabled", "error": [reason]}));
    let known =
        "traefik.ingress.kubernetes.io/router.middleware: unknown annotation; did you mean `m`?";
    alike(with(known), routers(name, json!({})));
    unlike(with("spec.rules[0]: broken"), routers(name, json!({})));
}
