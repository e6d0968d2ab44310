use super::*;
use crate::testing::{context, get, listed, shown as problems_shown};

/// Of user `test` with password `test` in realm `traefik`.
const LINE: &str = "test:traefik:a2688e031edb4be6a3797f3882655c05";
const SECRET: &str = "a2688e031edb4be6a3797f3882655c05";

fn config(users: &[&str]) -> dynamic::BasicAuth {
    let users = users.iter().map(|&user| user.to_owned()).collect();
    dynamic::BasicAuth { users, ..Default::default() }
}

fn compiled(config: &dynamic::BasicAuth) -> DigestAuth {
    DigestAuth::compile(config, &mut Vec::new()).unwrap()
}

/// The nonce that a client is given.
fn nonce(filter: &DigestAuth) -> String {
    let Flow::Respond(answer) = filter.on_request(&mut get("/", &[]), &mut context()) else {
        panic!("let in")
    };
    let challenge = answer.headers.get_str(Known::WwwAuthenticate).unwrap().to_owned();
    challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

/// What becomes of a request for `/a/b?c` with credentials: `in`, `stale` or `out`.
fn outcome(
    filter: &DigestAuth,
    nonce: &str,
    user: &str,
    secret: &str,
    uri: &str,
    count: &str,
) -> &'static str {
    let response = hash(&[secret, nonce, count, "c", "auth", &hash(&["GET", uri])]);
    let field = format!(
        "Digest username=\"{user}\", realm=\"traefik\", nonce=\"{nonce}\", uri=\"{uri}\", qop=auth, \
         nc={count}, cnonce=\"c\", response=\"{response}\", opaque=\"{}\"",
        filter.opaque
    );
    let mut context = context();
    let mut request = get("/a/b?c", &[("Authorization", &field)]);
    let flow = filter.on_request(&mut request, &mut context);
    assert_eq!(context.username.as_deref(), Some(user).filter(|user| !user.is_empty()));
    match flow {
        Flow::Continue => "in",
        Flow::Respond(answer) => {
            let challenge = answer.headers.get_str(Known::WwwAuthenticate).unwrap();
            if challenge.contains("stale=\"true\"") { "stale" } else { "out" }
        }
    }
}

#[test]
fn whoever_says_nothing_is_challenged() {
    let filter = compiled(&config(&[LINE]));
    for fields in [&[][..], &[("Authorization", "Basic dGVzdDp0ZXN0")]] {
        let mut context = context();
        let Flow::Respond(answer) = filter.on_request(&mut get("/", fields), &mut context) else {
            panic!("let in")
        };
        assert_eq!((answer.status.code(), answer.body.as_ref()), (401, &b"401 Unauthorized\n"[..]));
        let fields = listed(&answer.headers);
        assert_eq!(fields[0], "Content-Type: text/plain");
        assert!(fields[1].starts_with("Www-Authenticate: Digest realm=\"traefik\", nonce=\""));
        assert!(fields[1].ends_with("algorithm=\"MD5\", qop=\"auth\""), "{}", fields[1]);
        assert_eq!(context.username, None);
    }
}

#[test]
fn right_credentials_are_let_in_and_each_use_once() {
    let filter = compiled(&config(&[LINE]));
    let nonce = nonce(&filter);
    for (count, expected) in [
        ("00000002", "in"),
        ("00000002", "out"),
        ("00000001", "stale"),
        ("0000000a", "in"),
        ("x", "out"),
        ("+b", "out"),
        ("", "out"),
    ] {
        assert_eq!(outcome(&filter, &nonce, "test", SECRET, "/a/b?c", count), expected, "{count}");
    }
    assert_eq!(outcome(&filter, "other", "test", SECRET, "/a/b?c", "1"), "out");
}

#[test]
fn nobody_else_is_let_in() {
    let filter = compiled(&config(&[LINE, "other:elsewhere:00"]));
    let nonce = nonce(&filter);
    for (user, secret) in [("test", ""), ("test", "00"), ("nobody", ""), ("other", "00"), ("", "")]
    {
        assert_eq!(outcome(&filter, &nonce, user, secret, "/a/b?c", "1"), "out", "{user}");
    }
    // The empty digest of a broken line is no password that somebody could know.
    let filter = compiled(&config(&["test:traefik:"]));
    let nonce = self::nonce(&filter);
    assert_eq!(outcome(&filter, &nonce, "test", "", "/a/b?c", "1"), "out");
}

#[test]
fn the_uri_is_that_of_the_request_or_a_beginning_of_its_path() {
    let filter = compiled(&config(&[LINE]));
    for (uri, expected) in [
        ("/a/b?c", "in"),
        ("/a/b", "in"),
        ("/a?x", "in"),
        ("", "in"),
        ("http://a.test/a", "in"),
        ("/a/b/c", "out"),
        ("/b", "out"),
        ("/%zz", "out"),
    ] {
        let nonce = nonce(&filter);
        assert_eq!(outcome(&filter, &nonce, "test", SECRET, uri, "1"), expected, "{uri}");
    }
}

#[test]
fn the_user_is_told_and_the_credentials_are_hidden_if_wanted() {
    let settings = dynamic::BasicAuth {
        header_field: "x-User".to_owned(),
        remove_header: true,
        ..config(&[LINE])
    };
    let filter = compiled(&settings);
    let nonce = nonce(&filter);
    let response = hash(&[SECRET, &nonce, "1", "c", "auth", &hash(&["GET", "/"])]);
    let field = format!(
        "Digest username=test,nonce={nonce},uri=/,qop=auth,nc=1,cnonce=c,response={response},opaque={}",
        filter.opaque
    );
    let mut request = get("/", &[("Authorization", &field), ("X-User", "mine")]);
    assert!(matches!(filter.on_request(&mut request, &mut context()), Flow::Continue));
    assert_eq!(listed(&request.headers), ["x-User: test"]);
}

#[test]
fn lines_that_are_none_are_refused_without_their_secret() {
    for (users, expected) in [
        (&["a:b"][..], "Error error parsing DigestUser: a:…"),
        (&[LINE, "a:b:c:d"], "Error error parsing DigestUser: a:…"),
        (&[], "Error no users found in "),
    ] {
        let mut problems = Vec::new();
        assert!(DigestAuth::compile(&config(users), &mut problems).is_none());
        assert_eq!(problems_shown(&problems), [expected]);
    }
}
