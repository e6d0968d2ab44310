//! Values: each has an effect or stops the rendering, and the message names it and the nearest name.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use portway_model::static_config::known::{self, Class};
use portway_testkit::folder::Folder;
use serde_json::Value;

use super::helm::Helm;
use super::{documents, place, text};

/// Values without an effect, and why they may be: without UDP there is one protocol and one Service; Helm's own.
const INERT: &[&str] = &[
    "service.single",
    "service.additionalServices.<name>.single",
    "global.cattle",
    "ports.<name>.protocol",
];

/// A leaf of known.yaml: its path and what is expected there.
struct Leaf {
    path: Vec<String>,
    kind: String,
}

fn leaves() -> Vec<Leaf> {
    let known = documents(&text("deploy/chart/portway/known.yaml")).remove(0);
    let mut leaves = Vec::new();
    gather(&known, &mut Vec::new(), &mut leaves);
    leaves
}

fn gather(known: &Value, path: &mut Vec<String>, leaves: &mut Vec<Leaf>) {
    let Value::Object(entries) = known else {
        leaves.push(Leaf { path: path.clone(), kind: known.as_str().unwrap().to_owned() });
        return;
    };
    for (name, inner) in entries {
        path.push(name.clone());
        gather(inner, path, leaves);
        path.pop();
    }
}

/// The paths in `values` that a path of known.yaml means.
fn meant(values: &Value, path: &[String], here: &[String]) -> Vec<Vec<String>> {
    let Some((name, rest)) = path.split_first() else { return vec![here.to_vec()] };
    let Value::Object(entries) = values else { return Vec::new() };
    let fits = |own: &&String| name == "<name>" || *own == name;
    entries
        .keys()
        .filter(fits)
        .flat_map(|own| meant(&entries[own], rest, &[here, std::slice::from_ref(own)].concat()))
        .collect()
}

/// The values with another at a path: the chart's own, or for a switch the opposite.
fn changed(values: &Value, path: &[String]) -> Value {
    let mut values = values.clone();
    let (last, parents) = path.split_last().unwrap();
    let parent = parents.iter().fold(&mut values, |inner, name| &mut inner[name]);
    let parent = parent.as_object_mut().unwrap();
    match parent[last].as_bool() {
        Some(on) => parent.insert(last.clone(), (!on).into()),
        None => parent.remove(last),
    };
    values
}

#[test]
fn no_value_is_without_effect() {
    let Some(helm) = Helm::found() else { return };
    let mut cases = Vec::new();
    let mut uncovered: BTreeSet<String> = leaves()
        .iter()
        .filter(|leaf| !["older", "later", "never"].iter().any(|word| leaf.kind.starts_with(word)))
        .map(|leaf| leaf.path.join("."))
        .filter(|path| !INERT.contains(&path.as_str()))
        .collect();
    for file in ["deployment", "daemonset", "replicas"] {
        let values = documents(&text(&format!("tests/deploy/values/{file}.yaml"))).remove(0);
        let whole = helm.render_with(&values.to_string()).unwrap();
        for leaf in uncovered.clone() {
            let known: Vec<String> = leaf.split('.').map(str::to_owned).collect();
            let found = meant(&values, &known, &[]);
            if !found.is_empty() {
                uncovered.remove(&leaf);
            }
            cases.extend(found.into_iter().map(|path| (values.clone(), whole.clone(), path)));
        }
    }
    assert!(uncovered.is_empty(), "no values file has {uncovered:#?}");
    assert!(cases.len() > 150, "{} cases", cases.len());
    let next = AtomicUsize::new(0);
    let inert = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((values, whole, path)) =
                    cases.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let rendered = helm.render_with(&changed(values, path).to_string());
                    if rendered.as_ref() == Ok(whole) {
                        inert.lock().unwrap().push(path.join("."));
                    }
                }
            });
        }
    });
    let inert = inert.into_inner().unwrap();
    assert!(inert.is_empty(), "ignored in silence: {inert:#?}");
}

#[test]
fn what_is_refused_as_not_served_is_not_served() {
    for leaf in leaves() {
        let Some(option) = leaf.kind.strip_prefix("later ") else { continue };
        let path = known::segments(option);
        match known::classify(&path) {
            Class::Option(known) => {
                assert!(
                    !known.served,
                    "{option} is served; the chart refuses {}",
                    leaf.path.join(".")
                );
            }
            Class::Group => {
                let within = known::all().iter().filter(|known| known.path.starts_with(option));
                let served: Vec<_> = within.filter(|known| known.served).collect();
                assert!(served.is_empty(), "{}: {served:#?}", leaf.path.join("."));
            }
            other => panic!("{}: `{option}` is no option: {other:?}", leaf.path.join(".")),
        }
    }
}

