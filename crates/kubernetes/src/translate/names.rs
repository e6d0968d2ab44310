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

/// The name of a router, and of its own service: namespace, object and the hash of the rule.
pub(super) fn router(namespace: &str, object: &str, rule: &str) -> String {
    normalize(&format!("{namespace}-{object}-{}", rule_hash(rule)))
}

/// The first ten bytes of a rule's SHA-256, as twenty hexadecimal digits.
pub(super) fn rule_hash(rule: &str) -> String {
    let mut hash = String::with_capacity(20);
    for byte in Sha256::digest(rule.as_bytes()).iter().take(10) {
        // Writing to a String cannot fail.
        let _ = write!(hash, "{byte:02x}");
    }
    hash
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
