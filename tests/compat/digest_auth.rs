//! `digestAuth`: challenges, credentials right and wrong, counts of uses.

use md5::{Digest as _, Md5};
use portway_testkit::client::{Client, Response};
use portway_testkit::process::Setup;

use super::differences::Difference;
use super::pair::{Case, Pair, Side};
use super::told;

/// The user `test` has the password `test`, `other` another realm.
const DYNAMIC: &str = r#"
http:
  routers:
    plain: {rule: "Host(`plain.test`)", service: s, middlewares: [plain]}
    realm: {rule: "Host(`realm.test`)", service: s, middlewares: [realm]}
    hidden: {rule: "Host(`hidden.test`)", service: s, middlewares: [outer, hidden]}
    stripped: {rule: "Host(`stripped.test`)", service: s, middlewares: [strip, plain]}
    badline: {rule: "Host(`badline.test`)", service: s, middlewares: [badline]}
    longline: {rule: "Host(`longline.test`)", service: s, middlewares: [longline]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
  middlewares:
    plain: {digestAuth: {users: ["test:traefik:a2688e031edb4be6a3797f3882655c05", "other:elsewhere:00", "empty:traefik:"]}}
    realm: {digestAuth: {realm: elsewhere, users: ["test:traefik:a2688e031edb4be6a3797f3882655c05", "other:elsewhere:a2688e031edb4be6a3797f3882655c05"]}}
    hidden: {digestAuth: {removeHeader: true, headerField: X-User, users: ["test:traefik:a2688e031edb4be6a3797f3882655c05"]}}
    outer: {headers: {customResponseHeaders: {X-Outer: "1"}}}
    strip: {stripPrefix: {prefixes: [/a]}}
    badline: {digestAuth: {users: ["test:a2688e031edb4be6a3797f3882655c05"]}}
    longline: {digestAuth: {users: ["a:b:c:d"]}}
"#;

const SECRET: &str = "a2688e031edb4be6a3797f3882655c05";

/// What differs from right credentials, by name; the values are in quotes unless they are of `BARE`.
const CHANGES: &[(&str, &[(&str, &str)])] = &[
    ("plain.test", &[]),
    ("hidden.test", &[]),
    ("stripped.test", &[]),
    ("stripped.test", &[("uri", "/b?c=d")]),
    ("realm.test", &[("username", "other")]),
    ("realm.test", &[]),
    ("plain.test", &[("username", "nobody")]),
    ("plain.test", &[("username", "nobody"), ("secret", "")]),
    ("plain.test", &[("username", "other"), ("secret", "00")]),
    ("plain.test", &[("username", "")]),
    ("plain.test", &[("secret", "")]),
    ("plain.test", &[("secret", "00")]),
    ("plain.test", &[("response", "00")]),
    ("plain.test", &[("realm", "elsewhere")]),
    ("plain.test", &[("opaque", "x")]),
    ("plain.test", &[("nonce", "x")]),
    ("plain.test", &[("algorithm", "MD5")]),
    ("plain.test", &[("algorithm", "md5")]),
    ("plain.test", &[("algorithm", "SHA-256")]),
    ("plain.test", &[("qop", "auth-int")]),
    ("plain.test", &[("qop", "")]),
    ("plain.test", &[("uri", "/a/b")]),
    ("plain.test", &[("uri", "/a")]),
    ("plain.test", &[("uri", "")]),
    ("plain.test", &[("uri", "/a/b?other")]),
    ("plain.test", &[("uri", "/a/b/c")]),
    ("plain.test", &[("uri", "/x")]),
    ("plain.test", &[("uri", "http://plain.test/a")]),
    ("plain.test", &[("uri", "/%zz")]),
    ("plain.test", &[("nc", "1")]),
    ("plain.test", &[("nc", "x")]),
    ("plain.test", &[("nc", "+1")]),
    ("plain.test", &[("nc", "")]),
    ("plain.test", &[("nc", "00000000")]),
    ("plain.test", &[("nc", "ffffffffffffffffff")]),
    ("plain.test", &[("cnonce", "")]),
    ("plain.test", &[("scheme", "digest")]),
    ("plain.test", &[("scheme", "Basic")]),
];

/// Counts of uses of one nonce, one after the other.
const COUNTS: &[&str] = &["2", "2", "1", "3", "0", "a", "0000000B", "b"];

#[test]
fn digests_are_checked_as_by_traefik() {
    let Some(mut pair) = Pair::start(&Setup::web(DYNAMIC), 1) else { return };
    for (host, changes) in CHANGES {
        let texts = pair.sides.each_ref().map(|side| {
            let (_, challenge) = ask(side, host, "");
            let (text, _) = ask(side, host, &credentials(&challenge, changes));
            side.anonymous(&text)
        });
        pair.compare_texts(&format!("{host} {changes:?}"), texts);
    }
    let texts = pair.sides.each_ref().map(|side| {
        let (mut text, challenge) = ask(side, "plain.test", "");
        for count in COUNTS {
            text.push_str(&ask(side, "plain.test", &credentials(&challenge, &[("nc", count)])).0);
        }
        side.anonymous(&text)
    });
    pair.compare_texts("counts", texts);
    for fields in ["", "Authorization: Digest\r\n", "Authorization: Digest x\r\n"] {
        let texts = pair.sides.each_ref().map(|side| ask(side, "hidden.test", fields).0);
        pair.compare_texts(fields, texts);
    }
    for host in ["badline.test", "longline.test"] {
        pair.compare(&Case::get(host, "/", "").differs(Difference::KeepsItsClaim));
    }
    told::compare(&mut pair, &["plain", "realm", "hidden", "badline", "longline"]);
    pair.finish();
}

/// What is seen of a request for `/a/b?c=d`, without what is different every time, and the challenge.
fn ask(side: &Side, host: &str, fields: &str) -> (String, String) {
    let mut client = Client::connect(side.process.address("web")).expect("a connection");
    let message = format!("GET /a/b?c=d HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n");
    let response: Response = client.ask(message).expect("an answer");
    let challenge = response.headers.value("Www-Authenticate").unwrap_or_default().to_owned();
    let mut shown = response.headers.sorted();
    shown.retain(|(name, _)| name != "date");
    for (_, value) in &mut shown {
        for name in ["nonce", "opaque"] {
            if let Some(random) = parameter(&challenge, name) {
                assert_eq!(random.len(), 16, "{challenge}");
                *value = value.replace(&random, name);
            }
        }
    }
    let mut text = format!("{} {shown:?} {:?}\n", response.status, response.text());
    for (_, received) in side.received() {
        let mut fields = received.head.headers.sorted();
        fields.retain(|(name, _)| ["authorization", "x-user"].contains(&name.as_str()));
        for (_, value) in &mut fields {
            *value = value.chars().take(16).collect();
        }
        text.push_str(&format!("received {fields:?}\n"));
    }
    (text, challenge)
}

/// Credentials for a challenge, with these values changed before the response is computed.
fn credentials(challenge: &str, changes: &[(&str, &str)]) -> String {
    let change = |name: &str| changes.iter().find(|(changed, _)| *changed == name);
    let value = |name: &str, usual: &str| change(name).map_or(usual, |(_, value)| value).to_owned();
    let given = |name: &str| value(name, &parameter(challenge, name).unwrap_or_default());
    let (user, secret) = (value("username", "test"), value("secret", SECRET));
    let (nonce, opaque) = (given("nonce"), given("opaque"));
    let (count, own) = (value("nc", "00000001"), value("cnonce", "own"));
    let (qop, uri) = (value("qop", "auth"), value("uri", "/a/b?c=d"));
    let realm = value("realm", "traefik");
    let asked = hash(&format!("GET:{uri}"));
    let response = hash(&format!("{secret}:{nonce}:{count}:{own}:{qop}:{asked}"));
    let response = value("response", &response);
    let algorithm =
        change("algorithm").map(|(_, name)| format!(", algorithm={name}")).unwrap_or_default();
    format!(
        "Authorization: {} username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", qop={qop}, \
         nc={count}, cnonce=\"{own}\", response=\"{response}\", opaque=\"{opaque}\"{algorithm}\r\n",
        value("scheme", "Digest")
    )
}

fn parameter(challenge: &str, name: &str) -> Option<String> {
    let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

fn hash(text: &str) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
