//! `headers` out of a tree.

use crate::{
    Fields, Node, Problem,
    dynamic::{Cors, Headers, InertHeaders, Security},
};

/// Reads `headers`.
pub fn headers(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Headers {
    let mut fields = Fields::open(node, path, problems);
    let headers = Headers {
        custom_request_headers: fields.string_map("customRequestHeaders"),
        custom_response_headers: fields.string_map("customResponseHeaders"),
        cors: cors(&mut fields),
        security: security(&mut fields),
        inert: inert(&mut fields),
    };
    fields.close();
    headers
}

fn cors(fields: &mut Fields<'_>) -> Cors {
    Cors {
        access_control_allow_credentials: flag(fields, "accessControlAllowCredentials"),
        access_control_allow_headers: fields.strings("accessControlAllowHeaders"),
        access_control_allow_methods: fields.strings("accessControlAllowMethods"),
        access_control_allow_origin_list: fields.strings("accessControlAllowOriginList"),
        access_control_allow_origin_list_regex: fields.strings("accessControlAllowOriginListRegex"),
        access_control_expose_headers: fields.strings("accessControlExposeHeaders"),
        access_control_max_age: fields.integer("accessControlMaxAge"),
        add_vary_header: flag(fields, "addVaryHeader"),
    }
}

fn security(fields: &mut Fields<'_>) -> Security {
    Security {
        allowed_hosts: fields.strings("allowedHosts"),
        hosts_proxy_headers: fields.strings("hostsProxyHeaders"),
        ssl_proxy_headers: fields.string_map("sslProxyHeaders"),
        sts_seconds: fields.integer("stsSeconds"),
        sts_include_subdomains: flag(fields, "stsIncludeSubdomains"),
        sts_preload: flag(fields, "stsPreload"),
        force_sts_header: flag(fields, "forceSTSHeader"),
        frame_deny: flag(fields, "frameDeny"),
        custom_frame_options_value: fields.string("customFrameOptionsValue"),
        content_type_nosniff: flag(fields, "contentTypeNosniff"),
        browser_xss_filter: flag(fields, "browserXssFilter"),
        custom_browser_xss_value: fields.string("customBrowserXSSValue"),
        content_security_policy: fields.string("contentSecurityPolicy"),
        content_security_policy_report_only: fields.string("contentSecurityPolicyReportOnly"),
        public_key: fields.string("publicKey"),
        referrer_policy: fields.string("referrerPolicy"),
        permissions_policy: fields.string("permissionsPolicy"),
        is_development: flag(fields, "isDevelopment"),
    }
}

fn inert(fields: &mut Fields<'_>) -> InertHeaders {
    InertHeaders {
        feature_policy: text(fields, "featurePolicy"),
        ssl_redirect: fields.boolean("sslRedirect"),
        ssl_temporary_redirect: fields.boolean("sslTemporaryRedirect"),
        ssl_host: text(fields, "sslHost"),
        ssl_force_host: fields.boolean("sslForceHost"),
    }
}

fn flag(fields: &mut Fields<'_>, name: &'static str) -> bool {
    fields.boolean(name).unwrap_or_default()
}

/// A text that may be there and empty.
fn text(fields: &mut Fields<'_>, name: &'static str) -> Option<String> {
    fields.node(name).is_some().then(|| fields.string(name))
}
