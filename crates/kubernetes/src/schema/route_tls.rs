//! The field `tls` of routes.

use super::{Property, Schema, list, object, optional, reference::reference, text, texts};

/// TLS of routes, with the fields that only some kinds of routes have.
pub(super) fn route_tls(
    description: &'static str,
    more: impl IntoIterator<Item = Property>,
) -> Schema {
    let shared = [
        optional("certResolver", text("The resolver that gets certificates.")),
        optional("domains", list("Domains to get certificates for.", domain("A certificate."))),
        optional("options", reference("The TLSOption; by default the one named `default`.")),
        optional("secretName", text("The Secret with the certificate and its key.")),
        optional("store", reference("A TLSStore; has no effect, as there is only `default`.")),
    ];
    object(description, shared.into_iter().chain(more))
}

/// The names that one certificate is for.
pub(super) fn domain(description: &'static str) -> Schema {
    object(
        description,
        [
            optional("main", text("The main name of the certificate.")),
            optional("sans", texts("More names of the certificate.")),
        ],
    )
}
