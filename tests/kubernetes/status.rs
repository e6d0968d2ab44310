//! What Portway writes into the status of objects, and who of several replicas does.

use std::thread;
use std::time::Duration;

use portway_testkit::control_plane::{ADMIN, ControlPlane};
use portway_testkit::process::{Process, Setup};
use serde_json::Value;

use super::until;

/// How long nothing may be written where nothing changes.
const QUIET: Duration = Duration::from_secs(3);

const OBJECTS: &str = include_str!("status/objects.yaml");

/// Made a second later, which is what creation times can tell.
const LATER: &str = "apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: younger}
spec:
  routes:
    - match: Host(`good.example`)
      kind: Rule
      services: [{name: web, port: 80}]
";

const LOST: &str = "apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: lost}
spec:
  rules:
    - host: lost.example
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: wbe, port: {number: 80}}}}]}
";

#[test]
fn users_see_what_became_of_their_objects() {
    let Some(plane) = ControlPlane::start() else { return };
    plane.apply(&super::crds());
    plane.apply(OBJECTS);
    thread::sleep(Duration::from_secs(1));
    plane.apply(LATER);
    let _portway = start(&plane);
    expect(
        &plane,
        "ingressroute.traefik.io/good",
        "True Accepted, True ResolvedRefs, False NoConflicts, True Programmed",
    );
    expect(
        &plane,
        "ingressroute.traefik.containo.us/old",
        "True Accepted, True ResolvedRefs, False NoConflicts, True Programmed",
    );
    expect(
        &plane,
        "ingressroute.traefik.io/lost",
        "True Accepted, False InvalidReference, False NoConflicts, False Closed",
    );
    expect(
        &plane,
        "ingressroute.traefik.io/unread",
        "False Invalid, True ResolvedRefs, False NoConflicts, False Closed",
    );
    expect(
        &plane,
        "middleware.traefik.io/auth",
        "True Accepted, False InvalidReference, False NoConflicts, False Closed",
    );
    expect(
        &plane,
        "ingressroutetcp.traefik.io/tcp",
        "False Unsupported, True ResolvedRefs, False NoConflicts, False Incomplete",
    );
    expect(
        &plane,
        "tlsoption.traefik.io/strict",
        "True Accepted, True ResolvedRefs, False NoConflicts, True Programmed",
    );

    expect(
        &plane,
        "ingressroute.traefik.io/younger",
        "True Accepted, True ResolvedRefs, True Conflict, True Programmed",
    );

    // The message names the nearest name; describe shows it as an event.
    let lost = plane.run(&["describe", "ingressroute.traefik.io", "lost"], "");
    let events = lost.split("Events:").nth(1).expect("events");
    assert!(events.contains("Warning") && events.contains("did you mean default/web?"), "{lost}");
    let columns = plane.run(&["get", "ingressroute.traefik.io", "good"], "");
    let columns: Vec<_> = columns.split_whitespace().collect();
    assert!(columns.windows(3).any(|words| words == ["True", "True", "True"]), "{columns:?}");

    // An object of another class is somebody else's.
    assert!(conditions(&plane, "ingressroute.traefik.io/other").is_empty());

    // What is mended is told, and nothing is written where nothing changes.
    plane.apply("apiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata: {name: guard}\nspec: {addPrefix: {prefix: /x}}\n");
    plane.apply(
        "apiVersion: v1\nkind: Service\nmetadata: {name: wbe}\nspec: {ports: [{port: 80}]}\n",
    );
    expect(
        &plane,
        "ingressroute.traefik.io/lost",
        "True Accepted, True ResolvedRefs, False NoConflicts, True Programmed",
    );
    let before = versions(&plane);
    thread::sleep(QUIET);
    assert_eq!(versions(&plane), before, "statuses are written again and again");
}

#[test]
fn an_ingress_gets_its_addresses() {
    let Some(plane) = ControlPlane::start() else { return };
    plane.apply(&super::crds());
    plane.apply(OBJECTS);
    let mut setup = setup(&plane);
    setup.flags.extend(plane.flags("kubernetesIngress", ADMIN));
    let setup = setup.flag("--providers.kubernetesIngress.ingressEndpoint.ip=192.0.2.7");
    let _portway = Process::start(&crate::portway(), &setup);
    until(|| plane.run(&["get", "ingress", "web"], ""), |text| text.contains("192.0.2.7"));

    // What is wrong with one is told in events, and so is that it is mended.
    plane.apply(LOST);
    let events = || {
        let of = "--field-selector=involvedObject.kind=Ingress,involvedObject.name=lost";
        plane.run(&["get", "events", of], "")
    };
    until(events, |events| events.contains("did you mean default/web?"));
    plane.apply(&LOST.replace("wbe", "web"));
    until(events, |events| events.contains("Normal"));
    let of_web = "--field-selector=involvedObject.kind=Ingress,involvedObject.name=web";
    let of_web = plane.run(&["get", "events", of_web], "");
    assert!(!of_web.contains("Ingress") && !of_web.contains("ingress"), "{of_web}");
}

