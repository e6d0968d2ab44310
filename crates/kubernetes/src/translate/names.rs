//! The names of what is made, exactly as Traefik makes them.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// `text` with every run of characters that are no letters or numbers turned into one `-`, and none at
/// either end. Traefik: `provider.Normalize`.
pub(super) fn normalize(text: &str) -> String {
    let parts: Vec<_> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
    parts.join("-")
}

/// The name of a router, and of its own service: namespace, object and the first ten bytes of the rule's
/// SHA-256.
pub(super) fn router(namespace: &str, object: &str, rule: &str) -> String {
    let mut name = format!("{namespace}-{object}-");
    for byte in Sha256::digest(rule.as_bytes()).iter().take(10) {
        // Writing to a String cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    normalize(&name)
}

#[cfg(test)]
mod tests {
    use super::{normalize, router};

    #[test]
    fn names_keep_letters_and_numbers_only() {
        assert_eq!(normalize("default-my.svc_1-80"), "default-my-svc-1-80");
        assert_eq!(normalize("-a--é-"), "a-é");
        assert_eq!(normalize(""), "");
    }

    #[test]
    fn router_names_carry_twenty_digits_of_the_rules_hash() {
        assert_eq!(
            router("default", "test.route", "Host(`foo.com`) && PathPrefix(`/bar`)"),
            "default-test-route-6b204d94623b3df4370c"
        );
    }
}
