//! Which objects are followed: of definitions that come later, in pages, in namespaces, by labels, unreadable ones.

use portway_kubernetes::{
    api::{Body, Kind},
    cluster::Resources,
};
use portway_model::static_config::{KubernetesCrd, KubernetesObjects};
use portway_testkit::kubernetes::{ApiServer, Churn};
use serde_json::{Value, json};

use crate::{
    anchors,
    followed::{Followed, run, traefik},
};

const TRAEFIK: &str = "traefik.io/v1alpha1";

fn object(api_version: &str, kind: &str, name: &str, more: Value) -> Value {
    let mut object = more;
    object["apiVersion"] = json!(api_version);
    object["kind"] = json!(kind);
    object["metadata"]["name"] = json!(name);
    object
}

fn middleware(name: &str) -> Value {
    object(TRAEFIK, "Middleware", name, json!({ "spec": { "addPrefix": { "prefix": "/a" } } }))
}

fn crd(objects: KubernetesObjects) -> Resources {
    Resources::of_crd(&KubernetesCrd { objects, ..KubernetesCrd::default() })
}

#[test]
fn a_definition_that_is_installed_later_is_picked_up() {
    run(async {
        let server = ApiServer::start();
        let mut followed = Followed::new(&server).complete().await;
        let told = "Warning middlewares.traefik.io: the API server does not know this resource; it is \
                    waited for (is its CustomResourceDefinition installed?)";
        assert!(followed.told().contains(&told.to_owned()), "{:?}", followed.told());
        server.install(TRAEFIK, "Middleware", "middlewares", true);
        server.apply(middleware("late"));
        followed.until("picked up", |f| f.knows("Middleware default/late")).await;
        followed.until("well", |f| !f.told().contains(&told.to_owned())).await;
    });
}

#[test]
fn one_of_traefiks_groups_is_enough() {
    run(async {
        let server = ApiServer::start();
        server.install("traefik.containo.us/v1alpha1", "Middleware", "middlewares", true);
        let old = json!({ "spec": { "addPrefix": { "prefix": "/a" } } });
        server.apply(object("traefik.containo.us/v1alpha1", "Middleware", "old", old));
        let followed = Followed::new(&server).complete().await;
        assert!(followed.knows("Middleware default/old"));
        let told = followed.told();
        assert!(!told.iter().any(|line| line.contains("middlewares.")), "{told:?}");
    });
}

#[test]
fn five_thousand_objects_come_in_pages_of_one_moment() {
    run(async {
        let server = ApiServer::start();
        Churn::install(&server);
        for number in 0..5000 {
            server.apply(middleware(&format!("m-{number}")));
        }
        let mut followed = Followed::new(&server).complete().await;
        let count = |followed: &Followed| followed.cluster.index().of(Kind::Middleware).count();
        assert_eq!(count(&followed), 5000);
        let requests = server.requests();
        let pages = requests.iter().filter(|seen| {
            let asked = |name: &str, value: &str| seen.query.contains(&(name.into(), value.into()));
            seen.path.ends_with("/traefik.io/v1alpha1/middlewares") && asked("limit", "500")
        });
        assert_eq!(pages.count(), 10);
        server.delete(TRAEFIK, "Middleware", "default", "m-7");
        followed.until("followed", |followed| count(followed) == 4999).await;
    });
}

