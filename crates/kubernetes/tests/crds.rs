//! The committed CustomResourceDefinitions are those of the schema; `cargo xtask crds` writes them.

use std::path::Path;

use portway_kubernetes::{
    api::{Group, Kind},
    schema::definition,
};
use portway_testkit::golden;

const HEAD: &str = "# Written by `cargo xtask crds`; do not edit.\n";

#[test]
fn committed_definitions_are_those_of_the_schema() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/crds");
    for group in [Group::TraefikIo, Group::TraefikContainous] {
        let definitions = Kind::TRAEFIK.map(|kind| definition(kind, group).unwrap());
        let documents = definitions.map(|definition| serde_saphyr::to_string(&definition).unwrap());
        let file = format!("{}.yaml", group.traefik().unwrap());
        golden::check(&folder.join(file), &format!("{HEAD}---\n{}", documents.join("---\n")));
    }
}
