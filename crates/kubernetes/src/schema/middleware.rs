//! `Middleware`.

use super::{Schema, anything, boolean, list, map, object, optional, reference::reference, texts};

mod auth;
mod body;
mod certificate;
mod failure;
mod headers;
mod limits;
mod own;
mod path;
mod redirect;

pub(super) fn spec() -> Schema {
    object(
        "What happens to requests between their router and their service; name one kind.",
        [
            optional("addPrefix", path::add_prefix()),
            optional("basicAuth", auth::basic_auth()),
            optional("bodyLimit", own::body_limit()),
            optional("buffering", body::buffering()),
            optional("chain", chain()),
            optional("circuitBreaker", failure::circuit_breaker()),
            optional("compress", body::compress()),
            optional("contentType", body::content_type()),
            optional("digestAuth", auth::digest_auth()),
            optional("encodedCharacters", encoded_characters()),
            optional("errors", failure::errors()),
            optional("forwardAuth", auth::forward_auth()),
            optional("grpcWeb", grpc_web()),
            optional("headers", headers::headers()),
            optional("inFlightReq", limits::in_flight_req()),
            optional("ipAllowList", limits::ip_allow_list()),
            optional("ipDenyList", own::ip_deny_list()),
            optional("ipWhiteList", limits::ip_white_list()),
            optional("maintenance", own::maintenance()),
            optional("passTLSClientCert", certificate::pass_tls_client_cert()),
            optional("plugin", map("A plugin's settings under its name.", anything())),
            optional("rateLimit", limits::rate_limit()),
            optional("redirectRegex", redirect::redirect_regex()),
            optional("redirectScheme", redirect::redirect_scheme()),
            optional("replacePath", path::replace_path()),
            optional("replacePathRegex", path::replace_path_regex()),
            optional("retry", failure::retry()),
            optional("stripPrefix", path::strip_prefix()),
            optional("stripPrefixRegex", path::strip_prefix_regex()),
        ],
    )
}

fn chain() -> Schema {
    let members = list("The middlewares, in the order they run.", reference("A Middleware."));
    object("Other middlewares under one name.", [optional("middlewares", members)])
}

fn encoded_characters() -> Schema {
    let characters = [
        ("allowEncodedBackSlash", "Whether `%5C` is let in."),
        ("allowEncodedHash", "Whether `%23` is let in."),
        ("allowEncodedNullCharacter", "Whether `%00` is let in."),
        ("allowEncodedPercent", "Whether `%25` is let in."),
        ("allowEncodedQuestionMark", "Whether `%3F` is let in."),
        ("allowEncodedSemicolon", "Whether `%3B` is let in."),
        ("allowEncodedSlash", "Whether `%2F` is let in."),
    ];
    object(
        "Refuses paths with encoded characters that servers may read in two ways.",
        characters.map(|(name, description)| optional(name, boolean(description))),
    )
}

fn grpc_web() -> Schema {
    object(
        "Translates gRPC-Web to gRPC.",
        [optional("allowOrigins", texts("Origins that may ask; `*` means any."))],
    )
}
