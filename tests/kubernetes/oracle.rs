//! The real Traefik and Portway watch the same API server; what both make of the same objects is compared.
//!
//! The objects are those of the golden tests and of `oracle/`, each file applied alone. Where Traefik leaves a router out
//! because something that it names cannot be used, Portway shows it disabled (wanted difference 1): such a
//! router, and what belongs to it alone, may be there in addition.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use portway_testkit::client::Client;
use portway_testkit::control_plane::{ADMIN, ControlPlane};
use portway_testkit::golden::lines_that_differ;
use portway_testkit::process::{Process, Program, Setup};
use serde_json::Value;

use crate::compat::api::leaves;

/// How long both may take to agree about what was applied.
const PATIENCE: Duration = Duration::from_secs(6);

/// How long after the marker other objects may still be on their way.
const STRAGGLERS: Duration = Duration::from_millis(400);

/// A Middleware that tells how many files have been applied.
const MARKER: &str = "oracle-marker";

const KINDS: [&str; 3] = ["routers", "services", "middlewares"];

#[test]
fn both_make_the_same_of_the_same_objects() {
    let (Some(traefik), Some(plane)) = (Program::traefik(), ControlPlane::start()) else { return };
    plane.apply(&super::crds());
    let (mut mismatches, mut compared) = (Vec::new(), 0);
    for (options, files) in groups() {
        let sides =
            [crate::portway(), traefik.clone()].map(|program| start(&program, &plane, &options));
        for file in files {
            let text = fs::read_to_string(&file).expect("a file of objects");
            // Traefik 3 reads the new group alone.
            let objects = text.replace("traefik.containo.us/", "traefik.io/");
            make_namespaces(&plane, &objects);
            // What the API server refuses, neither sees.
            let _ = plane.kubectl(&["apply", "--server-side", "-f", "-"], &objects);
            compared += 1;
            if let Some(mismatch) = differ(&sides, &plane, compared) {
                mismatches.push(format!("=== {}\n{mismatch}", file.display()));
            }
            let _ = plane.kubectl(&["delete", "--ignore-not-found", "-f", "-"], &objects);
        }
    }
    assert!(compared > 0, "nothing was compared");
    let count = mismatches.len();
    assert!(count == 0, "{count} of {compared} files differ\n{}", mismatches.join("\n"));
}

/// The files by the options that their lines `# option:` name; `ORACLE_ONLY` selects some by their path.
fn groups() -> BTreeMap<Vec<String>, Vec<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in ["tests/golden/kubernetes", "tests/kubernetes/oracle"] {
        for entry in fs::read_dir(root.join(folder)).expect("a folder of objects") {
            let path = entry.expect("an entry").path();
            files.push(if path.is_dir() { path.join("in.yaml") } else { path });
        }
    }
    let only = std::env::var("ORACLE_ONLY").unwrap_or_default();
    files.retain(|file| file.to_string_lossy().contains(&only));
    files.sort();
    let mut groups: BTreeMap<Vec<String>, Vec<PathBuf>> = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a file of objects");
        let options = text.lines().filter_map(|line| line.strip_prefix("# option: "));
        groups.entry(options.map(flag).collect()).or_default().push(file);
    }
    groups
}

/// An option of a golden test as a flag: `ingressClass own`, `crossProviderNamespaces a b`.
fn flag(option: &str) -> String {
    let (name, value) = option.split_once(' ').unwrap_or((option, "true"));
    format!("--providers.kubernetesCRD.{name}={}", value.replace(' ', ","))
}

fn start(program: &Program, plane: &ControlPlane, options: &[String]) -> Process {
    let mut setup = Setup { unmarked: true, ..Setup::default() }
        .entry_point("web")
        .entry_point("websecure")
        .flag("--providers.providersThrottleDuration=50ms");
    setup.flags.extend(plane.flags("kubernetesCRD", ADMIN));
    setup.flags.extend(options.iter().cloned());
    Process::start(program, &setup)
}

