//! The static configuration out of a tree.

use std::{collections::BTreeSet, num::NonZeroUsize};

use super::{
    Address, Api, Core, FileProvider, Global, Ocsp, Ping, Protocol, Providers, RuleSyntax,
    StaticConfig,
    known::{self, Class},
};
use crate::{
    Fields, Node, Problem, Value, decode::join, dynamic::Material, dynamic::ServersTransport,
    nearest, node::Key,
};

mod entry_point;
mod errors;
mod kubernetes;
mod log;

/// Reads the static configuration and adds the entry points that exist by default.
///
/// An unknown option is an error with the nearest known one; all options of Traefik 3.7 that this version of
/// Portway does not serve are named in one warning. With an error, Portway must not start.
pub fn decode(node: &Node, problems: &mut Vec<Problem>) -> StaticConfig {
    let mut later = BTreeSet::new();
    check(node, &mut Vec::new(), &mut later, problems);
    if !later.is_empty() {
        let names: Vec<_> = later.iter().map(|name| format!("`{name}`")).collect();
        let message = format!(
            "options of Traefik that this version of Portway does not serve yet and that have no effect: {}",
            names.join(", ")
        );
        problems.push(Problem::warning("", message));
    }
    let mut config = read(node, problems);
    config.add_default_entry_points();
    refer(&config, problems);
    config
}

/// Reports each option that is unknown or gone, and gathers those that are not served yet.
fn check<'a>(
    node: &'a Node,
    path: &mut Vec<&'a str>,
    later: &mut BTreeSet<String>,
    problems: &mut Vec<Problem>,
) {
    let Value::Map(entries) = &node.value else { return };
    for (key, child) in entries {
        path.push(&key.text);
        check_option(key, child, path, later, problems);
        path.pop();
    }
}

fn check_option<'a>(
    key: &Key,
    node: &'a Node,
    path: &mut Vec<&'a str>,
    later: &mut BTreeSet<String>,
    problems: &mut Vec<Problem>,
) {
    let class = known::classify(path);
    match class {
        Class::Unknown => {
            let problem = Problem::error(known::spell(path), known::unknown_option(path));
            problems.push(problem.at(key.at));
            return;
        }
        Class::Removed(reason) => {
            problems.push(Problem::error(known::spell(path), reason).at(key.at));
            return;
        }
        Class::Group if is_switched_on(node) => {
            let message = "says nothing by itself; give one of its options";
            problems.push(Problem::error(known::spell(path), message).at(key.at));
            return;
        }
        Class::Option(known) if known.kind == known::Kind::Any => {
            later.insert(known::spell(path));
            return;
        }
        _ => {}
    }
    let items: &[Node] = match &node.value {
        Value::Map(entries) if !entries.is_empty() => std::slice::from_ref(node),
        Value::List(items) if items.iter().any(|item| matches!(item.value, Value::Map(_))) => items,
        _ => {
            if let Class::Option(known) = class
                && !known.served
                && node.value != Value::Null
            {
                later.insert(known::spell(path));
            }
            if let Some(address) = udp_address(path, node) {
                later.insert(format!("{}={address}", known::spell(path)));
            }
            return;
        }
    };
    let in_list = matches!(node.value, Value::List(_));
    for item in items {
        if in_list {
            path.push("[0]");
        }
        check(item, path, later, problems);
        if in_list {
            path.pop();
        }
    }
}

/// The address of an entry point that is one of UDP.
fn udp_address<'a>(path: &[&str], node: &'a Node) -> Option<&'a str> {
    let [group, _, option] = path else { return None };
    let is_address =
        group.eq_ignore_ascii_case("entryPoints") && option.eq_ignore_ascii_case("address");
    let text = node.as_text().filter(|_| is_address)?;
    let address = Address::parse(text).ok()?;
    (address.protocol == Protocol::Udp).then_some(text)
}

fn is_switched_on(node: &Node) -> bool {
    node.as_text()
        .is_some_and(|text| ["true", "t", "1"].iter().any(|one| text.eq_ignore_ascii_case(one)))
}

