//! Portway's API against the recorded answers of Traefik 3.7.15 to the same requests about the same objects.
//!
//! `traefik.json` holds what Traefik said of itself (`input`) and its answers (`cases`).
//! Lists that differ in their order or filter only are recorded as names.

mod own;

use std::{collections::BTreeMap, sync::Arc};

use portway_model::{
    Fields, InternalService, Names, Node, Period,
    dynamic::{
        Domain, LoadBalancer, Middleware, Observability, ResponseForwarding, Router, RouterTls,
        Server, Service, Strategy, TraceVerbosity, Weighted, WeightedService, decode,
    },
    runtime::{MiddlewareInfo, RouterInfo, Runtime, ServerHealth, ServiceInfo, Status},
};
use serde_json::Value;

use crate::{Answer, Facts, Features, RequestView, View, answer};

/// Secrets that Traefik shows and Portway does not: the one accepted difference.
const REDACTED: [(&str, &str); 6] = [
    ("test:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/", "test:<redacted>"),
    ("sha:{SHA}0DPiKuNIrrVmD8IUCuw1hQxNqZc=", "sha:<redacted>"),
    ("\"users\":[\"broken\"]", "\"users\":[\"<redacted>\"]"),
    ("test:traefik:a2688e031edb4be6a3797f3882655c05", "test:traefik:<redacted>"),
    ("Bearer abc", "<redacted>"),
    ("http://u:pw@", "http://u:<redacted>@"),
];

fn recorded() -> Value {
    serde_json::from_str(include_str!("tests/traefik.json")).unwrap()
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value, field: &str) -> Vec<String> {
    let items = value[field].as_array().into_iter().flatten();
    items.map(|item| item.as_str().unwrap().to_owned()).collect()
}

