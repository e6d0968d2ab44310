use std::time::Duration;

use portway_model::dynamic;

use super::*;
use crate::testing::{context, get, listed, shown};

const SHA: &str = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=";
const MD5: &str = "$apr1$12345678$0lqb/6VUFP8JY/s/jTrIk0";
const BCRYPT: &str = "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

/// `u:secret`, `u:nope`, `x:secret`.
const RIGHT: &str = "Basic dTpzZWNyZXQ=";
const WRONG: &str = "Basic dTpub3Bl";
const UNKNOWN: &str = "Basic eDpzZWNyZXQ=";

fn with_users(users: &[&str]) -> dynamic::BasicAuth {
    let users = users.iter().map(|&line| line.to_owned()).collect();
    dynamic::BasicAuth { users, ..Default::default() }
}

fn with_hash(hash: &str) -> BasicAuth {
    compiled(&with_users(&[&format!("u:{hash}")]))
}

fn compiled(config: &dynamic::BasicAuth) -> BasicAuth {
    BasicAuth::compile(config, &mut Vec::new()).unwrap()
}

fn problems(config: &dynamic::BasicAuth) -> (bool, Vec<String>) {
    let mut problems = Vec::new();
    let compiled = BasicAuth::compile(config, &mut problems).is_some();
    (compiled, shown(&problems))
}

/// Status, 200 for a request that passes, and the user for the log.
async fn outcome(filter: &BasicAuth, fields: &[(&str, &str)]) -> (u16, String) {
    let mut context = context();
    let status = match filter.on_request(&mut get("/", fields), &mut context).await {
        Flow::Continue => 200,
        Flow::Respond(answer) => answer.status.code(),
    };
    (status, context.username.unwrap())
}

#[tokio::test]
async fn credentials_decide() {
    for hash in [SHA, MD5, BCRYPT] {
        let filter = with_hash(hash);
        for (value, status, user) in [
            (RIGHT, 200, "u"),
            (WRONG, 401, "u"),
            (UNKNOWN, 401, "x"),
            (RIGHT, 200, "u"),
            ("Basic", 401, ""),
        ] {
            let outcome = outcome(&filter, &[("Authorization", value)]).await;
            assert_eq!(outcome, (status, user.to_owned()), "{hash} {value}");
        }
        assert_eq!(outcome(&filter, &[]).await, (401, String::new()));
    }
}

#[tokio::test]
async fn the_first_of_several_fields_counts() {
    let filter = with_hash(SHA);
    let right_first = [("Authorization", RIGHT), ("Authorization", WRONG)];
    assert_eq!(outcome(&filter, &right_first).await.0, 200);
    let wrong_first = [("Authorization", WRONG), ("Authorization", RIGHT)];
    assert_eq!(outcome(&filter, &wrong_first).await.0, 401);
}

#[tokio::test]
async fn the_challenge_is_that_of_traefik() {
    let config = dynamic::BasicAuth { realm: "My \"é\"".to_owned(), ..with_users(&["u:x"]) };
    for (config, header) in [
        (with_users(&["u:x"]), "Www-Authenticate: Basic realm=\"traefik\""),
        (config, "Www-Authenticate: Basic realm=\"My \"é\"\""),
    ] {
        let flow = compiled(&config).on_request(&mut get("/", &[]), &mut context()).await;
        let Flow::Respond(answer) = flow else { panic!("passed") };
        assert_eq!(listed(&answer.headers), ["Content-Type: text/plain", header]);
        assert_eq!(
            (answer.status, answer.body.as_ref()),
            (Status::UNAUTHORIZED, &b"401 Unauthorized\n"[..])
        );
    }
}

#[tokio::test]
async fn servers_see_the_user_under_the_name_as_written() {
    let config = dynamic::BasicAuth {
        header_field: "x-weBauth-User".to_owned(),
        remove_header: true,
        ..with_users(&[&format!("u:{SHA}")])
    };
    let fields = [("X-Webauth-User", "evil"), ("X-WEBAUTH-USER", "evil"), ("Authorization", RIGHT)];
    let mut request = get("/", &fields);
    let flow = compiled(&config).on_request(&mut request, &mut context()).await;
    assert!(matches!(flow, Flow::Continue));
    assert_eq!(listed(&request.headers), ["x-weBauth-User: u"]);
}

#[tokio::test]
async fn credentials_go_on_unless_they_are_to_be_removed() {
    let mut request = get("/", &[("Authorization", RIGHT)]);
    let flow = with_hash(SHA).on_request(&mut request, &mut context()).await;
    assert!(matches!(flow, Flow::Continue));
    assert_eq!(listed(&request.headers), [format!("Authorization: {RIGHT}")]);
}

#[tokio::test]
async fn a_verified_credential_is_remembered_and_a_refused_one_is_not() {
    for hash in [MD5, BCRYPT] {
        let filter = with_hash(hash);
        let known = |password: &[u8]| {
            let print = filter.remembered.fingerprint(&[hash.as_bytes(), b"u", password]);
            let later = Instant::now() + Duration::from_secs(30);
            filter.remembered.knows(&print, later)
        };
        assert!(!known(b"secret"));
        assert_eq!(outcome(&filter, &[("Authorization", WRONG)]).await.0, 401);
        assert_eq!(outcome(&filter, &[("Authorization", RIGHT)]).await.0, 200);
        assert!(known(b"secret") && !known(b"nope"));
        // A stand-in's password is right for nobody.
        assert_eq!(outcome(&filter, &[("Authorization", UNKNOWN)]).await.0, 401);
        assert_eq!(outcome(&filter, &[("Authorization", UNKNOWN)]).await.0, 401);
    }
}

