//! Certificates and options that change while connections come.

use std::time::{Duration, Instant};

use portway_testkit::certificate::Certificate;
use portway_testkit::client::{Client, Sessions, Tls};
use portway_testkit::process::Setup;

use super::super::pair::{Pair, Side};

const PATIENCE: Duration = Duration::from_secs(10);

fn dynamic(options: &str) -> String {
    format!(
        "http:\n  routers:\n    r: {{rule: \"Host(`live.test`)\", service: noop@internal, tls: {{options: o}}}}\n\
         tls:\n  certificates:\n    - {{certFile: \"@@folder@@/dynamic/own.pem\", keyFile: \"@@folder@@/dynamic/own.key\"}}\n\
         \x20 options:\n    o: {{{options}}}\n"
    )
}

/// Waits until the side shows this certificate.
fn shows(side: &Side, certificate: &Certificate) {
    let begun = Instant::now();
    loop {
        let client = Client::connect_tls(side.process.address("web"), &Tls::to("live.test"));
        let shown = client.map(|client| client.peer_certificates());
        if shown.is_ok_and(|chain| chain.first() == Some(&certificate.certificate_der)) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "not shown: {}", side.process.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn is_let_in(side: &Side, tls: &Tls<'_>) -> bool {
    let Ok(mut client) = Client::connect_tls(side.process.address("web"), tls) else {
        return false;
    };
    client.ask("GET / HTTP/1.1\r\nHost: live.test\r\nConnection: close\r\n\r\n").is_ok()
}

#[test]
fn certificates_and_options_change_live_as_in_traefik() {
    let (first, second) =
        (Certificate::for_names(&["live.test"]), Certificate::for_names(&["*.test"]));
    let mut setup = Setup::web(&dynamic(""));
    setup.files.push(("own.pem".to_owned(), first.certificate_pem.clone()));
    setup.files.push(("own.key".to_owned(), first.key_pem.clone()));
    let Some(mut pair) = Pair::start(&setup, 0) else { return };
    for side in &mut pair.sides {
        shows(side, &first);
        // Kept from before: what is asked of clients from now on is asked of them, too.
        let sessions = Tls { sessions: Some(Sessions::default()), ..Tls::to("live.test") };
        assert!(is_let_in(side, &sessions));
        side.process.write_quietly("own.pem", &second.certificate_pem);
        side.process.write_quietly("own.key", &second.key_pem);
        let guarded = dynamic("clientAuth: {clientAuthType: RequireAnyClientCert}");
        side.process.reload("dynamic.yml", &guarded);
        let begun = Instant::now();
        while is_let_in(side, &Tls::to("live.test")) {
            assert!(begun.elapsed() < PATIENCE, "still open: {}", side.process.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(!is_let_in(side, &sessions), "a session of before passes without a certificate");
        let identity = Some(Certificate::for_names(&["client"]));
        let known = Tls { identity, ..Tls::to("live.test") };
        let client = Client::connect_tls(side.process.address("web"), &known).expect("a client");
        assert_eq!(client.peer_certificates()[0], second.certificate_der);
    }
    pair.count();
    pair.finish();
}
