//! Client authentication: Traefik's five types as verifiers of rustls.

use std::sync::Arc;

use portway_model::{Problem, dynamic::ClientAuth, nearest};
use rustls::{
    pki_types::UnixTime,
    server::{NoClientAuth, danger::ClientCertVerifier},
};

use crate::{chain::Authorities, pem, verify::ClientVerifier};

/// How client certificates are dealt with.
pub(super) struct Verifier {
    /// What rustls asks.
    pub(super) verifier: Arc<dyn ClientCertVerifier>,
    /// Whether clients may be refused for the certificate that they show or lack.
    pub(super) guards: bool,
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
    problems.extend(unused(asked, !authorities.is_empty()));
    let any = |mandatory| {
        let hints = authorities.names();
        let verifier = Arc::new(ClientVerifier { mandatory, hints, authorities: None });
        Some(Verifier { verifier, guards: mandatory })
    };
    match asked {
        "NoClientCert" => Some(Verifier { verifier: Arc::new(NoClientAuth), guards: false }),
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

/// What is to be said of authorities that nobody is verified by, which looks like verification.
fn unused(asked: &str, has_authorities: bool) -> Option<Problem> {
    let effect = match asked {
        "NoClientCert" => "no effect",
        "RequestClientCert" | "RequireAnyClientCert" => {
            "clients are told of them, and any certificate is taken"
        }
        _ => return None,
    };
    has_authorities.then(|| {
        let message = format!("`{asked}` verifies nobody by these authorities: {effect}");
        Problem::warning("clientAuth.caFiles", message)
    })
}

fn unknown_type(written: &str) -> String {
    match nearest(written, TYPES) {
        Some(near) => format!("unknown client auth type {written:?}; did you mean {near}?"),
        None => format!("unknown client auth type {written:?}"),
    }
}

fn verified(
    authorities: Authorities,
    mandatory: bool,
    asked: &str,
    problems: &mut Vec<Problem>,
) -> Option<Verifier> {
    if authorities.is_empty() {
        problems.push(Problem::error(
            "clientAuth.caFiles",
            format!("invalid clientAuthType: {asked}, CAFiles is required"),
        ));
        return None;
    }
    let (hints, authorities) = (authorities.names(), Some(authorities));
    let verifier = Arc::new(ClientVerifier { mandatory, hints, authorities });
    Some(Verifier { verifier, guards: true })
}

/// All authorities; one text without any is an error, as in Traefik.
fn authorities(settings: &ClientAuth, problems: &mut Vec<Problem>) -> Option<Authorities> {
    let mut all = Vec::new();
    let mut good = true;
    for (position, material) in settings.authorities.iter().enumerate() {
        let problem = match pem::certificates(&material.content) {
            Ok(certificates) if Authorities::new(certificates.clone()).0.is_empty() => {
                "none of its certificates can be used".to_owned()
            }
            Ok(certificates) => {
                all.extend(certificates);
                continue;
            }
            Err(bad) => bad.to_string(),
        };
        good = false;
        problems.push(Problem::error(format!("clientAuth.caFiles[{position}]"), problem));
    }
    let (authorities, unusable) = Authorities::new(all);
    let remarks = unusable.into_iter().chain(authorities.remarks(UnixTime::now()));
    problems.extend(remarks.map(|remark| Problem::warning("clientAuth.caFiles", remark)));
    good.then_some(authorities)
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
