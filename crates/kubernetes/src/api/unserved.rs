//! Settings that are known by name but not served yet, as Traefik's API shows them: with the defaults of its custom
//! resources, periods in Go's spelling, and without what means nothing.

use portway_model::{Node, Period};
use serde_json::{Map, Value as Json};

/// Settings of a kind, such as `rateLimit`, as Traefik shows them.
pub(super) fn shown(kind: &str, settings: &Node) -> Json {
    let mut settings = settings.to_json();
    if kind == "plugin" {
        // What is in there is the plugin's own.
        return settings;
    }
    for (of, parent, name, default) in DEFAULTS {
        if *of == kind
            && let Some(Json::Object(fields)) = settings.pointer_mut(parent)
            && !fields.contains_key(*name)
            && let Ok(default) = serde_json::from_str(default)
        {
            fields.insert((*name).to_owned(), default);
        }
    }
    // A zero that is written out is no default, but is not shown either.
    tidy(kind, &mut settings);
    settings
}

fn tidy(kind: &str, settings: &mut Json) {
    match settings {
        Json::Object(fields) => tidy_fields(kind, fields),
        Json::Array(items) => items.iter_mut().for_each(|item| tidy(kind, item)),
        _ => {}
    }
}

fn tidy_fields(kind: &str, fields: &mut Map<String, Json>) {
    for secret in SECRETS {
        if fields.get(*secret).is_some_and(Json::is_string) {
            fields.remove(*secret);
        }
    }
    for period in PERIODS {
        let Some(written) = fields.get_mut(*period) else { continue };
        let text = written.as_str().map_or_else(|| written.to_string(), str::to_owned);
        if let Ok(period) = Period::parse(&text) {
            // A period of nothing is Go's zero.
            let zero = Period::seconds(0) == period;
            *written = if zero { Json::Null } else { period.to_string().into() };
        }
    }
    fields
        .retain(|name, value| KEPT.contains(&(kind, name)) && !value.is_null() || !is_zero(value));
    fields.values_mut().for_each(|value| tidy(kind, value));
}

/// Whether a value is Go's zero, which is not shown.
fn is_zero(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Bool(value) => !value,
        Json::Number(number) => number.as_f64() == Some(0.0),
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(_) => false,
    }
}

/// Fields that are periods, whichever kind they are of. A plain number means seconds.
const PERIODS: &[&str] = &[
    "checkPeriod",
    "dialTimeout",
    "fallbackDuration",
    "initialInterval",
    "period",
    "readTimeout",
    "recoveryDuration",
    "writeTimeout",
];

/// Fields whose zero differs from their absence, by kind.
const KEPT: &[(&str, &str)] = &[
    ("contentType", "autoDetect"),
    ("forwardAuth", "maxBodySize"),
    ("retry", "maxRequestBodyBytes"),
];

/// Fields that name Secrets.
const SECRETS: &[&str] = &["secret", "caSecret", "certSecret"];

/// Kind, where in it, field, and its default as JSON.
const DEFAULTS: &[(&str, &str, &str, &str)] = &[
    ("circuitBreaker", "", "checkPeriod", "\"100ms\""),
    ("circuitBreaker", "", "fallbackDuration", "\"10s\""),
    ("circuitBreaker", "", "recoveryDuration", "\"10s\""),
    ("circuitBreaker", "", "responseCode", "503"),
    ("compress", "", "encodings", "[\"gzip\", \"br\", \"zstd\"]"),
    ("forwardAuth", "", "maxBodySize", "-1"),
    ("rateLimit", "", "burst", "1"),
    ("rateLimit", "", "period", "\"1s\""),
    ("rateLimit", "/redis", "dialTimeout", "\"5s\""),
    ("rateLimit", "/redis", "endpoints", "[\"localhost:6379\"]"),
    ("rateLimit", "/redis", "readTimeout", "\"3s\""),
    ("rateLimit", "/redis", "writeTimeout", "\"3s\""),
    ("retry", "", "maxRequestBodyBytes", "2097152"),
];

#[cfg(test)]
mod tests {
    use portway_model::yaml;
    use serde_json::{Value, json};

    use super::shown;

    #[track_caller]
    fn check(kind: &str, written: &str, expected: Value) {
        let documents = yaml::parse(written).unwrap();
        assert_eq!(shown(kind, &documents[0].node), expected);
    }

    /// Seen on Traefik 3.7.15, as are those below.
    #[test]
    fn defaults_are_filled_in() {
        check("rateLimit", "{}", json!({"burst": 1, "period": "1s"}));
        check("compress", "{encodings: [br]}", json!({"encodings": ["br"]}));
    }

    #[test]
    fn periods_are_spelt_as_in_go() {
        let expected = json!({"burst": 2, "period": "1m30s"});
        check("rateLimit", "{burst: 2, period: 90s}", expected.clone());
        check("rateLimit", "{burst: 2, period: 90}", expected);
    }

    #[test]
    fn zeros_and_secrets_are_left_out() {
        let written = "{forwardBody: false, maxBodySize: 0, tls: {caSecret: ca}}";
        check("forwardAuth", written, json!({"maxBodySize": 0, "tls": {}}));
        check(
            "plugin",
            "{demo: {secret: x, off: false}}",
            json!({"demo": {"secret": "x", "off": false}}),
        );
    }
}
