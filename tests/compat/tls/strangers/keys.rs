//! The certificates that clients show.

use portway_testkit::certificate::{Authority, Certificate, Key, Made};

/// Authorities, and whom they signed.
pub(super) struct Identities {
    /// The files of authorities, for `caFiles`.
    pub(super) files: Vec<(&'static str, String)>,
    /// What clients show.
    pub(super) shown: Vec<(&'static str, Option<Certificate>)>,
}

impl Identities {
    pub(super) fn make() -> Self {
        let [known, second, other] = ["known", "second", "other"].map(Authority::new);
        let between = known.vouch("between");
        let pem = |authority: &Authority| authority.certificate.certificate_pem.clone();
        let rsa = Made { common_name: "rsa", names: &["rsa"], key: Key::Rsa, expired: false };
        let files = vec![
            ("known.pem", pem(&known)),
            ("second.pem", pem(&second)),
            ("both.pem", format!("# two\n{}\n{}", pem(&known), pem(&second))),
            ("between.pem", pem(&between)),
            ("nobody.pem", "no certificate".to_owned()),
        ];
        let shown = vec![
            ("nobody", None),
            ("known's", Some(known.sign("client", false))),
            ("known's expired", Some(known.sign("client", true))),
            ("known's server", Some(known.sign_server("client"))),
            ("second's", Some(second.sign("client", false))),
            ("other's", Some(other.sign("client", false))),
            ("self-signed of RSA", Some(Certificate::made(&rsa))),
            ("between's alone", Some(between.sign("client", false))),
            (
                "between's whole",
                Some(between.sign("client", false).followed_by(&between.certificate)),
            ),
            ("known itself", Some(known.certificate.clone())),
        ];
        Self { files, shown }
    }
}
