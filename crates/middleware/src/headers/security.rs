//! What browsers are told to be careful with, and which hosts are answered.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use portway_http::{HeaderName, HeaderValue, Headers as Fields, Known, Request, StaticName};
use portway_model::{Problem, dynamic};

/// Compiled settings.
#[derive(Debug)]
pub(super) struct Security {
    /// Hosts that are answered; `None` means any.
    hosts: Option<Box<[Box<str>]>>,
    /// Fields that may hold the host.
    host_fields: Box<[HeaderName]>,
    /// Fields and the values by which they say that the client came over TLS.
    tls_fields: Box<[(HeaderName, Box<[u8]>)]>,
    /// `Strict-Transport-Security`, and whether it is sent without TLS too.
    transport: Option<(HeaderValue, bool)>,
    /// `Public-Key-Pins`, over TLS.
    keys: Option<HeaderValue>,
    /// Fields whose value is always the same.
    fields: Box<[(StaticName, HeaderValue)]>,
    /// Policies with a place for a nonce.
    nonces: Box<[(StaticName, Box<str>)]>,
}

impl Security {
    /// Compiles the user's settings.
    pub(super) fn compile(config: &dynamic::Security, problems: &mut Vec<Problem>) -> Self {
        let insists = !config.is_development;
        let hosts = insists && !config.allowed_hosts.is_empty();
        let hosts =
            hosts.then(|| config.allowed_hosts.iter().map(|host| host.as_str().into()).collect());
        let host_fields = config.hosts_proxy_headers.iter();
        let host_fields = host_fields
            .filter_map(|name| field_name("hostsProxyHeaders", name, problems))
            .collect();
        let tls_fields = config.ssl_proxy_headers.iter().filter_map(|(name, value)| {
            let name = field_name("sslProxyHeaders", name, problems)?;
            Some((name, value.as_bytes().into()))
        });
        let tls_fields = tls_fields.collect();
        let keys = insists && !config.public_key.is_empty();
        let policies = [
            (POLICY, &config.content_security_policy),
            (POLICY_REPORT_ONLY, &config.content_security_policy_report_only),
        ];
        let nonces = policies.iter().filter(|(_, policy)| policy.contains(NONCE));
        Self {
            hosts,
            host_fields,
            tls_fields,
            transport: transport(config).filter(|_| insists),
            keys: keys.then(|| HeaderValue::lossy(&config.public_key)),
            fields: fields(config, &policies),
            nonces: nonces.map(|(name, policy)| (*name, policy.as_str().into())).collect(),
        }
    }

    /// Whether requests of this host are answered.
    pub(super) fn allows_host(&self, request: &Request) -> bool {
        let Some(hosts) = &self.hosts else { return true };
        let mut said = self.host_fields.iter().filter_map(|name| request.headers.get(name));
        let host = said.find(|host| !host.is_empty());
        let host = host.unwrap_or(request.authority().as_bytes());
        hosts.iter().any(|allowed| is_same_host(allowed, host))
    }

    /// Sees the fields of a response to `request`, which came over TLS or not.
    pub(super) fn on_response(&self, headers: &mut Fields, request: &Request, tls: bool) {
        for (name, value) in &self.fields {
            headers.set(*name, value);
        }
        if !self.nonces.is_empty() {
            self.write_nonces(headers);
        }
        if self.transport.is_none() && self.keys.is_none() {
            return;
        }
        let secure = tls || self.says_tls(request);
        if let Some((value, forced)) = &self.transport
            && (secure || *forced)
        {
            headers.set(Known::StrictTransportSecurity, value);
        }
        if let Some(keys) = self.keys.as_ref().filter(|_| secure) {
            headers.set(PUBLIC_KEY_PINS, keys);
        }
    }

    /// Whether a field says that the client came over TLS.
    fn says_tls(&self, request: &Request) -> bool {
        let mut fields = self.tls_fields.iter();
        fields.any(|(name, value)| request.headers.get(name).unwrap_or_default() == &**value)
    }

