//! Stickiness: clients stay with the server, or the service, that they got first.

use serde::Serialize;

/// How clients stay where they were. Traefik: `sticky`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
pub struct Sticky {
    /// By a cookie; absent means that they do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<Cookie>,
}

/// The cookie that says where a client was. Traefik: `sticky.cookie`.
#[derive(Clone, Debug, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cookie {
    /// Its name, in which characters that no cookie's name has become `_`; empty means one that is made from the
    /// service's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Whether browsers send it over TLS only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub secure: bool,
    /// Whether browsers hide it from scripts.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub http_only: bool,
    /// `none`, `lax` or `strict`, in any letter case; anything else leaves the choice to browsers.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub same_site: String,
    /// Seconds that browsers keep it; 0 means until they are closed, a negative number not at all.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_age: i64,
    /// The path below which browsers send it; empty means that of the request.
    pub path: String,
    /// The domain whose hosts browsers send it to; empty means the request's host alone.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub domain: String,
}

impl Default for Cookie {
    fn default() -> Self {
        Self {
            name: String::new(),
            secure: false,
            http_only: false,
            same_site: String::new(),
            max_age: 0,
            path: "/".to_owned(),
            domain: String::new(),
        }
    }
}

impl Cookie {
    /// The policy that [`Self::same_site`] means, as it is written in a cookie.
    pub fn same_site_policy(&self) -> Option<&'static str> {
        let known = SAME_SITE.iter().find(|known| known.eq_ignore_ascii_case(&self.same_site));
        known.copied()
    }

    /// The domain as it is written in a cookie; `None` where it is none, and so is left out, as Go does.
    pub fn usable_domain(&self) -> Option<&str> {
        let domain = self.domain.strip_prefix('.').unwrap_or(&self.domain);
        let is_domain = self.domain.len() <= 255
            && domain.bytes().any(|byte| byte.is_ascii_alphabetic())
            && domain.strip_suffix('.').unwrap_or(domain).split('.').all(is_label);
        let is_address = || domain.parse::<std::net::Ipv4Addr>().is_ok();
        (is_domain || is_address()).then_some(domain)
    }
}

/// Policies for requests from other sites, as they are written in a cookie.
pub(crate) const SAME_SITE: [&str; 3] = ["None", "Lax", "Strict"];

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(domain: &str, expected: Option<&str>) {
        let cookie = Cookie { domain: domain.to_owned(), ..Cookie::default() };
        assert_eq!(cookie.usable_domain(), expected, "{domain}");
    }

    #[test]
    fn domains_are_those_that_go_writes() {
        check(".example.com", Some("example.com"));
        check("a-b.example", Some("a-b.example"));
        check("10.0.0.1", Some("10.0.0.1"));
        check("example.com.", Some("example.com."));
        for bad in ["", ".", "1.2", "bad_domain", "-a.b", "a-.b", "a..b", "a;b", "::1"] {
            check(bad, None);
        }
        check(&"a".repeat(64), None);
    }

    #[test]
    fn policies_are_found_in_any_letter_case() {
        let policy = |text: &str| {
            Cookie { same_site: text.to_owned(), ..Cookie::default() }.same_site_policy()
        };
        assert_eq!(
            ["none", "LAX", "Strict"].map(policy),
            [Some("None"), Some("Lax"), Some("Strict")]
        );
        assert_eq!(["", "weird"].map(policy), [None, None]);
    }
}
