//! Following any change gives what a translation of everything gives.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

use portway_kubernetes::{
    Changes, Index, Translated, Translator,
    api::{self, Group, Key, Kind, Object},
    translate, translate_ingresses,
};
use portway_model::{
    dynamic::Service,
    static_config::{KubernetesIngress, KubernetesObjects},
    yaml,
};
use portway_testkit::random::{Random, number_from_environment};

#[path = "follow/script.rs"]
mod script;

use script::Writer;

/// Steps of each script.
const STEPS: usize = 120;

#[test]
fn following_any_change_gives_what_a_whole_translation_gives() {
    let scripts = number_from_environment("PORTWAY_SCRIPTS", 60);
    let first = number_from_environment("PORTWAY_SEED", 1);
    for seed in first..first + scripts {
        follow(seed);
    }
}

/// Edits an index at random, and compares after each step.
fn follow(seed: u64) {
    let mut random = Random::new(seed);
    let options = options(&mut random);
    let mut index = Index::default();
    let mut traefik = Translator::of_traefik(options.objects.clone());
    let mut ingresses = Translator::of_ingresses(options.clone());
    for step in 0..STEPS {
        let mut changes = Changes::default();
        for _ in 0..1 + random.below(3) {
            edit(&mut index, &mut random, &mut changes);
        }
        traefik.update(&index, &changes);
        ingresses.update(&index, &changes);
        let at = format!("seed {seed}, step {step}: {changes:#?}");
        check(traefik.translated(), &translate(&index, &options.objects), &at);
        check(ingresses.translated(), &translate_ingresses(&index, &options), &at);
    }
}

/// A Secret is shown for the store of the older of two, and nothing else of them says which one that is.
#[test]
fn a_store_that_becomes_the_older_one_takes_a_certificate() {
    let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {tls.crt: eA==, tls.key: eQ==}\n\
                ---\napiVersion: traefik.io/v1alpha1\nkind: TLSStore\nmetadata: {name: one}\n\
                spec: {certificates: [{secretName: s}]}\n\
                ---\napiVersion: traefik.io/v1alpha1\nkind: TLSStore\nmetadata: {name: two}\n\
                spec: {certificates: [{secretName: s}]}\n";
    let options = KubernetesObjects::default();
    let (mut index, mut translator) = (Index::default(), Translator::of_traefik(options.clone()));
    let documents = yaml::parse(text).unwrap();
    let read = documents.iter().flat_map(|document| api::read(&document.node, ""));
    let objects: Vec<Object> = read.map(Result::unwrap).collect();
    for object in objects.clone() {
        index.apply(object);
    }
    translator.update(&index, &Changes::default());
    let mut younger = objects[2].clone();
    younger.meta.created = Some("2020-01-01T00:00:00Z".to_owned());
    let mut changes = Changes::default();
    index.apply_noting(younger, &mut changes);
    translator.update(&index, &changes);
    let stores =
        |translated: &Translated| translated.config.tls.certificates[0].spec.stores.clone();
    assert_eq!(stores(translator.translated()), ["default-two"]);
    check(translator.translated(), &translate(&index, &options), "two stores");
}

/// The default backend is that of the oldest Ingress whose one leads somewhere.
#[test]
fn a_default_backend_that_leads_nowhere_gives_way_to_a_younger_one() {
    let ingress = |name: &str, year: usize| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\n\
             metadata: {{name: {name}, creationTimestamp: '{year}-01-01T00:00:00Z'}}\n\
             spec: {{defaultBackend: {{service: {{name: {name}, port: {{number: 80}}}}}}}}\n"
        )
    };
    let service = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n\
             spec: {{ports: [{{port: 80}}]}}\n"
        )
    };
    let options = KubernetesIngress::default();
    let (mut index, mut ingresses) = (Index::default(), Translator::of_ingresses(options.clone()));
    let texts = [ingress("old", 2020), ingress("young", 2021), service("young"), service("old")];
    let mut origins = Vec::new();
    for text in texts {
        let mut changes = Changes::default();
        for object in api::read(&yaml::parse(&text).unwrap()[0].node, "") {
            index.apply_noting(object.unwrap(), &mut changes);
        }
        ingresses.update(&index, &changes);
        check(ingresses.translated(), &translate_ingresses(&index, &options), &text);
        let service = &ingresses.translated().config.http.services["default-backend"].spec;
        origins.push(match &**service {
            Service::LoadBalancer(balancer) => balancer.origin.clone().unwrap().name,
            _ => "nowhere".to_owned(),
        });
    }
    assert_eq!(origins, ["nowhere", "nowhere", "young", "old"]);
}

#[track_caller]
fn check(followed: &Translated, whole: &Translated, at: &str) {
    if followed == whole {
        return;
    }
    let lines = |translated: &Translated| format!("{translated:#?}");
    let (followed, whole) = (lines(followed), lines(whole));
    let differs = followed.lines().zip(whole.lines()).position(|(a, b)| a != b).unwrap_or_default();
    let around = |text: &str| {
        let lines = text.lines().skip(differs.saturating_sub(40)).take(60);
        lines.collect::<Vec<_>>().join("\n")
    };
    panic!("{at}\nfollowed:\n{}\nwhole:\n{}", around(&followed), around(&whole));
}

fn options(random: &mut Random) -> KubernetesIngress {
    let some = |random: &mut Random| random.once_in(3);
    let objects = KubernetesObjects {
        allow_cross_namespace: random.once_in(2),
        allow_external_name_services: some(random),
        safe_naming: some(random),
        native_lb_by_default: random.once_in(5),
        default_tls_resources_namespace: if some(random) { "a".to_owned() } else { String::new() },
        cross_provider_namespaces: some(random).then(|| vec!["a".to_owned()]),
        ..KubernetesObjects::default()
    };
    KubernetesIngress {
        objects,
        disable_ingress_class_lookup: random.once_in(6),
        disable_cluster_scope_resources: random.once_in(6),
        strict_prefix_matching: some(random),
        ..KubernetesIngress::default()
    }
}

fn edit(index: &mut Index, random: &mut Random, changes: &mut Changes) {
    let keys: Vec<Key> = index.all().map(|object| object.key.clone()).collect();
    match random.below(20) {
        // The more there are, the more go.
        0..=6 if !keys.is_empty() && random.below(60) < keys.len() => {
            index.delete_noting(random.pick(&keys), changes);
        }
        7..=9 if !keys.is_empty() => {
            // The same again, at another age.
            let mut object = index.exactly(random.pick(&keys)).unwrap().clone();
            object.meta.created = Some(format!("20{}-01-01T00:00:00Z", 19 + random.below(4)));
            index.apply_noting(object, changes);
        }
        10 if !keys.is_empty() && random.once_in(4) => reset(index, random, changes),
        _ => drop(index.apply_noting(Writer { random }.object(), changes)),
    }
}

/// Lists the objects of a kind anew: some are gone, some are there that were not.
fn reset(index: &mut Index, random: &mut Random, changes: &mut Changes) {
    let keys: Vec<Key> = index.all().map(|object| object.key.clone()).collect();
    let Key { kind, group, .. } = *random.pick(&keys);
    let is_of = |object: &Object, kind: Kind, group: Group| {
        (object.key.kind, object.key.group) == (kind, group)
    };
    let mut objects: Vec<_> =
        index.all().filter(|object| is_of(object, kind, group)).cloned().collect();
    objects.retain(|_| random.below(3) > 0);
    objects.extend((0..4).map(|_| Writer { random }.object()));
    objects.retain(|object| is_of(object, kind, group));
    index.reset(kind, group, None, objects, changes);
}
