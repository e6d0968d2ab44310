//! `/api/certificates`: what is known of the loaded certificates, given as Traefik's JSON.

use portway_model::runtime::Status;
use serde_json::Value;

use super::missing;
use crate::{
    Answer,
    list::{contains, is_descending, page},
    query::Query,
};

/// A page of the certificates that the query keeps.
pub(super) fn list(known: &[Value], query: &Query<'_>) -> Answer {
    let search = query.value("search").to_lowercase();
    let asked = query.value("status").to_lowercase();
    let mut kept: Vec<&Value> = known
        .iter()
        .filter(|certificate| {
            (asked.is_empty() || text(certificate, "status").to_lowercase() == asked)
                && contains(&searched(certificate), &search)
        })
        .collect();
    let by_name = |certificate: &&Value| text(certificate, "commonName").to_owned();
    kept.sort_by_cached_key(by_name);
    let field = match query.value("sortBy") {
        "issuer" => "issuerOrg",
        "validUntil" => "notAfter",
        "status" => "status",
        _ => "commonName",
    };
    kept.sort_by(|this, other| text(this, field).cmp(text(other, field)));
    if is_descending(query) {
        kept.reverse();
    }
    page(&kept, query, |certificate| (*certificate).clone())
}

/// The certificate of a fingerprint.
pub(super) fn one(known: &[Value], name: &str) -> Answer {
    match known.iter().find(|certificate| text(certificate, "name") == name) {
        Some(certificate) => Answer::json(certificate),
        None => missing("certificate", name),
    }
}

/// A certificate's status as the overview counts it.
pub(super) fn status(certificate: &Value) -> Status {
    match text(certificate, "status") {
        "expired" => Status::Disabled,
        "warning" => Status::Warning,
        _ => Status::Enabled,
    }
}

fn searched(certificate: &Value) -> Vec<&str> {
    let names = certificate.get("sans").and_then(Value::as_array);
    let names = names.into_iter().flatten().filter_map(Value::as_str);
    ["commonName", "issuerOrg", "issuerCN"]
        .into_iter()
        .map(|field| text(certificate, field))
        .chain(names)
        .collect()
}

fn text<'a>(certificate: &'a Value, field: &str) -> &'a str {
    certificate.get(field).and_then(Value::as_str).unwrap_or_default()
}
