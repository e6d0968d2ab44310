//! OCSP stapling: what responders are asked, and which of their answers clients are shown.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use portway_testkit::backend::{Backend, Received, Step, script};
use portway_testkit::folder::Folder;
use portway_testkit::ocsp::{Authority, Saying, Signer, refusal, stapled};
use portway_testkit::process::{Process, Program, Setup, free_port};

use super::pair::{Pair, Side};

/// How long answers may take to be shown.
const PATIENCE: Duration = Duration::from_secs(10);

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

/// Answers as the path says.
fn responder() -> (&'static Authority, Backend) {
    // For both sides and all answers.
    let authority: &'static Authority = Box::leak(Box::new(Authority::new()));
    let saying = Saying { signer: Signer::Authority, from: now() - 60, to: Some(now() + 3600) };
    let backend = Backend::scripted(move |received: &Received| {
        let sign = |signer| authority.answer(&received.body, &Saying { signer, ..saying });
        let body = match received.path() {
            "/good" => sign(Signer::Authority),
            "/endless" => authority.answer(&received.body, &Saying { to: None, ..saying }),
            "/delegate" => sign(Signer::Delegate),
            "/stranger" => sign(Signer::Stranger),
            "/later" => refusal(3),
            "/damaged" => b"no answer".to_vec(),
            _ => return vec![Step::Write(script::response("404 Not Found", "", ""))],
        };
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        vec![Step::Write([head.into_bytes(), body].concat())]
    });
    (authority, backend)
}

/// Whom the certificates of which name tell to ask, and whether an answer is then shown.
const CERTIFICATES: &[(&str, &[&str], bool)] = &[
    ("good.test", &["/good"], true),
    ("endless.test", &["/endless"], true),
    ("delegate.test", &["/delegate"], true),
    ("second.test", &["/later", "/damaged", "/missing", "/good"], true),
    ("nobody.test", &[], false),
    ("stranger.test", &["/stranger"], false),
    ("later.test", &["/later"], false),
    ("missing.test", &["/missing"], false),
];

/// The configuration with a certificate for each name.
fn setup(authority: &Authority, responder: &Backend) -> Setup {
    let mut dynamic = "tls:\n  certificates:\n".to_owned();
    let mut setup = Setup::web("");
    for (name, paths, _) in CERTIFICATES {
        let urls: Vec<_> = paths.iter().map(|path| format!("{}{path}", responder.url())).collect();
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        let (chain, key) = authority.issue(name, &urls);
        setup.files.push((format!("{name}.pem"), chain));
        setup.files.push((format!("{name}.key"), key));
        let at = format!("@@folder@@/dynamic/{name}");
        dynamic.push_str(&format!("    - {{certFile: \"{at}.pem\", keyFile: \"{at}.key\"}}\n"));
    }
    dynamic.push_str(
        "http:\n  routers:\n    any: {rule: \"PathPrefix(`/`)\", service: noop@internal, \
         entryPoints: [web], tls: {}}\n",
    );
    setup.files.push(("certificates.yml".to_owned(), dynamic));
    setup.flag("--ocsp=true")
}

/// Which names are shown with an answer, once all that are to be are.
fn shown(side: &Side) -> String {
    let until = Instant::now() + PATIENCE;
    let address = side.process.address("web");
    let is_shown = |name: &str| !stapled(address, name).expect("a handshake").is_empty();
    let wanted = CERTIFICATES.iter().filter(|(.., wanted)| *wanted);
    for (name, ..) in wanted {
        while !is_shown(name) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    CERTIFICATES.iter().map(|(name, ..)| format!("{name}: {}\n", is_shown(name))).collect()
}

#[test]
fn responders_are_asked_and_their_answers_shown_as_by_traefik() {
    let (authority, responder) = responder();
    let setup = setup(authority, &responder);
    let Some(mut pair) = Pair::start(&setup, 0) else { return };
    let shown = [0, 1].map(|side: usize| shown(&pair.sides[side]));
    for (name, _, wanted) in CERTIFICATES {
        assert!(shown[0].contains(&format!("{name}: {wanted}\n")), "{}", shown[0]);
    }
    pair.compare_texts("names with an answer", shown);
    // Both ask the same in the same words; who is not answered is asked again with each change.
    let [mut portway, mut traefik] = [BTreeSet::new(), BTreeSet::new()];
    for received in responder.take() {
        let from_go = received.head.headers.value("User-Agent").is_some();
        if from_go { &mut traefik } else { &mut portway }.insert(question(received));
    }
    let all: usize = CERTIFICATES.iter().map(|(_, paths, _)| paths.len()).sum();
    assert_eq!(portway.len(), all, "{portway:?}");
    assert_eq!(portway, traefik);
    pair.finish();
}

/// What matters of a question.
fn question(received: Received) -> String {
    let kind = received.head.headers.value("Content-Type").unwrap_or_default().to_owned();
    format!("{} {kind} {:02x?}", received.head.line, received.body)
}

#[test]
fn others_are_asked_where_the_options_say_so() {
    let Some(traefik) = Program::traefik() else { return };
    let (authority, responder) = responder();
    let (chain, key) = authority.issue("a.test", &["http://responder.invalid/"]);
    let folder = Folder::new("ocsp");
    folder.write("a.pem", chain);
    folder.write("a.key", key);
    let at = folder.path().display();
    folder.write(
        "dynamic.yml",
        format!("tls: {{certificates: [{{certFile: \"{at}/a.pem\", keyFile: \"{at}/a.key\"}}]}}\n"),
    );
    for program in [crate::portway(), traefik] {
        let port = free_port();
        folder.write(
            "static.yml",
            format!(
                "entryPoints: {{web: {{address: '127.0.0.1:{port}', http: {{tls: {{}}}}}}}}\n\
                 providers: {{file: {{filename: {at}/dynamic.yml}}}}\n\
                 ocsp: {{responderOverrides: {{'http://responder.invalid/': '{}/good'}}}}\n",
                responder.url()
            ),
        );
        let flags = [format!("--configFile={at}/static.yml")];
        let process = Process::spawn_as_is(&program, &flags, &[], &[("web", port)]);
        let until = Instant::now() + PATIENCE;
        while !stapled(process.address("web"), "a.test").is_ok_and(|answer| !answer.is_empty()) {
            assert!(Instant::now() < until, "{program:?}: {}", process.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    let asked: Vec<_> = responder.take().into_iter().map(question).collect();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0], asked[1]);
}