    /// Writes the policies with one nonce in all of them.
    fn write_nonces(&self, headers: &mut Fields) {
        let mut nonce = [0; 16];
        // Without randomness the policy allows nothing by a nonce.
        let random = aws_lc_rs::rand::fill(&mut nonce).is_ok();
        let source = match random {
            true => format!("'nonce-{}'", STANDARD_NO_PAD.encode(nonce)),
            false => "'none'".to_owned(),
        };
        for (name, policy) in &self.nonces {
            headers.set(*name, policy.replace(NONCE, &source));
        }
    }
}

/// `Strict-Transport-Security`, and whether it is sent without TLS too.
fn transport(config: &dynamic::Security) -> Option<(HeaderValue, bool)> {
    let seconds = config.sts_seconds.filter(|seconds| *seconds != 0)?;
    let subdomains = if config.sts_include_subdomains { "; includeSubDomains" } else { "" };
    let preload = if config.sts_preload { "; preload" } else { "" };
    let value = format!("max-age={seconds}{subdomains}{preload}");
    Some((HeaderValue::lossy(&value), config.force_sts_header))
}

/// Fields whose value is always the same.
fn fields(
    config: &dynamic::Security,
    policies: &[(StaticName, &String)],
) -> Box<[(StaticName, HeaderValue)]> {
    let or = |custom: &String, fixed: bool, value: &str| match (custom.is_empty(), fixed) {
        (false, _) => custom.clone(),
        (true, true) => value.to_owned(),
        (true, false) => String::new(),
    };
    let none = String::new();
    let frame = or(&config.custom_frame_options_value, config.frame_deny, "DENY");
    let sniff = or(&none, config.content_type_nosniff, "nosniff");
    let xss = &config.custom_browser_xss_value;
    let xss = or(xss, config.browser_xss_filter, "1; mode=block");
    let mut all = vec![
        (FRAME_OPTIONS, &frame),
        (CONTENT_TYPE_OPTIONS, &sniff),
        (XSS_PROTECTION, &xss),
        (REFERRER_POLICY, &config.referrer_policy),
        (PERMISSIONS_POLICY, &config.permissions_policy),
    ];
    all.extend(policies.iter().filter(|(_, policy)| !policy.contains(NONCE)));
    let set = all.into_iter().filter(|(_, value)| !value.is_empty());
    set.map(|(name, value)| (name, HeaderValue::lossy(value))).collect()
}

/// The name of a field to look at; one that no request has is warned of.
fn field_name(field: &str, name: &str, problems: &mut Vec<Problem>) -> Option<HeaderName> {
    let warn = |error| {
        let message = format!("\"{name}\": {error}");
        problems.push(Problem::warning(format!("headers.{field}"), message));
    };
    HeaderName::parse(name).map_err(warn).ok()
}

/// Whether two hosts are equal in any letter case.
fn is_same_host(allowed: &str, host: &[u8]) -> bool {
    if allowed.is_ascii() {
        return allowed.as_bytes().eq_ignore_ascii_case(host);
    }
    std::str::from_utf8(host).is_ok_and(|host| allowed.to_lowercase() == host.to_lowercase())
}

/// What stands for a nonce in a policy.
const NONCE: &str = "$NONCE";

const CONTENT_TYPE_OPTIONS: StaticName = StaticName::new("X-Content-Type-Options");
const FRAME_OPTIONS: StaticName = StaticName::new("X-Frame-Options");
const PERMISSIONS_POLICY: StaticName = StaticName::new("Permissions-Policy");
const POLICY: StaticName = StaticName::new("Content-Security-Policy");
const POLICY_REPORT_ONLY: StaticName = StaticName::new("Content-Security-Policy-Report-Only");
const PUBLIC_KEY_PINS: StaticName = StaticName::new("Public-Key-Pins");
const REFERRER_POLICY: StaticName = StaticName::new("Referrer-Policy");
const XSS_PROTECTION: StaticName = StaticName::new("X-Xss-Protection");

#[cfg(test)]
mod tests;
