//! `headers`.

use crate::schema::{Property, Schema, boolean, map, object, optional, text, texts, wide_integer};

pub(super) fn headers() -> Schema {
    let custom = [
        optional(
            "customRequestHeaders",
            map("Request headers to set; an empty value removes the header.", text("")),
        ),
        optional(
            "customResponseHeaders",
            map("Response headers to set; an empty value removes the header.", text("")),
        ),
    ];
    let fields = custom.into_iter().chain(cors()).chain(security()).chain(inert());
    object("Changes request and response headers.", fields)
}

/// Cross-origin resource sharing.
fn cors() -> [Property; 8] {
    [
        optional(
            "accessControlAllowCredentials",
            boolean("CORS: whether credentials may be sent."),
        ),
        optional("accessControlAllowHeaders", texts("CORS: request headers that are allowed.")),
        optional("accessControlAllowMethods", texts("CORS: methods that are allowed.")),
        optional("accessControlAllowOriginList", texts("CORS: origins that are allowed.")),
        optional(
            "accessControlAllowOriginListRegex",
            texts("CORS: origins that are allowed, by regular expression."),
        ),
        optional("accessControlExposeHeaders", texts("CORS: response headers that scripts see.")),
        optional(
            "accessControlMaxAge",
            wide_integer(.., "CORS: seconds that an answer to a preflight holds."),
        ),
        optional("addVaryHeader", boolean("CORS: whether responses have `Vary: Origin`.")),
    ]
}

fn security() -> [Property; 18] {
    [
        optional("allowedHosts", texts("Hosts that are answered; by default any.")),
        optional("browserXssFilter", boolean("Whether to send `X-XSS-Protection: 1; mode=block`.")),
        optional("contentSecurityPolicy", text("The Content-Security-Policy to send.")),
        optional(
            "contentSecurityPolicyReportOnly",
            text("The Content-Security-Policy-Report-Only to send."),
        ),
        optional(
            "contentTypeNosniff",
            boolean("Whether to send `X-Content-Type-Options: nosniff`."),
        ),
        optional("customBrowserXSSValue", text("The X-XSS-Protection to send.")),
        optional("customFrameOptionsValue", text("The X-Frame-Options to send.")),
        optional("forceSTSHeader", boolean("Whether to send STS without TLS too.")),
        optional("frameDeny", boolean("Whether to send `X-Frame-Options: DENY`.")),
        optional("hostsProxyHeaders", texts("Request headers that may hold the host.")),
        optional("isDevelopment", boolean("Whether hosts, TLS and STS are not insisted on.")),
        optional("permissionsPolicy", text("The Permissions-Policy to send.")),
        optional("publicKey", text("The Public-Key-Pins to send.")),
        optional("referrerPolicy", text("The Referrer-Policy to send.")),
        optional(
            "sslProxyHeaders",
            map("Request headers and their values that mean TLS.", text("")),
        ),
        optional("stsIncludeSubdomains", boolean("Whether STS holds for subdomains.")),
        optional("stsPreload", boolean("Whether STS asks to be built into browsers.")),
        optional("stsSeconds", wide_integer(0.., "Seconds that STS holds; 0 means no STS.")),
    ]
}

/// Fields that Traefik 3 takes and does not use.
fn inert() -> [Property; 5] {
    [
        optional("featurePolicy", text("Deprecated: use `permissionsPolicy`.")),
        optional("sslForceHost", boolean("Deprecated: has no effect; use `redirectRegex`.")),
        optional("sslHost", text("Deprecated: has no effect; use `redirectRegex`.")),
        optional("sslRedirect", boolean("Deprecated: has no effect; use `redirectScheme`.")),
        optional(
            "sslTemporaryRedirect",
            boolean("Deprecated: has no effect; use `redirectScheme`."),
        ),
    ]
}
