//! The names of what is made, exactly as Traefik makes them.

use std::fmt::Write;

use portway_model::static_config::KubernetesObjects;
use sha2::{Digest, Sha256};

use crate::api::Port;

/// How custom resources and what is made of them are named.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Naming {
    /// Parts are joined by `-` and normalised, so that different objects can have one name.
    Normalized,
    /// Parts are joined by `_`, which no name of an object has. Traefik: `safeNaming`.
    Safe,
}

impl Naming {
    pub(super) fn of(options: &KubernetesObjects) -> Self {
        if options.safe_naming { Self::Safe } else { Self::Normalized }
    }

    /// The name of a Middleware, a TraefikService, a ServersTransport or a TLSOption, as references have it.
    pub(super) fn object(self, namespace: &str, name: &str) -> String {
        match self {
            Self::Normalized => normalize(&format!("{namespace}-{name}")),
            Self::Safe => format!("{namespace}_{name}"),
        }
    }

    /// The name of the router of an IngressRoute's route, by the rule or by the route's number.
    pub(super) fn router(self, namespace: &str, object: &str, number: usize, rule: &str) -> String {
        match self {
            Self::Normalized => normalize(&format!("{namespace}-{object}-{}", rule_hash(rule))),
            Self::Safe => format!("{namespace}_{object}_{number}"),
        }
    }

    /// The name of a router's own service, of one Service or of several.
    pub(super) fn service(self, router: &str, several: bool) -> String {
        match (self, several) {
            (Self::Normalized, _) => router.to_owned(),
            (Self::Safe, false) => format!("{router}_lb"),
            (Self::Safe, true) => format!("{router}_wrr"),
        }
    }

    /// The name of a Service as a part of others; `role` is that of its place in the whole.
    pub(super) fn part(self, role: &str, namespace: &str, name: &str, port: &Port) -> String {
        match self {
            Self::Normalized => normalize(&format!("{namespace}-{name}-{port}")),
            Self::Safe => format!("{role}_{namespace}_{name}_{port}"),
        }
    }
}

/// `text` with every run of characters that are no letters or numbers turned into one `-`, and none at
/// either end. Traefik: `provider.Normalize`.
pub(super) fn normalize(text: &str) -> String {
    let parts: Vec<_> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
    parts.join("-")
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
    use super::{Naming, normalize};
    use crate::api::Port;

    #[test]
    fn names_keep_letters_and_numbers_only() {
        assert_eq!(normalize("default-my.svc_1-80"), "default-my-svc-1-80");
        assert_eq!(normalize("-a--é-"), "a-é");
        assert_eq!(normalize(""), "");
    }

    #[test]
    fn router_names_carry_twenty_digits_of_the_rules_hash() {
        assert_eq!(
            Naming::Normalized.router(
                "default",
                "test.route",
                0,
                "Host(`foo.com`) && PathPrefix(`/bar`)"
            ),
            "default-test-route-6b204d94623b3df4370c"
        );
    }

    /// Seen on Traefik 3.7.15.
    #[test]
    fn safe_names_keep_their_parts_apart() {
        let router = Naming::Safe.router("a-b", "c.d", 3, "Host(`a`)");
        assert_eq!(router, "a-b_c.d_3");
        assert_eq!(Naming::Safe.service(&router, false), "a-b_c.d_3_lb");
        let whole = Naming::Safe.service(&router, true);
        assert_eq!(whole, "a-b_c.d_3_wrr");
        let part = Naming::Safe.part(&format!("{whole}_0"), "a-b", "web", &Port::Number(80));
        assert_eq!(part, "a-b_c.d_3_wrr_0_a-b_web_80");
        assert_eq!(Naming::Safe.object("a-b", "c.d"), "a-b_c.d");
    }
}
