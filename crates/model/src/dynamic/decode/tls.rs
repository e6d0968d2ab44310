//! Certificates, stores and TLS options out of a tree.
//!
//! Key material is a path or PEM text (Traefik: FileOrContent) and stays as written: reading files is the
//! provider's.

use crate::{
    Fields, Node, Problem,
    dynamic::{Certificate, ClientAuth, Material, TlsOptions, TlsStore},
};

/// Reads a certificate. Traefik: `tls.certificates[]`.
pub fn certificate(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Certificate {
    let mut fields = Fields::open(node, path, problems);
    let certificate = pair(&mut fields);
    let stores = fields.strings("stores");
    fields.close();
    Certificate { stores, ..certificate }
}

/// Reads a certificate that stands in no store: a client's or a store's default.
pub(super) fn client_certificate(
    node: &Node,
    path: &str,
    problems: &mut Vec<Problem>,
) -> Certificate {
    let mut fields = Fields::open(node, path, problems);
    let certificate = pair(&mut fields);
    fields.close();
    certificate
}

fn pair(fields: &mut Fields<'_>) -> Certificate {
    let mut material = |name: &'static str| {
        let written = fields.string(name);
        if written.is_empty() {
            fields.report(name, Problem::error, "is missing; write a path or PEM text");
        }
        Material { written, content: Vec::new() }
    };
    Certificate { cert: material("certFile"), key: material("keyFile"), stores: Vec::new() }
}

/// Reads a store. Traefik: `tls.stores.<name>`.
pub fn tls_store(node: &Node, path: &str, problems: &mut Vec<Problem>) -> TlsStore {
    let mut fields = Fields::open(node, path, problems);
    let store =
        TlsStore { default_certificate: fields.section("defaultCertificate", client_certificate) };
    fields.unserved("defaultGeneratedCert");
    fields.close();
    store
}

/// Reads TLS options. Traefik: `tls.options.<name>`.
pub fn tls_options(node: &Node, path: &str, problems: &mut Vec<Problem>) -> TlsOptions {
    let mut fields = Fields::open(node, path, problems);
    let options = TlsOptions {
        min_version: fields.string("minVersion"),
        max_version: fields.string("maxVersion"),
        cipher_suites: fields.strings("cipherSuites"),
        curve_preferences: fields.strings("curvePreferences"),
        client_auth: fields.section("clientAuth", client_auth).unwrap_or_default(),
        sni_strict: fields.boolean("sniStrict").unwrap_or_default(),
        alpn_protocols: fields.strings("alpnProtocols"),
        disable_session_tickets: fields.boolean("disableSessionTickets").unwrap_or_default(),
    };
    // Deprecated in Traefik, where it has no effect either.
    fields.boolean("preferServerCipherSuites");
    fields.close();
    options
}

/// Reads `clientAuth`.
pub fn client_auth(node: &Node, path: &str, problems: &mut Vec<Problem>) -> ClientAuth {
    let mut fields = Fields::open(node, path, problems);
    let auth = ClientAuth {
        authorities: materials(&mut fields, "caFiles"),
        client_auth_type: fields.string("clientAuthType"),
    };
    fields.close();
    auth
}

pub(super) fn materials(fields: &mut Fields<'_>, name: &'static str) -> Vec<Material> {
    let written = fields.strings(name).into_iter();
    written.map(|written| Material { written, content: Vec::new() }).collect()
}
