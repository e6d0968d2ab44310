//! Secrets do not leave by the API: what could be one is replaced before it is shown.
//!
//! Traefik shows hashes, passwords and credentials as configured.

use serde_json::Value;

/// What is shown in the place of a secret.
const REDACTED: &str = "<redacted>";

/// Ends of the names of fields whose text is a secret, in lower case.
const SECRET_FIELDS: [&str; 6] =
    ["password", "secret", "token", "apikey", "privatekey", "sessionkey"];

/// Names of headers whose value is a credential, in lower case.
const SECRET_HEADERS: [&str; 5] =
    ["authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token"];

/// Replaces the secrets inside an object's JSON.
pub(crate) fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                redact_field(&name.to_ascii_lowercase(), field);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

fn redact_field(name: &str, field: &mut Value) {
    match field {
        Value::Array(lines) if name == "users" => lines.iter_mut().for_each(redact_user),
        Value::Object(headers) if name.ends_with("headers") => {
            // The middleware `headers` is found here too; its fields are objects.
            for (header, value) in headers {
                let header = header.to_ascii_lowercase();
                match value {
                    Value::String(text) => {
                        if !text.is_empty() && SECRET_HEADERS.contains(&header.as_str()) {
                            *text = REDACTED.to_owned();
                        }
                    }
                    other => redact_field(&header, other),
                }
            }
        }
        Value::String(text)
            if !text.is_empty()
                && (name == "key" || SECRET_FIELDS.iter().any(|end| name.ends_with(end))) =>
        {
            *text = REDACTED.to_owned();
        }
        Value::String(text) if name == "url" || name == "address" => {
            if let Some(shown) = redact_url(text) {
                *text = shown;
            }
        }
        other => redact(other),
    }
}

/// `name:hash` or `name:realm:hash` without the hash; a line without a colon could be all secret.
fn redact_user(line: &mut Value) {
    let Value::String(text) = line else { return };
    *text = match text.rsplit_once(':') {
        Some((name, _)) => format!("{name}:{REDACTED}"),
        None => REDACTED.to_owned(),
    };
}

/// A URL without its password, where it has one.
pub(crate) fn redact_url(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user, host) = authority.rsplit_once('@')?;
    let (user, _) = user.split_once(':')?;
    let after = rest.strip_prefix(authority)?;
    Some(format!("{scheme}://{user}:{REDACTED}@{host}{after}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::redact;

    #[track_caller]
    fn check(mut from: Value, to: &Value) {
        redact(&mut from);
        assert_eq!(&from, to);
    }

    #[test]
    fn hashes_of_users_are_not_shown() {
        check(
            json!({"basicAuth": {"users": ["a:$2y$05$x", "broken", ":x", ""], "realm": "r"}}),
            &json!({"basicAuth": {
                "users": ["a:<redacted>", "<redacted>", ":<redacted>", "<redacted>"], "realm": "r"
            }}),
        );
        check(
            json!({"digestAuth": {"users": ["a:realm:0123"]}}),
            &json!({"digestAuth": {"users": ["a:realm:<redacted>"]}}),
        );
    }

    #[test]
    fn credentials_in_headers_are_not_shown() {
        check(
            json!({"headers": {"customRequestHeaders": {"AUTHORIZATION": "x", "X-A": "a", "Cookie": ""}}}),
            &json!({"headers": {"customRequestHeaders": {
                "AUTHORIZATION": "<redacted>", "X-A": "a", "Cookie": ""
            }}}),
        );
    }

    #[test]
    fn passwords_are_not_shown() {
        check(
            json!({"rateLimit": {"redis": {"endpoints": ["x:1"], "username": "u", "password": "p"}}}),
            &json!({"rateLimit": {"redis": {
                "endpoints": ["x:1"], "username": "u", "password": "<redacted>"
            }}}),
        );
        check(
            json!({"loadBalancer": {"servers": [{"url": "http://u:p@h:1/a?b=c@d"}, {"url": "http://h/@:"}]}}),
            &json!({"loadBalancer": {"servers": [
                {"url": "http://u:<redacted>@h:1/a?b=c@d"}, {"url": "http://h/@:"}
            ]}}),
        );
    }
}
