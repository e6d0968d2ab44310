//! `basicAuth`, `digestAuth` and `forwardAuth`.

use crate::schema::{Property, Schema, boolean, object, optional, text, texts, wide_integer};

pub(super) fn basic_auth() -> Schema {
    object("Asks for a user and a password.", users("The Secret with lines of `user:hash`."))
}

pub(super) fn digest_auth() -> Schema {
    object(
        "Asks for a user and a password, which is not sent.",
        users("The Secret with lines of `user:realm:hash`."),
    )
}

fn users(secret: &'static str) -> [Property; 4] {
    [
        optional("headerField", text("The header in which servers see the user's name.")),
        optional("realm", text("The realm that clients show; by default `traefik`.")),
        optional("removeHeader", boolean("Whether servers do not see the credentials.")),
        optional("secret", text(secret)),
    ]
}

pub(super) fn forward_auth() -> Schema {
    object(
        "Asks another server whether a request may pass.",
        [
            optional(
                "addAuthCookiesToResponse",
                texts("Cookies of the other server's answer that clients get."),
            ),
            optional("address", text("The URL of the other server.")),
            optional(
                "authRequestHeaders",
                texts("Request headers that the other server sees; by default all."),
            ),
            optional(
                "authResponseHeaders",
                texts("Headers of the other server's answer that the request gets."),
            ),
            optional(
                "authResponseHeadersRegex",
                text("Headers of the other server's answer that the request gets, by expression."),
            ),
            optional("authSigninURL", text("Where clients are sent when the answer is 401.")),
            optional("forwardBody", boolean("Whether the other server sees the request's body.")),
            optional("headerField", text("The header of the answer that names the user.")),
            optional(
                "maxBodySize",
                wide_integer(.., "Bytes of the request's body, at most; -1 means no limit."),
            ),
            optional(
                "maxResponseBodySize",
                wide_integer(.., "Bytes of the answer's body, at most; -1 means no limit."),
            ),
            optional(
                "preserveLocationHeader",
                boolean("Whether the answer's Location is passed on as it is."),
            ),
            optional(
                "preserveRequestMethod",
                boolean("Whether the other server is asked with the request's own method."),
            ),
            optional("tls", forward_auth_tls()),
            optional(
                "trustForwardHeader",
                boolean("Deprecated: whether the client's `X-Forwarded-*` headers are passed on."),
            ),
        ],
    )
}

fn forward_auth_tls() -> Schema {
    let optional_authority = optional("caOptional", boolean("Deprecated: has no effect."));
    object("TLS towards the other server.", client_tls().into_iter().chain([optional_authority]))
}

/// TLS towards a server that a middleware asks.
pub(super) fn client_tls() -> [Property; 3] {
    [
        optional("caSecret", text("The Secret with the authority, under `tls.ca` or `ca.crt`.")),
        optional("certSecret", text("The Secret with the client certificate and its key.")),
        optional("insecureSkipVerify", boolean("Whether any certificate is accepted.")),
    ]
}