fn read(node: &Node, problems: &mut Vec<Problem>) -> StaticConfig {
    let mut config = StaticConfig::default();
    let mut fields = Fields::open(node, "", problems);
    config.entry_points = fields.map("entryPoints", entry_point::entry_point);
    config.providers = group(&mut fields, "providers", providers);
    config.api = group(&mut fields, "api", |node, path, problems| Some(api(node, path, problems)));
    config.ping =
        group(&mut fields, "ping", |node, path, problems| Some(ping(node, path, problems)));
    config.ocsp = fields.section("ocsp", ocsp);
    config.log = group(&mut fields, "log", log::log);
    config.access_log = group(&mut fields, "accessLog", |node, path, problems| {
        Some(log::access_log(node, path, problems))
    });
    if let Some(transport) = fields.section("serversTransport", servers_transport) {
        config.servers_transport = transport;
    }
    config.core = group(&mut fields, "core", |node, path, problems| {
        let mut fields = Fields::open(node, path, problems);
        let syntaxes = [("v2", RuleSyntax::V2), ("v3", RuleSyntax::V3)];
        let default_rule_syntax = fields.choice("defaultRuleSyntax", &syntaxes);
        Core { default_rule_syntax: default_rule_syntax.unwrap_or_default() }
    });
    // Rules that are made of Ingresses differ by the syntax that is the default.
    if let Some(provider) = &mut config.providers.kubernetes_manifests {
        provider.default_rule_syntax = config.core.default_rule_syntax;
    }
    if let Some(provider) = &mut config.providers.kubernetes_ingress {
        provider.default_rule_syntax = config.core.default_rule_syntax;
    }
    config.global = group(&mut fields, "global", |node, path, problems| {
        let mut fields = Fields::open(node, path, problems);
        // Portway never calls home, whatever these say.
        fields.boolean("checkNewVersion");
        fields.boolean("sendAnonymousUsage");
        let not_append = fields.boolean("notAppendXForwardedFor");
        Global { not_append_x_forwarded_for: not_append.unwrap_or_default() }
    });
    config.error_pages = fields.section("errorPages", errors::error_pages);
    config.proxy_status = fields.section("proxyStatus", errors::proxy_status);
    config.workers = fields
        .scalar("workers", "a number of threads from 1", |text| text.parse::<NonZeroUsize>().ok());
    config
}

/// Reports names of entry points that do not exist.
fn refer(config: &StaticConfig, problems: &mut Vec<Problem>) {
    let names = || config.entry_points.keys().map(String::as_str);
    let missing = |written: &str| match nearest(written, names()) {
        Some(near) => format!("there is no entry point `{written}`; did you mean `{near}`?"),
        None => format!("there is no entry point `{written}`"),
    };
    let providers = &config.providers;
    for (name, given) in [
        ("kubernetesCRD", providers.kubernetes_crd.is_some()),
        ("kubernetesIngress", providers.kubernetes_ingress.is_some()),
    ] {
        if given && providers.kubernetes_manifests.is_some() {
            let message =
                format!("is the same provider as providers.{name}; remove one of the two");
            problems.push(Problem::error("providers.kubernetesManifests", message));
        }
    }
    if let Some(ping) = config.ping.as_ref().filter(|ping| !ping.manual_routing)
        && !config.entry_points.contains_key(&ping.entry_point)
    {
        problems.push(Problem::warning("ping.entryPoint", missing(&ping.entry_point)));
    }
    for (name, entry_point) in &config.entry_points {
        let redirections = entry_point.http.redirections.as_ref();
        let Some(to) = redirections.and_then(|r| r.entry_point.as_ref()) else { continue };
        if super::written_port(&to.to).is_none() && !config.entry_points.contains_key(&to.to) {
            let field = format!("entryPoints.{name}.http.redirections.entryPoint.to");
            problems.push(Problem::warning(field, missing(&to.to)));
        }
    }
}

