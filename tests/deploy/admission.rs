//! A real API server takes what installs Portway, field by field, and admits its pods.

use std::collections::BTreeSet;

use portway_testkit::control_plane::{ADMIN, ControlPlane};
use serde_json::{Value, json};

use super::helm::Helm;
use super::{documents, pod, text, values_files};

const FILE: &str = "deploy/k3s/portway.yaml";

/// Applies objects as `kubectl apply` would, and says what the API server has against them: unknown fields too.
fn judge(plane: &ControlPlane, objects: &str) -> Result<(), String> {
    let output =
        plane.kubectl(&["apply", "--dry-run=server", "--validate=strict", "-f", "-"], objects);
    let told = [output.stdout, output.stderr].concat();
    output.status.success().then_some(()).ok_or_else(|| String::from_utf8_lossy(&told).into_owned())
}

/// Makes the namespaces that objects are in.
fn make_namespaces(plane: &ControlPlane, objects: &[Value]) {
    let names: BTreeSet<&str> =
        objects.iter().filter_map(|object| object["metadata"]["namespace"].as_str()).collect();
    let namespaces = names
        .iter()
        .map(|name| format!("---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n"));
    plane.apply(&namespaces.collect::<String>());
}

#[test]
fn an_api_server_takes_every_object() {
    let Some(helm) = Helm::found() else { return };
    let Some(plane) = ControlPlane::start() else { return };
    let mut texts = vec![(FILE.to_owned(), text(FILE))];
    let mut files: Vec<Vec<_>> = values_files().into_iter().map(|file| vec![file]).collect();
    files.push(Vec::new());
    for file in files {
        let rendered = helm.render(&file).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        texts.push((format!("{file:?}"), rendered));
    }
    assert!(texts.len() > 10, "{} texts", texts.len());
    // What does not exist cannot be filled, not even for a trial.
    for name in ["traefik.io", "traefik.containo.us"] {
        plane.apply(&text(&format!("deploy/crds/{name}.yaml")));
    }
    plane.run(&["wait", "--for=condition=Established", "--timeout=30s", "crd", "--all"], "");
    for (_, text) in &texts {
        make_namespaces(&plane, &documents(text));
    }
    for (name, text) in &texts {
        judge(&plane, text).unwrap_or_else(|told| panic!("{name}: {told}"));
    }
    let (name, text) = texts.last().expect("a text");
    let misspelt = text.replace("terminationGracePeriodSeconds:", "terminationGraceSeconds:");
    let told = judge(&plane, &misspelt).expect_err(name);
    assert!(told.contains("terminationGraceSeconds"), "{name}: {told}");
}

#[test]
fn the_pod_of_the_file_is_admitted_to_its_namespace() {
    let Some(plane) = ControlPlane::start() else { return };
    let objects = documents(&text(FILE));
    let namespace = objects.iter().find(|object| object["kind"] == "Namespace");
    plane.apply(&namespace.expect("a namespace").to_string());
    let mut session = plane.session(ADMIN);
    let mut judge = |spec: &Value| {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "portway"}, "spec": spec,
        });
        let path = "/api/v1/namespaces/portway/pods?dryRun=All&fieldValidation=Strict";
        let answer = session.send("POST", path, "application/json", &pod.to_string());
        (answer.status, answer.text())
    };
    let spec = pod(&objects);
    let (status, told) = judge(spec);
    assert_eq!(status, 201, "{told}");
    for (field, value) in [
        ("/securityContext/runAsNonRoot", json!(false)),
        ("/containers/0/securityContext/allowPrivilegeEscalation", json!(true)),
        ("/containers/0/securityContext/capabilities", json!({})),
    ] {
        let mut laxer = spec.clone();
        *laxer.pointer_mut(field).expect(field) = value;
        let (status, told) = judge(&laxer);
        assert!(status == 403 && told.contains("restricted"), "{field}: {told}");
    }
}
