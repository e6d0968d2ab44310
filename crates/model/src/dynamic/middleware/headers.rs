//! `headers`.

use std::collections::BTreeMap;

use serde::Serialize;

/// Changes request and response headers. Traefik: `headers`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Headers {
    /// Request headers to set; an empty value removes the header.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom_request_headers: BTreeMap<String, String>,
    /// Response headers to set; an empty value removes the header.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom_response_headers: BTreeMap<String, String>,
    /// Which scripts of other origins see responses.
    #[serde(flatten)]
    pub cors: Cors,
    /// What browsers are told to be careful with.
    #[serde(flatten)]
    pub security: Security,
    /// What Traefik 3 reads, shows and does not use.
    #[serde(flatten)]
    pub inert: InertHeaders,
}

/// The fields of `headers` for cross-origin resource sharing. Traefik: `accessControl*`, `addVaryHeader`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cors {
    /// Whether credentials may be sent.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub access_control_allow_credentials: bool,
    /// Request headers that are allowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_control_allow_headers: Vec<String>,
    /// Methods that are allowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_control_allow_methods: Vec<String>,
    /// Origins that are allowed; `*` means any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_control_allow_origin_list: Vec<String>,
    /// Origins that are allowed, as expressions in Go's syntax.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_control_allow_origin_list_regex: Vec<String>,
    /// Response headers that scripts see.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_control_expose_headers: Vec<String>,
    /// Seconds that the answer to a preflight holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_control_max_age: Option<i64>,
    /// Whether responses depend on the origin for caches.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub add_vary_header: bool,
}

impl Cors {
    /// Whether anything is set.
    pub fn is_set(&self) -> bool {
        *self != Self::default()
    }
}

/// The security fields of `headers`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Security {
    /// Hosts that are answered; none mean any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_hosts: Vec<String>,
    /// Request headers that may hold the host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts_proxy_headers: Vec<String>,
    /// Request headers and the values by which they say that the client came over TLS.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ssl_proxy_headers: BTreeMap<String, String>,
    /// Seconds that `Strict-Transport-Security` holds; 0 means none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sts_seconds: Option<i64>,
    /// Whether it holds for subdomains.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sts_include_subdomains: bool,
    /// Whether it asks to be built into browsers.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sts_preload: bool,
    /// Whether it is sent without TLS too.
    #[serde(rename = "forceSTSHeader", skip_serializing_if = "std::ops::Not::not")]
    pub force_sts_header: bool,
    /// `X-Frame-Options: DENY`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub frame_deny: bool,
    /// `X-Frame-Options`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub custom_frame_options_value: String,
    /// `X-Content-Type-Options: nosniff`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub content_type_nosniff: bool,
    /// `X-XSS-Protection: 1; mode=block`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub browser_xss_filter: bool,
    /// `X-XSS-Protection`.
    #[serde(rename = "customBrowserXSSValue", skip_serializing_if = "String::is_empty")]
    pub custom_browser_xss_value: String,
    /// `Content-Security-Policy`, in which `$NONCE` stands for one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub content_security_policy: String,
    /// `Content-Security-Policy-Report-Only`, in which `$NONCE` stands for one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub content_security_policy_report_only: String,
    /// `Public-Key-Pins`, over TLS.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub public_key: String,
    /// `Referrer-Policy`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub referrer_policy: String,
    /// `Permissions-Policy`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub permissions_policy: String,
    /// Whether hosts, TLS and `Strict-Transport-Security` are not insisted on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_development: bool,
}

impl Security {
    /// Whether anything is set.
    pub fn is_set(&self) -> bool {
        *self != Self::default()
    }
}

/// The fields of `headers` that Traefik 3 reads, shows and does not use.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InertHeaders {
    /// The old form of `permissionsPolicy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature_policy: Option<String>,
    /// See `redirectScheme`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_redirect: Option<bool>,
    /// See `redirectScheme`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_temporary_redirect: Option<bool>,
    /// See `redirectRegex`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_host: Option<String>,
    /// See `redirectRegex`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_force_host: Option<bool>,
}

impl InertHeaders {
    /// Whether anything is set that Traefik takes for settings.
    pub fn is_set(&self) -> bool {
        let flags = [self.ssl_redirect, self.ssl_temporary_redirect, self.ssl_force_host];
        let texts = [&self.feature_policy, &self.ssl_host];
        flags.contains(&Some(true))
            || texts.iter().any(|text| text.as_deref().is_some_and(|text| !text.is_empty()))
    }
}