fn providers(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Providers {
    let default = Providers::default();
    let mut fields = Fields::open(node, path, problems);
    let throttle = fields.period("providersThrottleDuration");
    Providers {
        file: fields.section("file", file),
        kubernetes_crd: fields.section("kubernetesCRD", kubernetes::crd),
        kubernetes_manifests: fields.section("kubernetesManifests", kubernetes::manifests),
        kubernetes_ingress: fields.section("kubernetesIngress", kubernetes::ingress),
        providers_throttle_duration: throttle.unwrap_or(default.providers_throttle_duration),
    }
}

fn file(node: &Node, path: &str, problems: &mut Vec<Problem>) -> FileProvider {
    let mut fields = Fields::open(node, path, problems);
    let provider = FileProvider {
        filename: fields.string("filename"),
        directory: fields.string("directory"),
        watch: fields.boolean("watch").unwrap_or(true),
    };
    match (provider.filename.is_empty(), provider.directory.is_empty()) {
        (true, true) => {
            let message = "needs `directory` or `filename`: neither is given";
            problems.push(Problem::error(path, message).at(node.at));
        }
        (false, false) => {
            let message = "has no effect: `directory` is given too";
            problems.push(Problem::warning(join(path, "filename"), message).at(node.at));
        }
        _ => {}
    }
    provider
}

fn api(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Api {
    let default = Api::default();
    let mut fields = Fields::open(node, path, problems);
    let base_path = fields.scalar("basePath", "a path that begins with `/`", |text| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/_.:~-".contains(&byte);
        (text.starts_with('/') && text.bytes().all(allowed)).then(|| text.to_owned())
    });
    Api {
        insecure: fields.boolean("insecure").unwrap_or_default(),
        dashboard: fields.boolean("dashboard").unwrap_or(default.dashboard),
        base_path: base_path.unwrap_or(default.base_path),
        debug: fields.boolean("debug").unwrap_or_default(),
        disable_dashboard_ad: fields.boolean("disableDashboardAd").unwrap_or_default(),
        dashboard_name: fields.string("dashboardName"),
    }
}

fn ocsp(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Ocsp {
    let mut fields = Fields::open(node, path, problems);
    let responder_overrides = fields.string_map("responderOverrides");
    for (url, instead) in &responder_overrides {
        if instead.is_empty() {
            let message = format!("nobody is named to ask instead of `{url}`");
            fields.report("responderOverrides", Problem::error, message);
        }
    }
    Ocsp { responder_overrides }
}

fn ping(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Ping {
    let default = Ping::default();
    let mut fields = Fields::open(node, path, problems);
    let entry_point = Some(fields.string("entryPoint")).filter(|name| !name.is_empty());
    let status = fields.scalar("terminatingStatusCode", "a status from 100 to 599", |text| {
        text.parse().ok().filter(|status| (100..=599).contains(status))
    });
    Ping {
        entry_point: entry_point.unwrap_or(default.entry_point),
        manual_routing: fields.boolean("manualRouting").unwrap_or_default(),
        terminating_status_code: status.unwrap_or(default.terminating_status_code),
    }
}

fn servers_transport(node: &Node, path: &str, problems: &mut Vec<Problem>) -> ServersTransport {
    let default = StaticConfig::default().servers_transport;
    let mut fields = Fields::open(node, path, problems);
    let insecure = fields.boolean("insecureSkipVerify").unwrap_or_default();
    let root_cas = fields.strings("rootCAs").into_iter();
    let root_cas = root_cas.map(|written| Material { written, content: Vec::new() }).collect();
    let idle = fields.integer("maxIdleConnsPerHost").unwrap_or(default.max_idle_conns_per_host);
    let mut timeouts = default.forwarding_timeouts;
    fields.section("forwardingTimeouts", |node, path, problems| {
        let mut fields = Fields::open(node, path, problems);
        let mut replace = |name, period: &mut crate::Period| {
            *period = fields.period(name).unwrap_or(*period);
        };
        replace("dialTimeout", &mut timeouts.dial_timeout);
        replace("responseHeaderTimeout", &mut timeouts.response_header_timeout);
        replace("idleConnTimeout", &mut timeouts.idle_conn_timeout);
    });
    ServersTransport {
        insecure_skip_verify: insecure,
        root_cas,
        max_idle_conns_per_host: idle,
        forwarding_timeouts: timeouts,
        ..default
    }
}

/// A group of options that has a default.
fn group<T: Default>(
    fields: &mut Fields<'_>,
    name: &'static str,
    decode: impl FnOnce(&Node, &str, &mut Vec<Problem>) -> T,
) -> T {
    fields.section(name, decode).unwrap_or_default()
}
