//! Manifests to the dynamic configuration: `tests/golden/kubernetes/<case>/in.yaml` gives `out.json`, and
//! `tests/golden/ingress/<case>/in.yaml` gives that of the provider of Ingresses, with what their status should
//! say.
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

use portway_kubernetes::{Index, api, ingress_statuses, translate, translate_ingresses};
use portway_model::{
    Diagnostic, Entry, Names, Problem, Severity, dynamic,
    static_config::{IngressEndpoint, KubernetesIngress, RuleSyntax},
    yaml,
};
use serde_json::{Value, json};

/// What is held to a file: the configuration, and what else is to be shown.
type Said = (dynamic::Config, Vec<(&'static str, Value)>);

#[test]
fn manifests_give_the_expected_configuration() {
    check("kubernetes", 25, |index, options| {
        (translate(index, &options.objects).config, Vec::new())
    });
}

#[test]
fn ingresses_give_the_expected_configuration() {
    check("ingress", 25, |index, options| {
        (translate_ingresses(index, options).config, status(index, options))
    });
}

#[track_caller]
fn check(folder: &str, least: usize, say: impl Fn(&Index, &KubernetesIngress) -> Said) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(folder);
    let mut cases: Vec<PathBuf> =
        fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= least, "cases are missing from {}", root.display());
    let failed: Vec<_> = cases.iter().filter(|case| !holds(case, &say)).collect();
    assert!(failed.is_empty(), "{failed:#?} differ; UPDATE_GOLDEN=1 writes them afresh");
}

fn holds(case: &Path, say: &impl Fn(&Index, &KubernetesIngress) -> Said) -> bool {
    let text = fs::read_to_string(case.join("in.yaml")).unwrap();
    let options = options(&text);
    let (objects, refusals) = objects(&text);
    let (config, more) = say(&index(&objects), &options);
    for seed in 1..20 {
        let shuffled = say(&index(&shuffle(&objects, seed)), &options);
        let same = shuffled.0 == config && shuffled.1 == more;
        assert!(same, "{}: the order of objects matters", case.display());
    }
    let mut actual = summary(&config);
    for (name, value) in more {
        actual[name] = value;
    }
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

fn options(text: &str) -> KubernetesIngress {
    let mut options = KubernetesIngress::default();
    for line in text.lines().filter_map(|line| line.strip_prefix("# option: ")) {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        let endpoint = IngressEndpoint::default;
        match (name, value) {
            ("allowCrossNamespace", "") => options.objects.allow_cross_namespace = true,
            ("allowExternalNameServices", "") => {
                options.objects.allow_external_name_services = true;
            }
            ("nativeLBByDefault", "") => options.objects.native_lb_by_default = true,
            ("ingressClass", class) => options.objects.ingress_class = class.to_owned(),
            ("crossProviderNamespaces", names) => {
                let names = names.split_whitespace().map(str::to_owned).collect();
                options.objects.cross_provider_namespaces = Some(names);
            }
            ("disableClusterScopeResources", "") => options.disable_cluster_scope_resources = true,
            ("disableIngressClassLookup", "") => options.disable_ingress_class_lookup = true,
            ("strictPrefixMatching", "") => options.strict_prefix_matching = true,
            ("reportNodeInternalIPs", "") => options.report_node_internal_ips = true,
            ("defaultRuleSyntax", "v2") => options.default_rule_syntax = RuleSyntax::V2,
            ("ingressEndpoint.ip", ip) => {
                options.ingress_endpoint.get_or_insert_with(endpoint).ip = ip.to_owned();
            }
            ("ingressEndpoint.hostname", name) => {
                options.ingress_endpoint.get_or_insert_with(endpoint).hostname = name.to_owned();
            }
            ("ingressEndpoint.publishedService", name) => {
                let endpoint = options.ingress_endpoint.get_or_insert_with(endpoint);
                endpoint.published_service = name.to_owned();
            }
            other => panic!("unknown option {other:?}"),
        }
    }
    options
}

/// What the status of Ingresses should say, where the options ask for one.
fn status(index: &Index, options: &KubernetesIngress) -> Vec<(&'static str, Value)> {
    let status = match ingress_statuses(index, options) {
        Err(reason) => json!(reason.to_string()),
        Ok(None) => return Vec::new(),
        Ok(Some(status)) => {
            let addresses = status.addresses.iter().map(|address| {
                let ports: Vec<_> = address
                    .ports
                    .iter()
                    .map(|port| format!("{}/{}", port.port, port.protocol))
                    .collect();
                json!({"ip": address.ip, "hostname": address.hostname, "ports": ports})
            });
            let ingresses = status.ingresses.iter().map(|(key, is_current)| {
                format!("{key}{}", if *is_current { " (current)" } else { "" })
            });
            json!({
                "addresses": addresses.collect::<Value>(),
                "ingresses": ingresses.collect::<Value>(),
            })
        }
    };
    vec![("status", status)]
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
        "readIdleTimeout": timeouts.read_idle_timeout,
        "pingTimeout": timeouts.ping_timeout,
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
