//! The committed CustomResourceDefinitions are those of the schema; `cargo xtask crds` writes them.

use std::path::Path;

use portway_kubernetes::{
    api::{Group, Kind},
    schema::definition,
};
use portway_model::yaml;
use portway_testkit::golden;

const HEAD: &str = "# Written by `cargo xtask crds`; do not edit.\n";

#[test]
fn committed_definitions_are_those_of_the_schema() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/crds");
    for group in [Group::TraefikIo, Group::TraefikContainous] {
        let definitions = Kind::TRAEFIK.map(|kind| definition(kind, group).unwrap());
        let documents = definitions.clone().map(|json| serde_saphyr::to_string(&json).unwrap());
        let text = format!("{HEAD}---\n{}", documents.join("---\n"));
        // What was written must not read otherwise, as an unquoted `True` does.
        let read = yaml::parse(&text).unwrap();
        assert!(read.iter().map(|document| document.node.to_json()).eq(definitions));
        golden::check(&folder.join(format!("{}.yaml", group.traefik().unwrap())), &text);
    }
}

#[test]
fn only_traefiks_kinds_and_groups_have_definitions() {
    assert_eq!(definition(Kind::Service, Group::TraefikIo), None);
    assert_eq!(definition(Kind::Middleware, Group::Kubernetes), None);
}
