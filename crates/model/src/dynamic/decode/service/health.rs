//! Health of servers out of a tree.

use crate::{
    Fields, Node, Period, Problem,
    dynamic::{CheckMode, CheckScheme, HealthCheck, HeedsHealth, PassiveHealthCheck},
};

/// Reads `loadBalancer.healthCheck` of a file.
pub(super) fn health_check(node: &Node, path: &str, problems: &mut Vec<Problem>) -> HealthCheck {
    let mut fields = Fields::open(node, path, problems);
    let mut check = health_check_fields(&mut fields);
    check.mode.get_or_insert_default();
    fields.close();
    check
}

/// Reads the fields of `healthCheck`; the mode is absent where it is not written.
pub fn health_check_fields(fields: &mut Fields<'_>) -> HealthCheck {
    let schemes =
        [("http", CheckScheme::Http), ("https", CheckScheme::Https), ("h2c", CheckScheme::H2c)];
    let modes = [("http", CheckMode::Http), ("grpc", CheckMode::Grpc)];
    let status = "a status code from 100 to 599, or 0 for any from 200 to 399";
    let port = "a port number";
    let default = HealthCheck::default();
    HealthCheck {
        scheme: choice(fields, "scheme", &schemes),
        mode: choice(fields, "mode", &modes),
        path: fields.string("path"),
        method: fields.string("method"),
        status: fields.scalar("status", status, code).unwrap_or_default(),
        port: fields.scalar("port", port, |text| text.parse().ok()).unwrap_or_default(),
        interval: positive(fields, "interval", HealthCheck::INTERVAL).unwrap_or(default.interval),
        unhealthy_interval: positive(fields, "unhealthyInterval", HealthCheck::INTERVAL),
        timeout: positive(fields, "timeout", HealthCheck::TIMEOUT).unwrap_or(default.timeout),
        hostname: fields.string("hostname"),
        follow_redirects: fields.boolean("followRedirects").unwrap_or(default.follow_redirects),
        headers: fields.string_map("headers"),
    }
}

/// Reads `loadBalancer.passiveHealthCheck` of a file.
pub(super) fn passive_health_check(
    node: &Node,
    path: &str,
    problems: &mut Vec<Problem>,
) -> PassiveHealthCheck {
    let mut fields = Fields::open(node, path, problems);
    let check = passive_health_check_fields(&mut fields);
    fields.close();
    check
}

/// Reads the fields of `passiveHealthCheck`.
pub fn passive_health_check_fields(fields: &mut Fields<'_>) -> PassiveHealthCheck {
    let default = PassiveHealthCheck::default();
    let check = PassiveHealthCheck {
        failure_window: positive(fields, "failureWindow", PassiveHealthCheck::WINDOW)
            .unwrap_or(default.failure_window),
        max_failed_attempts: fields
            .integer("maxFailedAttempts")
            .unwrap_or(default.max_failed_attempts),
    };
    let most = PassiveHealthCheck::MOST;
    if check.max_failed_attempts > most {
        let message = format!("more than {most} failures are not counted; {most} is used instead");
        fields.report("maxFailedAttempts", Problem::warning, message);
    }
    check
}

/// Reads `healthCheck` of a service that holds others.
pub(super) fn heeds_health(node: &Node, path: &str, problems: &mut Vec<Problem>) -> HeedsHealth {
    Fields::open(node, path, problems).close();
    HeedsHealth {}
}

/// One of a few words; the empty one is like none.
fn choice<T: Copy>(fields: &mut Fields<'_>, name: &'static str, words: &[(&str, T)]) -> Option<T> {
    let is_empty = fields.node(name).is_some_and(|node| node.to_json() == "");
    if is_empty { None } else { fields.choice(name, words) }
}

fn code(text: &str) -> Option<u16> {
    text.parse().ok().filter(|code| *code == 0 || (100..600).contains(code))
}

/// A period; a warning says what stands in for one that is not positive.
fn positive(fields: &mut Fields<'_>, name: &'static str, default: Period) -> Option<Period> {
    let period = fields.period(name)?;
    if period.positive().is_none() {
        let message = format!("must be positive; the default of {default} is used instead");
        fields.report(name, Problem::warning, message);
    }
    Some(period)
}
