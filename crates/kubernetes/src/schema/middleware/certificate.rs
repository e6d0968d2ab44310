//! `passTLSClientCert`.

use crate::schema::{Property, Schema, boolean, object, optional};

pub(super) fn pass_tls_client_cert() -> Schema {
    object(
        "Tells servers the client's certificate.",
        [
            optional("info", info()),
            optional("pem", boolean("Whether servers see the whole certificate.")),
        ],
    )
}

fn info() -> Schema {
    let unit = optional("organizationalUnit", boolean("The organizational unit."));
    object(
        "Parts of the certificate that servers see.",
        [
            optional("issuer", object("Parts of the issuer's name.", name())),
            optional("notAfter", boolean("The time of its end.")),
            optional("notBefore", boolean("The time of its beginning.")),
            optional("sans", boolean("The names it is for.")),
            optional("serialNumber", boolean("Its serial number.")),
            optional(
                "subject",
                object("Parts of the subject's name.", name().into_iter().chain([unit])),
            ),
        ],
    )
}

fn name() -> [Property; 7] {
    [
        optional("commonName", boolean("The common name.")),
        optional("country", boolean("The country.")),
        optional("domainComponent", boolean("The domain components.")),
        optional("locality", boolean("The locality.")),
        optional("organization", boolean("The organization.")),
        optional("province", boolean("The province.")),
        optional("serialNumber", boolean("The serial number in the name.")),
    ]
}
