//! The routers that Portway makes itself: `api.insecure`, `ping`, and redirections of entry points.
//!
//! Names here are without their provider, which is [`portway_model::name::INTERNAL`].

use portway_model::{
    Entry, InternalService, Problem,
    dynamic::{Http, Middleware, RedirectRegex, RedirectScheme, Router, StripPrefix},
};

/// The name of the middleware of `api.insecure` that sends `/` to the dashboard.
pub const DASHBOARD_REDIRECT: &str = "dashboard_redirect";

/// The name of the middleware of `api.insecure` that takes `/dashboard` away.
pub const DASHBOARD_STRIP_PREFIX: &str = "dashboard_stripprefix";

/// The rule syntax that Traefik shows for routers of its own.
const SYNTAX: &str = "default";

/// Adds the routers of `api.insecure` on an entry point.
///
/// Traefik 3.7.15 ignores `api.basePath` in these rules, which makes them lead nowhere; here they follow it.
pub fn insecure_api(http: &mut Http, entry_point: &str, base_path: &str, dashboard: bool) {
    let base = base_path.trim_end_matches('/');
    let service = InternalService::Api;
    let rule = format!("PathPrefix(`{base}/api`)");
    add(http, "api", entry_point, rule, i64::MAX - 1, service);
    if !dashboard {
        return;
    }
    add(
        http,
        "dashboard",
        entry_point,
        "PathPrefix(`/`)",
        i64::MAX - 2,
        InternalService::Dashboard,
    );
    let names = [DASHBOARD_REDIRECT, DASHBOARD_STRIP_PREFIX];
    if let Some(router) = http.routers.get_mut("dashboard") {
        router.spec_mut().middlewares = names.map(|name| format!("{name}@internal")).into();
    }
    let redirect = Middleware::RedirectRegex(RedirectRegex {
        regex: r"^(http:\/\/(\[[\w:.]+\]|[\w\._-]+)(:\d+)?)\/$".to_owned(),
        replacement: format!("${{1}}{base}/dashboard/"),
        permanent: true,
    });
    let prefixes = vec![format!("{base}/dashboard/"), format!("{base}/dashboard")];
    let strip = Middleware::StripPrefix(StripPrefix { prefixes, force_slash: None });
    http.middlewares.insert(DASHBOARD_REDIRECT.to_owned(), Entry::new(redirect));
    http.middlewares.insert(DASHBOARD_STRIP_PREFIX.to_owned(), Entry::new(strip));
}

/// Adds the router of `ping` on an entry point (not with `ping.manualRouting`).
pub fn ping(http: &mut Http, entry_point: &str) {
    add(http, "ping", entry_point, "PathPrefix(`/ping`)", i64::MAX, InternalService::Ping);
}

/// `http.redirections.entryPoint` of an entry point.
#[derive(Clone, Copy, Debug)]
pub struct Redirection<'a> {
    /// The entry point that redirects.
    pub from: &'a str,
    /// `to` as written: the name of an entry point, or `:port`.
    pub to: &'a str,
    /// The port of `to`: the named entry point's, or the one written; `None` where `to` names nothing.
    pub port: Option<&'a str>,
    /// The new scheme.
    pub scheme: &'a str,
    /// 301 and 308 instead of 302 and 307.
    pub permanent: bool,
    /// The router's priority.
    pub priority: i64,
}

/// Adds the router and the middleware of a redirection. One that leads nowhere keeps its claim, closed.
pub fn redirection(http: &mut Http, redirection: &Redirection<'_>) {
    let name = normalize(&format!("{}-to-{}", redirection.from, redirection.to));
    let middleware = format!("redirect-{name}");
    let (rule, priority) = ("HostRegexp(`^.+$`)", redirection.priority);
    add(http, &name, redirection.from, rule, priority, InternalService::Noop);
    if let Some(router) = http.routers.get_mut(&name) {
        router.spec_mut().middlewares = vec![format!("{middleware}@internal")];
    }
    let redirect = RedirectScheme {
        scheme: redirection.scheme.to_owned(),
        port: redirection.port.unwrap_or_default().to_owned(),
        permanent: redirection.permanent,
    };
    let mut redirect = Entry::new(Middleware::RedirectScheme(redirect));
    if redirection.port.is_none() {
        let message =
            format!("there is no entry point `{}`, and it is no `:port` either", redirection.to);
        redirect.problems.push(Problem::error("port", message));
    }
    http.middlewares.insert(middleware, redirect);
}