fn make_namespaces(plane: &ControlPlane, objects: &str) {
    let mut names: Vec<&str> = objects
        .split("namespace: ")
        .skip(1)
        .filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '-').next())
        .collect();
    names.sort_unstable();
    names.dedup();
    let namespaces = names.iter().map(|name| {
        format!("---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: \"{name}\"}}\n")
    });
    if !names.is_empty() {
        plane.apply(&namespaces.collect::<String>());
    }
}

/// Waits until both show what was applied, and says in what they differ then.
fn differ(sides: &[Process; 2], plane: &ControlPlane, number: usize) -> Option<String> {
    plane.apply(&format!(
        "apiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata: {{name: {MARKER}}}\n\
         spec: {{addPrefix: {{prefix: /file-{number}}}}}\n"
    ));
    let start = Instant::now();
    let mut seen: Option<Instant> = None;
    let mut mismatch = Some("the objects were never seen".to_owned());
    while start.elapsed() < PATIENCE {
        let [portway, traefik] = sides.each_ref().map(raw_data);
        let marked = [&portway, &traefik].into_iter().all(|data| {
            let prefix = &data["middlewares"][format!("default-{MARKER}@kubernetescrd")];
            prefix["addPrefix"]["prefix"] == format!("/file-{number}")
        });
        if marked && seen.get_or_insert_with(Instant::now).elapsed() > STRAGGLERS {
            mismatch = compare(&portway, &traefik);
            mismatch.as_ref()?;
        }
        thread::sleep(Duration::from_millis(50));
    }
    mismatch
}

fn raw_data(side: &Process) -> Value {
    let request = "GET /api/rawdata HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n";
    let answer =
        Client::connect(side.address("traefik")).and_then(|mut client| client.ask(request));
    answer
        .map(|response| serde_json::from_slice(&response.body).unwrap_or_default())
        .unwrap_or_default()
}

/// In what two states of `/api/rawdata` differ, as far as the provider's objects are concerned.
fn compare(portway: &Value, traefik: &Value) -> Option<String> {
    let closed = closed_on_purpose(portway, traefik);
    let texts = [portway, traefik].map(|data| {
        let mut text = String::new();
        for kind in KINDS {
            for (name, object) in objects(data, kind) {
                if !closed.contains(&(kind, name)) {
                    leaves(&mut text, &format!("{kind} {name}"), &without(object, &closed));
                }
            }
        }
        text
    });
    let [portway, traefik] = &texts;
    let lines = || format!("- Traefik, + Portway\n{}", lines_that_differ(traefik, portway));
    (portway != traefik).then(lines)
}

fn objects<'a>(data: &'a Value, kind: &str) -> Vec<(&'a str, &'a Value)> {
    let objects = data[kind].as_object().into_iter().flatten();
    let ours = objects.filter(|(name, _)| name.ends_with("@kubernetescrd"));
    ours.map(|(name, object)| (name.as_str(), object)).collect()
}

/// Objects that Portway alone has, and keeps closed: wanted difference 1.
fn closed_on_purpose<'a>(portway: &'a Value, traefik: &Value) -> Vec<(&'static str, &'a str)> {
    let mut closed = Vec::new();
    for kind in KINDS {
        for (name, object) in objects(portway, kind) {
            let missing = traefik[kind].get(name).is_none();
            let users = object["usedBy"].as_array().into_iter().flatten();
            let unused = || {
                users
                    .clone()
                    .all(|user| closed.iter().any(|(_, closed)| user.as_str() == Some(*closed)))
            };
            let disabled = object["status"] == "disabled";
            if missing && (disabled || kind != "routers" && unused()) {
                closed.push((kind, name));
            }
        }
    }
    closed
}

/// The object without users that are closed on purpose.
fn without(object: &Value, closed: &[(&str, &str)]) -> Value {
    let mut object = object.clone();
    if let Some(users) = object.get_mut("usedBy").and_then(Value::as_array_mut) {
        users.retain(|user| closed.iter().all(|(_, name)| user.as_str() != Some(*name)));
        if users.is_empty()
            && let Some(object) = object.as_object_mut()
        {
            object.remove("usedBy");
        }
    }
    object
}
