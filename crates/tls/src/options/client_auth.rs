//! Client authentication: Traefik's five types as verifiers of rustls.

use std::sync::Arc;

use portway_model::{Problem, dynamic::ClientAuth, nearest};
use rustls::{
    RootCertStore,
    pki_types::CertificateDer,
    server::{NoClientAuth, WebPkiClientVerifier, danger::ClientCertVerifier},
};

use crate::{
    crypto, pem,
    verify::{AnyClient, VerifiedClient},
};

/// How client certificates are dealt with.
pub(super) struct Verifier {
    /// What rustls asks.
    pub(super) verifier: Arc<dyn ClientCertVerifier>,
    /// Whether a certificate that is shown must be signed by an authority.
    pub(super) verifies: bool,
}

const TYPES: [&str; 5] = [
    "NoClientCert",
    "RequestClientCert",
    "RequireAnyClientCert",
    "VerifyClientCertIfGiven",
    "RequireAndVerifyClientCert",
];

/// The verifier that the settings ask for; `None` with the reason among the problems.
pub(super) fn compile(settings: &ClientAuth, problems: &mut Vec<Problem>) -> Option<Verifier> {
    let authorities = authorities(settings, problems)?;
    let asked = match settings.client_auth_type.as_str() {
        "" if settings.authorities.is_empty() => "NoClientCert",
        "" => "RequireAndVerifyClientCert",
        written => written,
    };
    let unverified = |verifier| Some(Verifier { verifier, verifies: false });
    let any = |mandatory| {
        let hints = roots(&authorities).0.subjects();
        unverified(Arc::new(AnyClient { mandatory, hints }))
    };
    match asked {
        "NoClientCert" => unverified(Arc::new(NoClientAuth)),
        "RequestClientCert" => any(false),
        "RequireAnyClientCert" => any(true),
        "VerifyClientCertIfGiven" => verified(authorities, false, asked, problems),
        "RequireAndVerifyClientCert" => verified(authorities, true, asked, problems),
        unknown => {
            problems.push(Problem::error("clientAuth.clientAuthType", unknown_type(unknown)));
            None
        }
    }
}

/// The authorities as rustls takes them, and how many it does not take.
fn roots(authorities: &[CertificateDer<'static>]) -> (RootCertStore, usize) {
    let mut roots = RootCertStore::empty();
    let (_, unusable) = roots.add_parsable_certificates(authorities.iter().cloned());
    (roots, unusable)
}

fn unknown_type(written: &str) -> String {
    match nearest(written, TYPES) {
        Some(near) => format!("unknown client auth type {written:?}; did you mean {near}?"),
        None => format!("unknown client auth type {written:?}"),
    }
}

fn verified(
    authorities: Vec<CertificateDer<'static>>,
    mandatory: bool,
    asked: &str,
    problems: &mut Vec<Problem>,
) -> Option<Verifier> {
    let (roots, unusable) = roots(&authorities);
    if unusable > 0 {
        problems.push(Problem::warning(
            "clientAuth.caFiles",
            format!("{unusable} of {} authorities cannot be used", authorities.len()),
        ));
    }
    let builder = WebPkiClientVerifier::builder_with_provider(
        Arc::new(roots),
        Arc::clone(crypto::provider()),
    );
    let builder = if mandatory { builder } else { builder.allow_unauthenticated() };
    match builder.build() {
        Ok(inner) => Some(Verifier {
            verifier: Arc::new(VerifiedClient { inner, authorities }),
            verifies: true,
        }),
        Err(_) => {
            problems.push(Problem::error(
                "clientAuth.caFiles",
                format!("invalid clientAuthType: {asked}, CAFiles is required"),
            ));
            None
        }
    }
}

/// All authorities; one text without any is an error, as in Traefik.
fn authorities(
    settings: &ClientAuth,
    problems: &mut Vec<Problem>,
) -> Option<Vec<CertificateDer<'static>>> {
    let mut all = Vec::new();
    let mut good = true;
    for (position, material) in settings.authorities.iter().enumerate() {
        match pem::certificates(&material.content) {
            Ok(certificates) => all.extend(certificates),
            Err(bad) => {
                good = false;
                let field = format!("clientAuth.caFiles[{position}]");
                problems.push(Problem::error(field, bad.to_string()));
            }
        }
    }
    good.then_some(all)
}

#[cfg(test)]
mod tests {
    use portway_model::dynamic::Material;
    use portway_testkit::certificate::Authority;

    use super::*;

    #[test]
    fn clients_are_told_the_authorities_whatever_is_verified() {
        let authority = Authority::new("known").certificate.certificate_pem;
        for kind in &TYPES[1..] {
            let settings = ClientAuth {
                authorities: vec![Material::inline(authority.as_str())],
                client_auth_type: (*kind).to_owned(),
            };
            let verifier = compile(&settings, &mut Vec::new()).unwrap().verifier;
            assert_eq!(verifier.root_hint_subjects().len(), 1, "{kind}");
        }
    }
}
