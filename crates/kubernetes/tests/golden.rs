//! Manifests to the dynamic configuration: `tests/golden/kubernetes/<case>/in.yaml` gives `out.json`.
//!
//! `UPDATE_GOLDEN=1` writes the outputs afresh. Lines `# option: NAME [VALUE]` of an input set options of
//! the translation. Every case is also translated with its objects in other orders, which must not matter.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::{fs, path::Path, path::PathBuf};

use portway_kubernetes::{Index, api, translate};
use portway_model::{
    Diagnostic, Entry, Names, Problem, Severity, dynamic, static_config::KubernetesObjects, yaml,
};
use serde_json::{Value, json};

#[test]
fn manifests_give_the_expected_configuration() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/kubernetes");
    let mut cases: Vec<PathBuf> =
        fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 25, "cases are missing from {}", root.display());
    let failed: Vec<_> = cases.iter().filter(|case| !holds(case)).collect();
    assert!(failed.is_empty(), "{failed:#?} differ; UPDATE_GOLDEN=1 writes them afresh");
}

fn holds(case: &Path) -> bool {
    let text = fs::read_to_string(case.join("in.yaml")).unwrap();
    let options = options(&text);
    let (objects, refusals) = objects(&text);
    let config = translate(&index(&objects), &options);
    for seed in 1..20 {
        let shuffled = translate(&index(&shuffle(&objects, seed)), &options);
        assert_eq!(shuffled, config, "{}: the order of objects matters", case.display());
    }
    let mut actual = summary(&config);
    if !refusals.is_empty() {
        actual["refused"] = refusals.into();
    }
    let actual = serde_json::to_string_pretty(&actual).unwrap() + "\n";
    let file = case.join("out.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(file, actual).unwrap();
        return true;
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    if actual == expected {
        return true;
    }
    let lines = actual.lines().zip(expected.lines().chain(std::iter::repeat("")));
    let first = lines.enumerate().find(|(_, (actual, expected))| actual != expected);
    eprintln!("{}: first difference (line, (actual, expected)): {first:?}", file.display());
    false
}

fn options(text: &str) -> KubernetesObjects {
    let mut options = KubernetesObjects::default();
    for line in text.lines().filter_map(|line| line.strip_prefix("# option: ")) {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("allowCrossNamespace", "") => options.allow_cross_namespace = true,
            ("allowExternalNameServices", "") => options.allow_external_name_services = true,
            ("nativeLBByDefault", "") => options.native_lb_by_default = true,
            ("ingressClass", class) => options.ingress_class = class.to_owned(),
            ("crossProviderNamespaces", names) => {
                let names = names.split_whitespace().map(str::to_owned).collect();
                options.cross_provider_namespaces = Some(names);
            }
            other => panic!("unknown option {other:?}"),
        }
    }
    options
}

fn objects(text: &str) -> (Vec<api::Object>, Vec<String>) {
    let documents = yaml::parse(text).unwrap();
    let read: Vec<_> =
        documents.iter().flat_map(|document| api::read(&document.node, "in.yaml")).collect();
    let refusals = read.iter().filter_map(|result| result.as_ref().err());
    let refusals = refusals.map(|refusal| {
        format!("{}: {} (line {})", refusal.object, refusal.problem, refusal.problem.at.line)
    });
    let refusals = refusals.collect();
    (read.into_iter().filter_map(Result::ok).collect(), refusals)
}

fn index(objects: &[api::Object]) -> Index {
    let mut index = Index::default();
    for object in objects {
        index.apply(object.clone());
    }
    index
}

/// The same objects in an order that depends on `seed` alone.
fn shuffle(objects: &[api::Object], seed: u64) -> Vec<api::Object> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut keyed: Vec<_> = objects
        .iter()
        .map(|object| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33, object.clone())
        })
        .collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, object)| object).collect()
}

fn summary(config: &dynamic::Config) -> Value {
    let mut summary = json!({
        "routers": entries(&config.http.routers, |spec| json!(spec)),
        "services": entries(&config.http.services, |spec| json!(spec)),
        "middlewares": entries(&config.http.middlewares, |spec| json!(spec)),
        "serversTransports": entries(&config.http.servers_transports, transport),
        "tlsOptions": entries(&config.tls.options, |spec| {
            let mut json = json!(spec);
            let authorities = spec.client_auth.authorities.iter().map(material);
            json["clientAuth"]["authorities"] = authorities.collect();
            json
        }),
        "tlsStores": entries(&config.tls.stores, |spec| {
            json!({"defaultCertificate": spec.default_certificate.as_ref().map(certificate)})
        }),
        "certificates":
            config.tls.certificates.iter().map(|entry| certificate(&entry.spec)).collect::<Value>(),
        "diagnostics": config.diagnostics.iter().map(diagnostic).collect::<Value>(),
    });
    let fields = summary.as_object_mut().unwrap();
    fields.retain(|_, value| *value != json!([]) && *value != json!({}));
    summary
}

fn entries<T>(entries: &Names<Entry<T>>, show: impl Fn(&T) -> Value) -> Value {
    let shown = entries.iter().map(|(name, entry)| {
        let mut value = show(&entry.spec);
        if !value.is_object() {
            value = json!({"content": value});
        }
        let line = entry.place.as_ref().map(|place| place.line);
        value["line"] = line.into();
        if !entry.problems.is_empty() {
            value["problems"] = entry.problems.iter().map(problem).collect();
        }
        (name.to_string(), value)
    });
    shown.collect::<serde_json::Map<_, _>>().into()
}

fn problem(problem: &Problem) -> String {
    format!("{}: {problem} (line {})", severity(problem.severity), problem.at.line)
}

fn diagnostic(diagnostic: &Diagnostic) -> String {
    format!("{}: {diagnostic}", severity(diagnostic.severity))
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn transport(transport: &dynamic::ServersTransport) -> Value {
    let timeouts = transport.forwarding_timeouts;
    json!({
        "serverName": transport.server_name,
        "insecureSkipVerify": transport.insecure_skip_verify,
        "rootCAs": transport.root_cas.iter().map(material).collect::<Value>(),
        "certificates": transport.certificates.iter().map(certificate).collect::<Value>(),
        "maxIdleConnsPerHost": transport.max_idle_conns_per_host,
        "disableHTTP2": transport.disable_http2,
        "dialTimeout": timeouts.dial_timeout,
        "responseHeaderTimeout": timeouts.response_header_timeout,
        "idleConnTimeout": timeouts.idle_conn_timeout,
    })
}

fn certificate(certificate: &dynamic::Certificate) -> Value {
    json!({
        "cert": material(&certificate.cert),
        "key": material(&certificate.key),
        "stores": certificate.stores,
    })
}

fn material(material: &dynamic::Material) -> Value {
    String::from_utf8_lossy(&material.content).into()
}