#[tokio::test]
async fn a_full_pool_is_answered_with_503() {
    let pool = PasswordPool::new(1, 2).unwrap();
    let slow = "u:$2y$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    let filter = compiled(&with_users(&[slow]));
    let attempt = async |password: &str| {
        use base64::Engine as _;
        let text = format!("u:{password}");
        let value = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text));
        let plain = context();
        let mut context = Context::new(plain.tls, plain.client, plain.now, &pool);
        let mut request = get("/", &[("Authorization", &value)]);
        match filter.on_request(&mut request, &mut context).await {
            Flow::Continue => 200,
            Flow::Respond(answer) => answer.status.code(),
        }
    };
    let statuses = tokio::join!(attempt("a"), attempt("b"), attempt("c"), attempt("d"));
    let statuses = [statuses.0, statuses.1, statuses.2, statuses.3];
    assert!(statuses.contains(&503), "{statuses:?}");
    assert!(statuses.contains(&401), "{statuses:?}");
}

#[tokio::test]
async fn a_password_beyond_any_reason_never_matches() {
    use base64::Engine as _;
    let long = base64::engine::general_purpose::STANDARD.encode(format!("u:{}", "x".repeat(5000)));
    let value = format!("Basic {long}");
    assert_eq!(outcome(&with_hash(BCRYPT), &[("Authorization", &value)]).await.0, 401);
}

#[test]
fn unknown_users_are_compared_with_a_hash_that_is_always_the_same() {
    let filter =
        compiled(&with_users(&[&format!("a:{SHA}"), &format!("b:{MD5}"), &format!("c:{BCRYPT}")]));
    let mut met = [false; 3];
    for number in 0..100 {
        let user = format!("user{number}");
        let stand_in = filter.stand_in(user.as_bytes()).unwrap();
        assert_eq!(filter.stand_in(user.as_bytes()), Some(stand_in));
        met[stand_in] = true;
    }
    assert_eq!(met, [true; 3]);
}

#[tokio::test]
async fn later_lines_win_and_inline_ones_over_the_file() {
    let config = dynamic::BasicAuth {
        users_of_file: vec![
            "# comment:x".to_owned(),
            String::new(),
            format!("  u:{SHA} \r"),
            format!("v:{SHA}"),
        ],
        ..with_users(&["u:plain"])
    };
    let filter = compiled(&config);
    assert_eq!(outcome(&filter, &[("Authorization", RIGHT)]).await.0, 401);
    assert_eq!(outcome(&filter, &[("Authorization", "Basic djpzZWNyZXQ=")]).await.0, 200);
    let filter = compiled(&with_users(&["u:plain", &format!("u:{SHA}")]));
    assert_eq!(outcome(&filter, &[("Authorization", RIGHT)]).await.0, 200);
}

#[test]
fn malformed_lines_are_refused_without_showing_secrets() {
    for (line, message) in [
        ("broken", "error parsing BasicUser: broken"),
        ("u:$apr1$x:y", "error parsing BasicUser: u:…"),
        (
            "$apr1$12345678$0lqb/6VUFP8JY/s/jTrIk0",
            "error parsing BasicUser: … (a line must be user:hash)",
        ),
        ("dTokYXByMSQxMjM0NTY3OA", "error parsing BasicUser: … (a line must be user:hash)"),
        ("# comment", "error parsing BasicUser: … (a line must be user:hash)"),
        ("", "error parsing BasicUser: "),
    ] {
        let expected = format!("Error {message}");
        assert_eq!(problems(&with_users(&["a:b", line])), (false, vec![expected]));
    }
}

#[test]
fn no_user_at_all_is_refused() {
    let config = dynamic::BasicAuth { users_file: "/f".to_owned(), ..Default::default() };
    assert_eq!(problems(&config), (false, vec!["Error no users found in /f".into()]));
}

#[test]
fn a_hash_that_nothing_matches_is_a_warning() {
    let (used, shown) = problems(&with_users(&["u:plain"]));
    assert!(used);
    assert!(
        shown[0].starts_with("Warning basicAuth.users[0]: the hash of user u is none of"),
        "{shown:?}"
    );
    assert!(!shown[0].contains("plain"));
}

#[test]
fn a_cost_that_would_block_everybody_is_refused() {
    let line = "u:$2y$17$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    let (used, shown) = problems(&with_users(&[line]));
    assert!(!used);
    assert!(shown[0].contains("the bcrypt cost of user u is 17"), "{shown:?}");
}

#[test]
fn header_fields_of_the_proxy_are_left_to_it() {
    let config = |name: &str| dynamic::BasicAuth {
        header_field: name.to_owned(),
        ..with_users(&[&format!("u:{SHA}")])
    };
    for name in ["Host", "content-length", "Transfer-Encoding"] {
        let expected =
            format!("Warning basicAuth.headerField: ignored: {name} is for the proxy to set");
        assert_eq!(problems(&config(name)), (true, vec![expected]));
    }
    let expected = "Error basicAuth.headerField: \"X User\" is no header name".to_owned();
    assert_eq!(problems(&config("X User")), (false, vec![expected]));
}

#[test]
fn nothing_secret_is_shown_for_debugging() {
    let shown = format!("{:?}", with_hash(BCRYPT));
    assert!(!shown.contains("2a") && shown.contains("users: 1"), "{shown}");
}