#[test]
fn older_names_mean_what_todays_mean() {
    let Some(helm) = Helm::found() else { return };
    let file = |name: &str| place(&format!("tests/deploy/values/{name}-names.yaml"));
    let older = helm.render(&[file("older")]).unwrap();
    assert_eq!(older, helm.render(&[file("todays")]).unwrap());
    let values = documents(&text("tests/deploy/values/older-names.yaml")).remove(0);
    for leaf in leaves().iter().filter(|leaf| leaf.kind.starts_with("older ")) {
        let mut path = leaf.path.clone();
        if path.last().is_some_and(|last| last == "<itself>") {
            path.pop();
        }
        assert!(!meant(&values, &path, &[]).is_empty(), "not tried: {}", leaf.path.join("."));
    }
}

/// Rendering stops with exactly these lines.
#[track_caller]
fn refused(helm: &Helm, values: &str, lines: &[&str]) {
    let error = helm.render_with(values).expect_err(values);
    let told: Vec<&str> = error.lines().filter(|line| line.starts_with("values, ")).collect();
    assert_eq!(told, lines, "{error}");
}

#[test]
fn unknown_names_are_told_with_the_nearest() {
    let Some(helm) = Helm::found() else { return };
    refused(
        &helm,
        "imagee: {tag: a}\nports: {web: {prot: 80, http: {tls: {optins: a}}}}\n\
         providers: {kubernetesCRD: {namespace: [a]}, kubernetesCrd: {enabled: true}}",
        &[
            "values, imagee: unknown value; did you mean `image`?",
            "values, ports.web.http.tls.optins: unknown value; did you mean `ports.web.http.tls.options`?",
            "values, ports.web.prot: unknown value; did you mean `ports.web.protocol`?",
            "values, providers.kubernetesCRD.namespace: unknown value; did you mean \
             `providers.kubernetesCRD.namespaces`?",
            "values, providers.kubernetesCrd: unknown value; did you mean `providers.kubernetesCRD`?",
        ],
    );
    refused(
        &helm,
        "rbac: {zzz: 1}\nzzz: 1",
        &[
            "values, rbac.zzz: unknown value; `rbac` has `aggregateTo`, `enabled`, `namespaced`, \
             `secretResourceNames`",
            "values, zzz: unknown value",
        ],
    );
}

#[test]
fn values_of_another_kind_are_told_with_what_is_expected() {
    let Some(helm) = Helm::found() else { return };
    refused(
        &helm,
        "deployment: {kind: Daemonset, replicas: 1.5, annotations: []}\nhostNetwork: 'yes'\n\
         ports: {web: {port: 99999, asDefault: 1, expose: 'yes', protocol: UDP}, websecure: 8443}\n\
         tolerations: {a: b}\nimage: {tag: 1.0}",
        &[
            "values, deployment.annotations: expected a map, found `[]`",
            "values, deployment.kind: expected one of `Deployment`, `DaemonSet`, found `Daemonset`",
            "values, deployment.replicas: expected a whole number, found `1.5`",
            "values, hostNetwork: expected `true` or `false`, found `yes`",
            "values, image.tag: expected a text, found `1`",
            "values, ports.web.asDefault: expected `true` or `false`, found `1`",
            "values, ports.web.expose: expected `true` or `false`, found `yes`",
            "values, ports.web.port: expected a port from 1 to 65535, found `99999`",
            "values, ports.web.protocol: expected one of `TCP`, found `UDP`",
            "values, ports.websecure: expected a map, found `8443`",
            "values, tolerations: expected a list, found `map[a:b]`",
        ],
    );
}

#[test]
fn what_could_not_be_honoured_is_refused() {
    let Some(helm) = Helm::found() else { return };
    refused(
        &helm,
        "certificatesResolvers: {le: {acme: {email: a@example.com}}}\nhub: {token: a}\n\
         metrics: {prometheus: {entryPoint: metrics}}\n\
         ports: {web: {allowACMEByPass: true}, websecure: {http3: {enabled: true}}}\n\
         logs: {access: {timezone: Europe/Berlin}}",
        &[
            "values, certificatesResolvers: Portway does not serve Traefik's option \
             `certificatesResolvers.<name>` yet",
            "values, hub: means nothing here: Portway is no Traefik Hub",
            "values, logs.access.timezone: means nothing here: the image holds no time zones; times are UTC",
            "values, metrics.prometheus: Portway does not serve Traefik's option `metrics.prometheus` yet",
            "values, ports.web.allowACMEByPass: Portway does not serve Traefik's option \
             `entryPoints.web.allowACMEByPass` yet",
            "values, ports.websecure.http3: Portway does not serve Traefik's option \
             `entryPoints.websecure.http3` yet",
        ],
    );
}

