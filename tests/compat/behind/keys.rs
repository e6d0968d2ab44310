//! The certificates of servers, and what those ask of their clients.

use std::sync::Arc;

use portway_testkit::certificate::{Authority, Certificate, Key, Made};
use portway_testkit::random::Random;
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

/// The URI in certificates of servers.
pub(super) const URI: &str = "spiffe://trust.test/one";

/// Certificates, made once for all seeds.
pub(super) struct Keys {
    /// Whom the servers trust.
    clients: Authority,
    servers: Vec<(&'static str, Certificate)>,
    /// Files beside the configuration.
    pub(super) files: Vec<(String, String)>,
    /// The authority of most servers, as PEM.
    pub(super) known: String,
}

impl Keys {
    pub(super) fn make() -> Self {
        let [known, other, clients] = ["known", "other", "clients"].map(Authority::new);
        let good = ["server.test", "127.0.0.1", "localhost"];
        let between = known.vouch("between");
        let itself =
            Made { common_name: "server.test", names: &good, key: Key::P256, expired: false };
        let servers = vec![
            ("good", known.sign_server_of(&good, false)),
            ("good", known.sign_server_of(&good, false)),
            ("good with URI", known.sign_server_of(&["server.test", "127.0.0.1", URI], false)),
            ("between", between.sign_server_of(&good, false).followed_by(&between.certificate)),
            ("between alone", between.sign_server_of(&good, false)),
            ("expired", known.sign_server_of(&good, true)),
            ("misnamed", known.sign_server_of(&["wrong.test"], false)),
            ("wild", known.sign_server_of(&["*.server.test"], false)),
            ("URI alone", known.sign_server_of(&[URI], false)),
            ("expired with URI", known.sign_server_of(&[URI, "127.0.0.1"], true)),
            ("client's", known.sign("127.0.0.1", false)),
            ("other's", other.sign_server_of(&good, false)),
            ("other's with URI", other.sign_server_of(&["127.0.0.1", URI], false)),
            ("self-signed", Certificate::made(&itself)),
        ];
        let pem = |authority: &Authority| authority.certificate.certificate_pem.clone();
        let mut files = vec![
            ("known.pem".to_owned(), pem(&known)),
            ("other.pem".to_owned(), pem(&other)),
            ("both.pem".to_owned(), format!("{}{}", pem(&other), pem(&known))),
            ("itself.pem".to_owned(), servers[servers.len() - 1].1.certificate_pem.clone()),
            ("nobody.pem".to_owned(), "nobody".to_owned()),
        ];
        let shown = [
            ("client", clients.sign("client", false)),
            ("late", clients.sign("late", true)),
            ("stranger", other.sign("stranger", false)),
        ];
        for (name, certificate) in shown {
            files.push((format!("{name}.pem"), certificate.certificate_pem.clone()));
            files.push((format!("{name}.key"), certificate.key_pem.clone()));
        }
        Self { clients, servers, files, known: pem(&known) }
    }

    /// A server's TLS, and what it is.
    pub(super) fn server(&self, random: &mut Random) -> (Arc<ServerConfig>, String) {
        let usual = if random.once_in(2) { 3 } else { self.servers.len() };
        let (name, certificate) = &self.servers[random.below(usual)];
        let (versions, spoken): (&[&rustls::SupportedProtocolVersion], _) = match random.below(6) {
            0 => (&[&rustls::version::TLS12], "TLS 1.2"),
            1 => (&[&rustls::version::TLS13], "TLS 1.3"),
            _ => (rustls::ALL_VERSIONS, "TLS"),
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .expect("versions");
        let asks = *random.pick(&["nothing", "nothing", "nothing", "perhaps", "certificate"]);
        let builder = match asks {
            "nothing" => builder.with_no_client_auth(),
            _ => {
                let mut roots = RootCertStore::empty();
                let der = self.clients.certificate.certificate_der.clone();
                roots.add(CertificateDer::from(der)).expect("an authority");
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier =
                    if asks == "perhaps" { verifier.allow_unauthenticated() } else { verifier };
                builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
            }
        };
        let (chain, key) = certificate.identity();
        let mut config = builder.with_single_cert(chain, key).expect("a key");
        let offered: &[&str] = match random.below(5) {
            0 => &["h2"],
            1 => &["h2", "http/1.1"],
            2 => &["http/1.1"],
            3 => &["http/1.1", "h2"],
            _ => &[],
        };
        config.alpn_protocols = offered.iter().map(|one| one.as_bytes().to_vec()).collect();
        (Arc::new(config), format!("{name}, {spoken}, asks {asks}, offers {offered:?}"))
    }
}
