//! Following endpoints gives what a translation of everything gives.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::{collections::BTreeSet, fs, path::Path};

use portway_kubernetes::{
    Index, ServiceName, Translated,
    api::{self, Body, Object},
    translate, translate_ingresses,
};
use portway_model::{
    static_config::{KubernetesIngress, KubernetesObjects},
    yaml,
};
use portway_testkit::random::Random;

/// Edits of each file's endpoints.
const ROUNDS: usize = 30;

#[test]
fn following_endpoints_gives_what_a_whole_translation_gives() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let mut followed = 0;
    for folder in ["kubernetes", "ingress"] {
        for case in fs::read_dir(root.join(folder)).unwrap() {
            let text = fs::read_to_string(case.unwrap().path().join("in.yaml")).unwrap();
            followed += follow(&text);
        }
    }
    assert!(followed > 100, "only {followed} edits changed anything");
}

/// Edits the endpoints of a file's objects at random, and counts the edits that changed a translation.
fn follow(text: &str) -> usize {
    let mut index = Index::default();
    let documents = yaml::parse(text).unwrap();
    let read = documents.iter().flat_map(|document| api::read(&document.node, ""));
    for object in read.flatten() {
        index.apply(object);
    }
    let slices: Vec<Object> = index
        .all()
        .filter(|object| matches!(object.body, Body::EndpointSlice(_)))
        .cloned()
        .collect();
    if slices.is_empty() {
        return 0;
    }
    let (mut random, mut changes) = (Random::new(7), 0);
    let mut said = both(&index);
    for _ in 0..ROUNDS {
        let slice = random.pick(&slices);
        let service = slice.meta.labels.get("kubernetes.io/service-name").cloned();
        let Some(name) = service else { continue };
        match random.below(4) {
            0 => drop(index.delete(&slice.key)),
            1 => drop(index.apply(slice.clone())),
            _ => drop(index.apply(edited(slice.clone(), &mut random))),
        }
        let namespace = slice.key.namespace.clone();
        let services = BTreeSet::from([ServiceName { namespace, name }]);
        for translated in &mut said {
            changes += usize::from(translated.follow_endpoints(&index, &services));
        }
        assert!(said == both(&index), "{text}");
    }
    changes
}

fn both(index: &Index) -> [Translated; 2] {
    [
        translate(index, &KubernetesObjects::default()),
        translate_ingresses(index, &KubernetesIngress::default()),
    ]
}

fn edited(mut object: Object, random: &mut Random) -> Object {
    if let Body::EndpointSlice(slice) = &mut object.body {
        for address in &mut slice.addresses {
            address.address = format!("10.1.0.{}", random.below(9));
            address.serving = random.below(3) > 0;
            address.terminating = random.below(3) == 0;
        }
    }
    object
}