#[test]
fn only_the_namespaces_that_are_named_are_asked_for() {
    run(async {
        let server = ApiServer::start();
        Churn::install(&server);
        for resource in ["services", "secrets", "endpointslices", "middlewares", "configmaps"] {
            server.forbid_cluster_wide(resource, &["*"]);
        }
        for namespace in ["shop", "team-a", "other"] {
            let mut object = middleware("m");
            object["metadata"]["namespace"] = json!(namespace);
            server.apply(object);
        }
        let namespaces = vec!["shop".to_owned(), "team-a".to_owned()];
        let resources = crd(KubernetesObjects { namespaces, ..KubernetesObjects::default() });
        let mut followed = Followed::of(&server, &resources).complete().await;
        let names = |followed: &Followed| {
            let index = followed.cluster.index();
            let names = index.of(Kind::Middleware).map(|object| object.key.namespace.clone());
            names.collect::<Vec<_>>()
        };
        assert_eq!(names(&followed), ["shop", "team-a"]);
        server.delete(TRAEFIK, "Middleware", "shop", "m");
        followed.until("followed", |followed| names(followed) == ["team-a"]).await;
    });
}

#[test]
fn an_object_whose_labels_cease_to_match_is_gone() {
    run(async {
        let server = ApiServer::start();
        Churn::install(&server);
        let labelled = |name: &str, team: &str| {
            let mut object = middleware(name);
            object["metadata"]["labels"] = json!({ "team": team });
            object
        };
        server.apply(labelled("a", "blue"));
        server.apply(labelled("b", "green"));
        let label_selector = "team=blue".to_owned();
        let resources = crd(KubernetesObjects { label_selector, ..KubernetesObjects::default() });
        let mut followed = Followed::of(&server, &resources).complete().await;
        assert!(followed.knows("Middleware default/a") && !followed.knows("Middleware default/b"));
        server.apply(labelled("b", "blue"));
        followed.until("b came", |followed| followed.knows("Middleware default/b")).await;
        server.apply(labelled("a", "green"));
        followed.until("a went", |followed| !followed.knows("Middleware default/a")).await;
    });
}

#[test]
fn secrets_of_helm_are_never_read() {
    run(async {
        let server = ApiServer::start();
        let release = json!({ "metadata": { "labels": { "owner": "helm" } }, "data": {} });
        server.apply(object("v1", "Secret", "release", release));
        server.apply(object("v1", "Secret", "other", json!({ "data": {} })));
        let followed = Followed::new(&server).complete().await;
        assert!(followed.knows("Secret default/other"));
        assert!(!followed.knows("Secret default/release"));
    });
}

#[test]
fn two_clusters_follow_one_server_without_knowing_of_each_other() {
    run(async {
        let server = ApiServer::start();
        Churn::install(&server);
        anchors::install(&server);
        let first = Followed::new(&server).complete().await;
        let mut second = Followed::new(&server).complete().await;
        assert_eq!(first.said(), second.said());
        drop(first);
        server.apply(middleware("late"));
        second.until("followed", |second| second.knows("Middleware default/late")).await;
    });
}

#[test]
fn objects_that_make_no_sense_never_stall_those_that_do() {
    run(async {
        let server = ApiServer::start();
        server.install(TRAEFIK, "ServersTransport", "serverstransports", true);
        server.install(TRAEFIK, "TLSOption", "tlsoptions", true);
        server.install(TRAEFIK, "TLSStore", "tlsstores", true);
        server.install(TRAEFIK, "TraefikService", "traefikservices", true);
        Churn::install(&server);
        for (number, nonsense) in nonsense().into_iter().enumerate() {
            for object in spoilt(&format!("spoilt-{number}"), &nonsense) {
                server.apply(object);
            }
        }
        anchors::install(&server);
        let listed = Followed::new(&server).complete().await;
        let expected = listed.said();
        assert!(listed.knows("Middleware default/spoilt-0"), "what makes no sense is there, too");

        // The same by events.
        let server = ApiServer::start();
        Churn::install(&server);
        let mut watched = Followed::new(&server).complete().await;
        for (number, nonsense) in nonsense().into_iter().enumerate() {
            for object in spoilt(&format!("spoilt-{number}"), &nonsense) {
                server.try_apply(object);
            }
        }
        anchors::install(&server);
        watched.until("anchors", |followed| followed.knows("Ingress shop/anchor")).await;
        watched.until("anchors", |followed| followed.knows("Middleware shop/anchor")).await;
        let (config, ..) = watched.said();
        watched.until("anchors", |f| traefik(&f.cluster.index()).http == config.http).await;
        assert!(expected.0.http.routers.keys().any(|name| name.starts_with("shop-anchor-")));
    });
}

