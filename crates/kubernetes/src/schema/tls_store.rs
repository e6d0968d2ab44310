//! `TLSStore`.

use super::{Schema, list, object, optional, required, route_tls::domain, text};

pub(super) fn spec() -> Schema {
    let generated = object(
        "A default certificate that a resolver gets.",
        [
            optional("domain", domain("The names that it is for.")),
            optional("resolver", text("The resolver's name.")),
        ],
    );
    object(
        "Certificates; only the TLSStore named `default` has an effect.",
        [
            optional("certificates", list("More certificates.", certificate("A certificate."))),
            optional(
                "defaultCertificate",
                certificate("The certificate for names that no other is for."),
            ),
            optional("defaultGeneratedCert", generated),
        ],
    )
}

fn certificate(description: &'static str) -> Schema {
    let secret = "The Secret with the certificate and its key.";
    object(description, [required("secretName", text(secret))])
}