#[test]
fn an_older_name_beside_todays_is_refused() {
    let Some(helm) = Helm::found() else { return };
    refused(
        &helm,
        "service: {type: NodePort, spec: {type: ClusterIP}}\n\
         ports: {websecure: {tls: {enabled: false}, http: {tls: {options: a}}}}\n\
         logs: {general: {level: DEBUG}}\nlog: {level: WARN}",
        &[
            "values, logs.general.level: `log.level` is its name today, and both are given; keep `log.level`",
            "values, ports.websecure.tls: `ports.websecure.http.tls` is its name today, and both are given; \
             keep `ports.websecure.http.tls`",
            "values, service.type: `service.spec.type` is its name today, and both are given; keep \
             `service.spec.type`",
        ],
    );
    // Both saying the same is no fault.
    let twice = "service: {type: NodePort, spec: {type: NodePort}}";
    assert_eq!(
        helm.render_with(twice).unwrap(),
        helm.render_with("service: {spec: {type: NodePort}}").unwrap()
    );
}

#[test]
fn a_group_that_is_taken_away_is_empty() {
    let Some(helm) = Helm::found() else { return };
    let defaults = documents(&text("deploy/chart/portway/values.yaml")).remove(0);
    let groups = defaults.as_object().unwrap().keys().filter(|name| *name != "ports");
    let providers = defaults["providers"].as_object().unwrap().keys();
    let taken: serde_json::Map<_, _> = providers.map(|name| (name.clone(), Value::Null)).collect();
    for name in groups {
        let values = serde_json::json!({ name: null });
        helm.render_with(&values.to_string()).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let values = serde_json::json!({"providers": taken, "ingressRoute": {"dashboard": null}});
    let objects = documents(&helm.render_with(&values.to_string()).unwrap());
    let flags = super::texts(&super::pod(&objects)["containers"][0]["args"]);
    assert!(!flags.iter().any(|flag| flag.starts_with("--providers.")), "{flags:?}");
}

#[test]
fn values_that_do_not_fit_each_other_are_refused() {
    let Some(helm) = Helm::found() else { return };
    refused(
        &helm,
        "deployment: {kind: DaemonSet, terminationGracePeriodSeconds: 40}\n\
         autoscaling: {enabled: true, maxReplicas: 2}\nhostNetwork: true\n\
         podDisruptionBudget: {minAvailable: 1, maxUnavailable: 1}\n\
         ports: {traefik: {transport: {lifeCycle: {graceTimeOut: 5}}}, web: {hostPort: 80}, websecure: {transport: \
         {lifeCycle: {graceTimeOut: 2m}}}, more: {exposedPort: 9}}\n\
         ingressRoute: {dashboard: {enabled: true, entryPoints: [wbe]}}\nupdateStrategy: {type: Recreate}",
        &[
            "values, ports.more.port: is missing: the port that the entry point listens on",
            "values, ports.more.transport.lifeCycle: takes 40s with its grace time, and \
             deployment.terminationGracePeriodSeconds kills the pod after 40s",
            "values, ports.web.hostPort: must be `ports.web.port` (8000) with hostNetwork, where both are ports of the node",
            "values, ports.web.transport.lifeCycle: takes 40s with its grace time, and \
             deployment.terminationGracePeriodSeconds kills the pod after 40s",
            "values, ports.websecure.transport.lifeCycle: takes 130s with its grace time, and \
             deployment.terminationGracePeriodSeconds kills the pod after 40s",
            "values, autoscaling.enabled: a DaemonSet has one pod for each node and cannot be scaled",
            "values, updateStrategy.type: a DaemonSet has `RollingUpdate` and `OnDelete`, not `Recreate`",
            "values, podDisruptionBudget: has either minAvailable or maxUnavailable, not both",
            "values, ingressRoute.dashboard.entryPoints: there is no entry point `wbe`; `ports` has `more`, `traefik`, \
             `web`, `websecure`",
        ],
    );
    let folder = Folder::new("helm");
    let files = [folder.write("values.yaml", "service: {spec: {type: NodePort}}\nports: {web: {expose: {default: false}}, websecure: {expose: {default: false}}}")];
    let error = helm.render(&files).expect_err("no port is exposed");
    assert!(error.contains("values, ports: no entry point is in the Service `default`"), "{error}");
}
