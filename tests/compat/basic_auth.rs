//! `basicAuth`: hashes, realms, headers, files and malformed credentials.

use portway_testkit::process::Setup;

use super::differences::Difference;
use super::pair::{Case, Pair};

/// `test` has `test` in MD5-crypt, `sha` has `test` in SHA-1, `bcrypt` has `test` at cost 4.
const DYNAMIC: &str = r#"
http:
  routers:
    plain: {rule: "Host(`plain.test`)", service: s, middlewares: [plain]}
    realm: {rule: "Host(`realm.test`)", service: s, middlewares: [realm]}
    quoted: {rule: "Host(`quoted.test`)", service: s, middlewares: [quoted]}
    field: {rule: "Host(`field.test`)", service: s, middlewares: [field]}
    lower: {rule: "Host(`lower.test`)", service: s, middlewares: [lower]}
    removed: {rule: "Host(`removed.test`)", service: s, middlewares: [removed]}
    file: {rule: "Host(`file.test`)", service: s, middlewares: [file]}
    both: {rule: "Host(`both.test`)", service: s, middlewares: [both]}
    twice: {rule: "Host(`twice.test`)", service: s, middlewares: [twice]}
    stacked: {rule: "Host(`stacked.test`)", service: s, middlewares: [plain, realm]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
  middlewares:
    plain:
      basicAuth:
        users:
          - "test:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/"
          - "admin:$apr1$.E0xwugA$R0f./9ZwI5vVDS2Gav.kD/"
          - "sha:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="
          - "bcrypt:$2a$04$BAPs1lvrzFjwbL3c5U48QOZQ9HMgIUm/auE4nfT0aN9uyZnvv5DNG"
          - "bcrypty:$2y$04$BAPs1lvrzFjwbL3c5U48QOZQ9HMgIUm/auE4nfT0aN9uyZnvv5DNG"
          - "bcryptb:$2b$04$BAPs1lvrzFjwbL3c5U48QOZQ9HMgIUm/auE4nfT0aN9uyZnvv5DNG"
          - "bcryptbad:$2a$99$BAPs1lvrzFjwbL3c5U48QOZQ9HMgIUm/auE4nfT0aN9uyZnvv5DNG"
          - "bcryptshort:$2a$04$BAPs"
          - "one:$1$7f5c3b0e$S25WI1p.QnvIuFlAUoK0b1"
          - "text:test"
          - "none:"
          - "md:$1$abc$"
          - "five:$5$rounds=1000$salt$hash"
    realm: {basicAuth: {realm: "members only", users: ["test:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/"]}}
    quoted: {basicAuth: {realm: "say \"hi\" \\ é", users: ["test:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/"]}}
    field: {basicAuth: {headerField: X-WebAuth-User, users: ["test:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/"]}}
    lower: {basicAuth: {headerField: x-web-user, users: ["test:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/"]}}
    removed: {basicAuth: {removeHeader: true, users: ["test:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/"]}}
    file: {basicAuth: {usersFile: "@@folder@@/dynamic/users.htpasswd"}}
    both: {basicAuth: {usersFile: "@@folder@@/dynamic/users.htpasswd", users: ["test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=", "inline:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="]}}
    twice: {basicAuth: {users: ["test:{SHA}AAAA", "test:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/"]}}
"#;

/// `file` has `test`; comments, blank lines and spaces as people leave them.
const USERS: &str =
    "# people\n\nfile:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/\r\n  \ntest:{SHA}AAAA\n";

/// Credentials before base64.
const CREDENTIALS: &[&str] = &[
    "test:test",
    "test:wrong",
    "test:",
    ":test",
    ":",
    "test",
    "",
    "sha:test",
    "sha:Test",
    "bcrypt:test",
    "bcrypt:wrong",
    "bcrypty:test",
    "bcryptb:test",
    "bcryptbad:test",
    "bcryptshort:test",
    "admin:admin",
    "one:test",
    "text:test",
    "none:",
    "md:",
    "md:test",
    "five:test",
    "nobody:test",
    "TEST:test",
    "test:test:x",
    "test: test",
    "té:st",
    "test:test\n",
    "file:test",
    "inline:test",
];

/// Whole Authorization values.
const VALUES: &[&str] = &[
    "",
    "Basic",
    "Basic ",
    "basic dGVzdDp0ZXN0",
    "BASIC dGVzdDp0ZXN0",
    "Basic  dGVzdDp0ZXN0",
    "Basic\tdGVzdDp0ZXN0",
    "Basic dGVzdDp0ZXN0 ",
    "Basic dGVzdDp0ZXN0,",
    "Basic dGVzdDp0ZXN",
    "Basic dGVzdDp0ZXN0=",
    "Basic dGVzdDp0ZXN0====",
    "Basic !!!!",
    "Basic dGV zdDp0ZXN0",
    "Bearer dGVzdDp0ZXN0",
    "Digest username=test",
    "dGVzdDp0ZXN0",
    "Basic: dGVzdDp0ZXN0",
    "BasicdGVzdDp0ZXN0",
    "Basic dGVzdDp0ZXN0=x",
    "Basic dGVzdDp_ZXN0",
    "Basic dGVzdDp0ZXN0\tx",
];

#[test]
fn basic_auth_answers_as_traefik_does() {
    let mut setup = Setup::web(DYNAMIC);
    setup.files.push(("users.htpasswd".to_owned(), USERS.to_owned()));
    let Some(mut pair) = Pair::start(&setup, 1) else { return };
    for host in ["plain.test", "file.test", "both.test", "twice.test"] {
        for credentials in CREDENTIALS {
            pair.compare(&asking(host, credentials));
        }
    }
    for host in
        ["realm.test", "quoted.test", "field.test", "lower.test", "removed.test", "stacked.test"]
    {
        for credentials in ["test:test", "test:wrong"] {
            pair.compare(&asking(host, credentials));
        }
        pair.compare(&Case::get(host, "/", ""));
    }
    for value in VALUES {
        pair.compare(&Case::get("plain.test", "/", &format!("Authorization: {value}\r\n")));
    }
    let good = "Authorization: Basic dGVzdDp0ZXN0\r\n";
    let bad = "Authorization: Basic dGVzdDp3cm9uZw==\r\n";
    pair.compare(&Case::get("plain.test", "/", &format!("{good}{bad}")));
    pair.compare(&Case::get("plain.test", "/", &format!("{bad}{good}")));
    pair.compare(&Case::get(
        "field.test",
        "/",
        &format!("{good}X-WebAuth-User: evil\r\nX-Webauth-User: e\r\n"),
    ));
    pair.compare(&Case::get(
        "lower.test",
        "/",
        &format!("{good}x-web-user: evil\r\nX-Web-User: evil\r\n"),
    ));
    pair.compare(&Case::get("removed.test", "/", &format!("{good}{bad}")));
    pair.compare(&Case::request("HEAD", "plain.test", "/", "", ""));
    pair.compare(&Case::request("OPTIONS", "plain.test", "/", "", ""));
    pair.compare(&Case::request("POST", "plain.test", "/", "", "a body nobody reads").watched());
    pair.compare(&Case::request("POST", "plain.test", "/", good, "a body").watched());
    let userinfo = Case::get("plain.test", "http://test:test@plain.test/", "");
    pair.compare(&userinfo.refusal(Difference::RefusesAmbiguous));
    pair.finish();
}

fn asking(host: &str, credentials: &str) -> Case<'static> {
    let value = base64(credentials.as_bytes());
    let mut case = Case::get(host, "/path?query", &format!("Authorization: Basic {value}\r\n"));
    case.rename(&format!("{host} {credentials:?}"));
    case
}

/// Base64 with padding (RFC 4648 §4).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let block = [group[0], *group.get(1).unwrap_or(&0), *group.get(2).unwrap_or(&0)];
        let bits = u32::from_be_bytes([0, block[0], block[1], block[2]]);
        for position in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * position)) as usize & 63];
            text.push(if position > group.len() { '=' } else { char::from(letter) });
        }
    }
    text
}
