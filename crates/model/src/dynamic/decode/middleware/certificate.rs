//! `passTLSClientCert` out of a tree.

use crate::{
    Fields, Node, Problem,
    dynamic::{ClientCertificateInfo, NameParts, PassTlsClientCert},
};

/// Reads `passTLSClientCert`.
pub(super) fn pass_tls_client_cert(
    node: &Node,
    path: &str,
    problems: &mut Vec<Problem>,
) -> PassTlsClientCert {
    let mut fields = Fields::open(node, path, problems);
    let pass_tls_client_cert =
        PassTlsClientCert { pem: flag(&mut fields, "pem"), info: fields.section("info", info) };
    fields.close();
    pass_tls_client_cert
}

fn info(node: &Node, path: &str, problems: &mut Vec<Problem>) -> ClientCertificateInfo {
    let mut fields = Fields::open(node, path, problems);
    let info = ClientCertificateInfo {
        not_after: flag(&mut fields, "notAfter"),
        not_before: flag(&mut fields, "notBefore"),
        sans: flag(&mut fields, "sans"),
        serial_number: flag(&mut fields, "serialNumber"),
        subject: fields.section("subject", |node, path, problems| name(node, path, problems, true)),
        issuer: fields.section("issuer", |node, path, problems| name(node, path, problems, false)),
    };
    fields.close();
    info
}

/// Reads the parts of a name; only an owner's has a unit.
fn name(node: &Node, path: &str, problems: &mut Vec<Problem>, owner: bool) -> NameParts {
    let mut fields = Fields::open(node, path, problems);
    let name = NameParts {
        country: flag(&mut fields, "country"),
        province: flag(&mut fields, "province"),
        locality: flag(&mut fields, "locality"),
        organization: flag(&mut fields, "organization"),
        organizational_unit: owner && flag(&mut fields, "organizationalUnit"),
        common_name: flag(&mut fields, "commonName"),
        serial_number: flag(&mut fields, "serialNumber"),
        domain_component: flag(&mut fields, "domainComponent"),
    };
    fields.close();
    name
}

fn flag(fields: &mut Fields<'_>, name: &'static str) -> bool {
    fields.boolean(name).unwrap_or_default()
}