/// A name with its runs of anything but letters and digits made one dash each.
fn normalize(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_alphanumeric());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

fn add(
    http: &mut Http,
    name: &str,
    entry_point: &str,
    rule: impl Into<String>,
    priority: i64,
    service: InternalService,
) {
    let router = Router {
        entry_points: vec![entry_point.to_owned()],
        service: service.name().to_owned(),
        rule: rule.into(),
        rule_syntax: SYNTAX.to_owned(),
        priority,
        ..Router::default()
    };
    http.routers.insert(name.to_owned(), Entry::new(router));
}

#[cfg(test)]
mod tests {
    use portway_model::dynamic::Http;
    use serde_json::json;

    use super::{Redirection, insecure_api, ping, redirection};

    #[test]
    fn internal_routers_are_those_of_traefik() {
        let mut http = Http::default();
        insecure_api(&mut http, "traefik", "/", true);
        ping(&mut http, "traefik");
        let routers: Vec<_> = http.routers.iter().map(|(n, r)| json!([n, *r.spec])).collect();
        assert_eq!(
            json!(routers),
            json!([
                ["api", {"entryPoints": ["traefik"], "service": "api@internal",
                    "rule": "PathPrefix(`/api`)", "ruleSyntax": "default",
                    "priority": 9223372036854775806_i64}],
                ["dashboard", {"entryPoints": ["traefik"], "service": "dashboard@internal",
                    "middlewares": ["dashboard_redirect@internal", "dashboard_stripprefix@internal"],
                    "rule": "PathPrefix(`/`)", "ruleSyntax": "default",
                    "priority": 9223372036854775805_i64}],
                ["ping", {"entryPoints": ["traefik"], "service": "ping@internal",
                    "rule": "PathPrefix(`/ping`)", "ruleSyntax": "default",
                    "priority": 9223372036854775807_i64}],
            ])
        );
        let middlewares: Vec<_> =
            http.middlewares.iter().map(|(n, m)| json!([n, *m.spec])).collect();
        assert_eq!(
            json!(middlewares),
            json!([
                ["dashboard_redirect", {"redirectRegex": {
                    "regex": "^(http:\\/\\/(\\[[\\w:.]+\\]|[\\w\\._-]+)(:\\d+)?)\\/$",
                    "replacement": "${1}/dashboard/", "permanent": true}}],
                ["dashboard_stripprefix", {"stripPrefix": {
                    "prefixes": ["/dashboard/", "/dashboard"]}}],
            ])
        );
    }

    #[test]
    fn a_base_path_goes_before_the_rules() {
        let mut http = Http::default();
        insecure_api(&mut http, "traefik", "/base/", false);
        assert_eq!(http.routers["api"].spec.rule, "PathPrefix(`/base/api`)");
        assert_eq!(http.routers.len(), 1);
        assert!(http.middlewares.is_empty());
    }

    #[test]
    fn redirections_are_named_after_their_ends() {
        let mut http = Http::default();
        let one = Redirection {
            from: "U_x",
            to: ":443",
            port: Some("443"),
            scheme: "https",
            permanent: true,
            priority: 10,
        };
        redirection(&mut http, &one);
        assert_eq!(
            json!(*http.routers["U-x-to-443"].spec),
            json!({"entryPoints": ["U_x"], "middlewares": ["redirect-U-x-to-443@internal"],
                "service": "noop@internal", "rule": "HostRegexp(`^.+$`)", "ruleSyntax": "default",
                "priority": 10})
        );
        assert_eq!(
            json!(*http.middlewares["redirect-U-x-to-443"].spec),
            json!({"redirectScheme": {"scheme": "https", "port": "443", "permanent": true}})
        );
    }
}