/// What stands where it makes no sense.
fn nonsense() -> Vec<Value> {
    let mut deep = json!("deep");
    for _ in 0..300 {
        deep = json!([deep]);
    }
    vec![json!(7), json!("text"), json!([[]]), json!({ "a": { "b": [1] } }), json!(null), deep]
}

/// An object of each kind with nonsense in the place of everything that is read, and with nonsense inside.
fn spoilt(name: &str, nonsense: &Value) -> Vec<Value> {
    let fields = json!({
        "routes": nonsense, "tls": nonsense, "entryPoints": nonsense, "basicAuth": nonsense,
        "plugin": { "any": nonsense }, "rules": nonsense, "ports": nonsense, "type": nonsense,
        "weighted": nonsense, "certificates": nonsense, "rootCAs": nonsense, "minVersion": nonsense,
    });
    let routes =
        json!({ "routes": [{ "match": nonsense, "services": [nonsense, { "name": nonsense }] }] });
    let kinds = [
        ("v1", "Service"),
        ("v1", "Secret"),
        ("v1", "ConfigMap"),
        ("v1", "Node"),
        ("discovery.k8s.io/v1", "EndpointSlice"),
        ("networking.k8s.io/v1", "Ingress"),
        ("networking.k8s.io/v1", "IngressClass"),
        (TRAEFIK, "IngressRoute"),
        (TRAEFIK, "Middleware"),
        (TRAEFIK, "ServersTransport"),
        (TRAEFIK, "TLSOption"),
        (TRAEFIK, "TLSStore"),
        (TRAEFIK, "TraefikService"),
    ];
    let mut objects = Vec::new();
    for (api_version, kind) in kinds {
        let whole = json!({
            "spec": nonsense, "status": nonsense, "data": nonsense, "type": nonsense,
            "endpoints": nonsense, "ports": nonsense,
        });
        objects.push(object(api_version, kind, name, whole));
        let inside = json!({
            "metadata": { "annotations": nonsense }, "spec": fields, "data": { "tls.crt": nonsense },
            "endpoints": [nonsense, { "addresses": nonsense, "conditions": nonsense }],
        });
        objects.push(object(api_version, kind, &format!("{name}-inside"), inside));
    }
    objects.push(object(
        TRAEFIK,
        "IngressRoute",
        &format!("{name}-routes"),
        json!({ "spec": routes }),
    ));
    objects
}

#[test]
fn of_secrets_and_annotations_only_what_is_read_is_kept() {
    run(async {
        let server = ApiServer::start();
        let annotations = json!({
            "kubectl.kubernetes.io/last-applied-configuration": "a copy of everything",
            "kubernetes.io/ingress.class": "traefik",
            "traefik.ingress.kubernetes.io/router.entrypoints": "web",
        });
        let metadata = json!({ "annotations": annotations, "labels": { "team": "blue" } });
        let data = json!({ "tls.crt": "YQ==", "tls.key": "YQ==", "backup.tar": "YQ==" });
        let secret = json!({ "metadata": metadata, "data": data });
        server.apply(object("v1", "Secret", "a", secret));
        let followed = Followed::new(&server).complete().await;
        let index = followed.cluster.index();
        let object = index.object(Kind::Secret, "default", "a").unwrap();
        assert_eq!(object.meta.annotations.len(), 2, "{:?}", object.meta.annotations);
        assert!(object.meta.labels.is_empty());
        let Body::Secret(secret) = &object.body else { panic!("{object:?}") };
        assert_eq!(secret.data["tls.crt"], b"a");
        assert_eq!(secret.data["backup.tar"], b"");
    });
}
