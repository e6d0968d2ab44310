//! `failover` and `mirroring` out of a tree.

use super::health::heeds_health;
use crate::{
    Fields, Node, Problem,
    dynamic::{Failover, FailoverErrors, Mirror, Mirroring},
};

/// Reads `failover`.
pub(super) fn failover(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Failover {
    let mut fields = Fields::open(node, path, problems);
    let failover = Failover {
        service: fields.string("service"),
        fallback: fields.string("fallback"),
        health_check: fields.section("healthCheck", heeds_health),
        errors: fields.section("errors", |node, path, problems| {
            let mut fields = Fields::open(node, path, problems);
            let mut errors = failover_errors_fields(&mut fields);
            errors.max_request_body_bytes.get_or_insert(-1);
            fields.close();
            errors
        }),
        middlewares: Vec::new(),
    };
    fields.close();
    failover
}

/// Reads the fields of `failover.errors`; the limit is absent where it is not written.
pub fn failover_errors_fields(fields: &mut Fields<'_>) -> FailoverErrors {
    FailoverErrors {
        max_request_body_bytes: fields.integer("maxRequestBodyBytes"),
        status: fields.strings("status"),
    }
}

/// Reads `mirroring`.
pub(super) fn mirroring(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Mirroring {
    let mut fields = Fields::open(node, path, problems);
    let mirroring = Mirroring {
        service: fields.string("service"),
        mirror_body: Some(fields.boolean("mirrorBody").unwrap_or(true)),
        max_body_size: Some(fields.integer("maxBodySize").unwrap_or(-1)),
        mirrors: fields.list("mirrors", |node, path, problems| {
            let mut fields = Fields::open(node, path, problems);
            let mirror = Mirror { name: fields.string("name"), percent: percent(&mut fields) };
            fields.close();
            mirror
        }),
        health_check: fields.section("healthCheck", heeds_health),
        middlewares: Vec::new(),
    };
    fields.close();
    mirroring
}

/// Reads the field `percent` of a mirror; what is no share is an error.
pub fn percent(fields: &mut Fields<'_>) -> i64 {
    let percent = fields.integer("percent").unwrap_or_default();
    if !(0..=100).contains(&percent) {
        // Traefik's words, for those who look for them.
        fields.report("percent", Problem::error, "percent must be between 0 and 100");
    }
    percent
}
