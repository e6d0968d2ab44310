//! The manifests of the quickstart are read without a complaint.

use portway_model::{dynamic::Config, static_config::KubernetesManifests};
use portway_provider::manifests::Manifests;

#[test]
fn the_quickstart_gives_its_two_routers_and_no_problem() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/quickstart/manifests");
    let directory = directory.to_owned();
    let manifests = KubernetesManifests { directory, ..KubernetesManifests::default() };
    let said = Manifests::new(&manifests).unwrap().read();
    assert_eq!(said["kubernetes"], Config::default());
    let config = &said["kubernetescrd"];
    assert_eq!(config.diagnostics, []);
    let routers: Vec<_> = config
        .http
        .routers
        .iter()
        .map(|(name, entry)| (&**name, entry.spec.service.as_str(), entry.is_disabled()))
        .collect();
    let expected = [
        ("default-traefik-dashboard-9455a5257c254b765ba2", "api@internal", false),
        ("default-whoami-122f93d6852c295caed0", "whoami@internal", false),
    ];
    assert_eq!(routers, expected);
    assert!(!config.http.middlewares["default-auth"].is_disabled());
}