#[test]
fn one_of_two_replicas_writes_and_the_other_takes_over() {
    let Some(plane) = ControlPlane::start() else { return };
    plane.apply(&super::crds());
    plane.apply(OBJECTS);
    let replicas = [start(&plane), start(&plane)];
    expect(
        &plane,
        "ingressroute.traefik.io/good",
        "True Accepted, True ResolvedRefs, False NoConflicts, True Programmed",
    );
    let holder = || {
        plane.run(&["get", "lease", "portway-status", "-o", "jsonpath={.spec.holderIdentity}"], "")
    };
    let first = holder();
    let before = versions(&plane);
    thread::sleep(QUIET);
    assert_eq!(versions(&plane), before, "the replicas write against each other");
    assert_eq!(holder(), first, "the Lease changes hands");

    // Which of them holds it is not told; whoever does gives it back when it ends.
    let [mut one, mut two] = replicas;
    end(&mut one);
    until(holder, |holder| !holder.is_empty());
    end(&mut two);
    assert_eq!(holder(), "", "the Lease is not given back");
    let _third = start(&plane);
    until(holder, |holder| !holder.is_empty());
    plane.run(&["delete", "service", "web"], "");
    expect(
        &plane,
        "ingressroute.traefik.io/good",
        "True Accepted, False InvalidReference, False NoConflicts, False Closed",
    );
}

#[test]
fn definitions_without_a_status_do_no_harm() {
    let Some(plane) = ControlPlane::start() else { return };
    plane.apply(&super::crds().replace("    subresources:\n      status: {}\n", ""));
    plane.apply(OBJECTS);
    let portway = start(&plane);
    until(|| portway.log(), |log| log.contains("apply Portway's CRDs"));
    let told =
        portway.log().matches("the status of ingressroutes.traefik.io is not written").count();
    assert_eq!(told, 1, "{}", portway.log());
    // Events say it all the same.
    let events =
        || plane.run(&["get", "events", "--field-selector=reportingComponent=portway"], "");
    until(events, |events| events.contains("did you mean default/web?"));
}

fn setup(plane: &ControlPlane) -> Setup {
    let mut setup =
        Setup { unmarked: true, ..Setup::default() }.entry_point("web").flag("--log.level=INFO");
    setup.flags.extend(plane.flags("kubernetesCRD", ADMIN));
    setup
}

#[track_caller]
fn start(plane: &ControlPlane) -> Process {
    Process::start(&crate::portway(), &setup(plane))
}

/// Ends a replica as Kubernetes does.
#[track_caller]
fn end(replica: &mut Process) {
    replica.signal("TERM");
    let ended = replica.wait(Duration::from_secs(10));
    assert!(ended.is_some_and(|status| status.success()), "{}", replica.log());
}

/// Waits until the conditions of an object are these: status and reason of each.
#[track_caller]
fn expect(plane: &ControlPlane, object: &str, expected: &str) {
    until(|| conditions(plane, object), |conditions| conditions == expected);
}

/// The conditions of an object, as status and reason of each.
fn conditions(plane: &ControlPlane, object: &str) -> String {
    let text = plane.run(&["get", object, "-o", "json"], "");
    let object: Value = serde_json::from_str(&text).expect("JSON");
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let shown = conditions.map(|condition| {
        assert_eq!(condition["observedGeneration"], object["metadata"]["generation"]);
        let text = |name: &str| condition[name].as_str().unwrap_or_default().to_owned();
        format!("{} {}", text("status"), text("reason"))
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// The resource versions of all objects of Traefik's kinds.
fn versions(plane: &ControlPlane) -> String {
    let columns = "custom-columns=K:.kind,N:.metadata.name,V:.metadata.resourceVersion";
    plane.run(&["get", "traefik", "-A", "-o", columns], "")
}