fn map(value: &Value, field: &str) -> BTreeMap<String, String> {
    let fields = value[field].as_object().into_iter().flatten();
    fields.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

fn flag(value: &Value, field: &str) -> bool {
    value[field].as_bool().unwrap_or_default()
}

fn present(value: &Value, field: &str) -> Option<Box<Value>> {
    value.get(field).cloned().map(Box::new)
}

fn status(value: &Value) -> Status {
    match value["status"].as_str() {
        Some("enabled") => Status::Enabled,
        Some("warning") => Status::Warning,
        Some("disabled") => Status::Disabled,
        other => panic!("status {other:?}"),
    }
}

fn users(raw: &Value) -> Names<()> {
    let mut users = Names::default();
    texts(raw, "usedBy").into_iter().for_each(|name| users.add(name));
    users
}

fn router(raw: &Value) -> RouterInfo {
    let domain =
        |domain: &Value| Domain { main: text(domain, "main"), sans: texts(domain, "sans") };
    let tls = |tls: &Value| RouterTls {
        options: text(tls, "options"),
        cert_resolver: text(tls, "certResolver"),
        domains: tls["domains"].as_array().into_iter().flatten().map(domain).collect(),
    };
    let observability = |shown: &Value| Observability {
        access_logs: shown["accessLogs"].as_bool(),
        metrics: shown["metrics"].as_bool(),
        tracing: shown["tracing"].as_bool(),
        trace_verbosity: match shown["traceVerbosity"].as_str() {
            Some("minimal") => Some(TraceVerbosity::Minimal),
            Some("detailed") => Some(TraceVerbosity::Detailed),
            _ => None,
        },
        metadata: None,
    };
    let priority = raw["priority"].as_i64().unwrap_or_default();
    RouterInfo {
        priority,
        observability: observability(&raw["observability"]),
        router: Arc::new(Router {
            entry_points: texts(raw, "entryPoints"),
            service: text(raw, "service"),
            rule: text(raw, "rule"),
            parent_refs: texts(raw, "parentRefs"),
            rule_syntax: text(raw, "ruleSyntax"),
            priority,
            tls: raw.get("tls").map(tls).map(Box::new),
            ..Router::default()
        }),
        middlewares: texts(raw, "middlewares").into_iter().map(Into::into).collect(),
        errors: texts(raw, "error"),
        status: status(raw),
        using: texts(raw, "using").into_iter().map(Into::into).collect(),
        ..RouterInfo::default()
    }
}

fn load_balancer(raw: &Value) -> LoadBalancer {
    let server = |server: &Value| Server {
        url: text(server, "url"),
        weight: server["weight"].as_i64(),
        preserve_path: flag(server, "preservePath"),
        fenced: flag(server, "fenced"),
    };
    let flush = text(&raw["responseForwarding"], "flushInterval");
    LoadBalancer {
        sticky: present(raw, "sticky").map(|raw| {
            let raw: Node = serde_json::from_value(*raw).unwrap();
            decode::sticky(&raw, "", &mut Vec::new())
        }),
        servers: raw["servers"].as_array().into_iter().flatten().map(server).collect(),
        strategy: if raw["strategy"] == "p2c" { Strategy::P2c } else { Strategy::Wrr },
        health_check: present(raw, "healthCheck").map(|raw| {
            let raw: Node = serde_json::from_value(*raw).unwrap();
            let mut problems = Vec::new();
            decode::health_check_fields(&mut Fields::open(&raw, "", &mut problems)).into()
        }),
        passive_health_check: None,
        pass_host_header: flag(raw, "passHostHeader"),
        response_forwarding: ResponseForwarding { flush_interval: Period::parse(&flush).unwrap() },
        servers_transport: text(raw, "serversTransport"),
        middlewares: Vec::new(),
        origin: None,
    }
}

/// The kind of an object and its settings.
fn kind(raw: &Value) -> Option<(&String, &Value)> {
    let common = ["error", "status", "usedBy", "serverStatus"];
    raw.as_object().unwrap().iter().find(|(field, _)| !common.contains(&field.as_str()))
}

fn service(raw: &Value) -> ServiceInfo {
    let share = |share: &Value| WeightedService {
        name: text(share, "name"),
        weight: share["weight"].as_i64(),
    };
    let spec = match kind(raw) {
        None => Service::Unreadable,
        Some((kind, raw)) if kind == "loadBalancer" => Service::LoadBalancer(load_balancer(raw)),
        Some((kind, raw)) if kind == "weighted" => Service::Weighted(Weighted {
            services: raw["services"].as_array().into_iter().flatten().map(share).collect(),
            ..Weighted::default()
        }),
        Some((kind, raw)) => Service::Several([(kind.clone(), raw.clone())].into()),
    };
    let server_status = map(raw, "serverStatus");
    ServiceInfo {
        service: Arc::new(spec),
        errors: texts(raw, "error"),
        status: status(raw),
        used_by: users(raw),
        reached: !server_status.is_empty(),
        health: Some(Arc::new(Down(
            server_status.into_iter().filter(|(_, is)| is == "DOWN").map(|(url, _)| url).collect(),
        ))),
    }
}

/// Servers that take no requests, by URL.
#[derive(Debug)]
struct Down(Vec<String>);

impl ServerHealth for Down {
    fn is_up(&self, url: &str) -> bool {
        !self.0.iter().any(|down| down == url)
    }
}

fn middleware(raw: &Value) -> MiddlewareInfo {
    let spec = match kind(raw) {
        None => Middleware::Unreadable,
        Some((kind, raw)) => {
            let node: Node = serde_json::from_value(raw.clone()).unwrap();
            let read = decode::settings(kind, &node, "", &mut Vec::new());
            read.unwrap_or_else(|| Middleware::Unserved([(kind.clone(), raw.clone())].into()))
        }
    };
    MiddlewareInfo {
        middleware: Arc::new(spec),
        errors: texts(raw, "error"),
        status: status(raw),
        used_by: users(raw),
    }
}

fn objects<T>(raw: &Value, read: impl Fn(&Value) -> T) -> Names<T> {
    raw.as_object().unwrap().iter().map(|(name, raw)| (name.clone(), read(raw))).collect()
}

fn facts(input: &Value) -> Facts {
    Facts {
        version: text(&input["version"], "Version"),
        codename: text(&input["version"], "Codename"),
        start_date: text(&input["version"], "startDate"),
        base_path: "/".to_owned(),
        dashboard: true,
        providers: texts(&input["overview"], "providers"),
        features: Features::default(),
        ..Facts::default()
    }
}

/// The first place where two JSON values differ.
fn json_difference(path: &str, shown: &Value, expected: &Value) -> Option<String> {
    match (shown, expected) {
        (Value::Object(this), Value::Object(other)) => {
            let fields = this.keys().chain(other.keys());
            fields.into_iter().find_map(|field| {
                json_difference(&format!("{path}.{field}"), &shown[field], &expected[field])
            })
        }
        (Value::Array(this), Value::Array(other)) if this.len() == other.len() => {
            let mut pairs = this.iter().zip(other).enumerate();
            pairs.find_map(|(at, (this, other))| {
                json_difference(&format!("{path}[{at}]"), this, other)
            })
        }
        _ => (shown != expected).then(|| format!("{path}: {shown} instead of {expected}")),
    }
}

/// What differs between an answer and the recorded one.
fn difference(answer: &Answer, case: &Value) -> Option<String> {
    let expected = &case["status"];
    if u64::from(answer.status) != expected.as_u64().unwrap() {
        return Some(format!("status {} instead of {expected}", answer.status));
    }
    let page = case["target"].as_str().unwrap().contains("/dashboard/");
    let page = page || case["service"] == "dashboard@internal";
    for (name, value) in case["headers"].as_object().unwrap() {
        // The page and its policy are Portway's own.
        let own = ["Content-Security-Policy", "Accept-Ranges"].contains(&name.as_str());
        let shown = answer.headers.iter().find(|(other, _)| other == name);
        if !own && shown.map(|(_, shown)| shown.as_ref()) != value.as_str() {
            return Some(format!("{name}: {shown:?} instead of {value}"));
        }
    }
    let expected = case["headers"].as_object().unwrap().len();
    if !page && answer.headers.len() != expected {
        return Some(format!("headers {:?} instead of {}", answer.headers, case["headers"]));
    }
    let body = String::from_utf8_lossy(&answer.body);
    if let Some(names) = case.get("names") {
        let shown: Vec<Value> = serde_json::from_str(&body).unwrap();
        // A certificate's name is its fingerprint.
        let shown: Value = shown.iter().map(|object| object["name"].clone()).collect();
        return (shown != *names).then(|| format!("names {shown}\ninstead of {names}"));
    }
    if let Some(json) = case.get("json") {
        let shown: Value = serde_json::from_str(&body).unwrap();
        let mut expected = json.to_string();
        for (secret, redacted) in REDACTED {
            expected = expected.replace(secret, redacted);
        }
        let expected: Value = serde_json::from_str(&expected).unwrap();
        return json_difference("", &shown, &expected);
    }
    match case["text"].as_str() {
        // Go leaves the body of an answer to HEAD out where it is known; here the connection does.
        Some(text) if body != text && case["method"] != "HEAD" => {
            Some(format!("body {body:?} instead of {text:?}"))
        }
        _ => None,
    }
}

#[test]
fn answers_are_those_of_traefik() {
    let recorded = recorded();
    let input = &recorded["input"];
    let runtime = Runtime {
        routers: objects(&input["rawdata"]["routers"], router),
        services: objects(&input["rawdata"]["services"], service),
        middlewares: objects(&input["rawdata"]["middlewares"], middleware),
        ..Runtime::default()
    };
    let entry_points: BTreeMap<String, Value> = input["entryPoints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry_point| {
            let mut fields = entry_point.as_object().unwrap().clone();
            let name = fields.remove("name").unwrap();
            (name.as_str().unwrap().to_owned(), Value::Object(fields))
        })
        .collect();
    let facts = facts(input);
    let view = View {
        runtime: &runtime,
        entry_points: &entry_points,
        certificates: Some(input["certificates"].as_array().unwrap()),
        ping_status: 200,
        facts: &facts,
    };
    let mut wrong = Vec::new();
    let cases = recorded["cases"].as_array().unwrap();
    for case in cases {
        let sent = map(case, "sent");
        let headers: Vec<(&str, &[u8])> =
            sent.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let target = case["target"].as_str().unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        // The dashboard has its own files; of Traefik's, the icon stands for any.
        let path = path.replace("favicon.ico", "icon.svg");
        let request = RequestView {
            method: case["method"].as_str().unwrap(),
            path: &path,
            query,
            host: "api.test",
            remote_address: "127.0.0.1:5",
            protocol: "HTTP/1.1",
            tls: false,
            headers: &headers,
        };
        let mut case = case.clone();
        if path.ends_with("icon.svg") && case["status"] == 200 {
            case["headers"]["Content-Type"] = "image/svg+xml".into();
        }
        let service = case["service"].as_str().unwrap().parse::<InternalService>().unwrap();
        if let Some(difference) = difference(&answer(service, &request, &view), &case) {
            wrong.push(format!("{} {target} {sent:?}: {difference}", request.method));
        }
    }
    assert!(cases.len() > 250, "only {} recorded answers", cases.len());
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
