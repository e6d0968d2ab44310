//! `chain` and the order of middlewares.

use portway_testkit::process::Setup;

use super::pair::{Case, Pair};

const DYNAMIC: &str = r#"
http:
  routers:
    chained: {rule: "Host(`chained.test`)", service: s, middlewares: [chain]}
    reversed: {rule: "Host(`reversed.test`)", service: s, middlewares: [reversed]}
    nested: {rule: "Host(`nested.test`)", service: s, middlewares: [nested, mark]}
    repeated: {rule: "Host(`repeated.test`)", service: s, middlewares: [add, add, chain]}
    guarded: {rule: "Host(`guarded.test`)", service: s, middlewares: [guarded]}
    late: {rule: "Host(`late.test`)", service: s, middlewares: [late]}
    onservice: {rule: "Host(`onservice.test`)", service: s, middlewares: [mark, "add@file"]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
  middlewares:
    add: {addPrefix: {prefix: /one}}
    strip: {stripPrefix: {prefixes: [/one/a, /a]}}
    mark: {headers: {customRequestHeaders: {X-Mark: "1"}, customResponseHeaders: {X-Mark: "1"}}}
    deny: {basicAuth: {users: ["test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="], headerField: X-User, removeHeader: true}}
    redirect: {redirectScheme: {scheme: https}}
    chain: {chain: {middlewares: [strip, add, mark]}}
    reversed: {chain: {middlewares: [mark, "add@file", strip]}}
    nested: {chain: {middlewares: [chain, reversed]}}
    guarded: {chain: {middlewares: [mark, deny, chain]}}
    late: {chain: {middlewares: [add, redirect, deny]}}
"#;

#[test]
fn chains_run_in_the_order_of_traefik() {
    let Some(mut pair) = Pair::start(&Setup::web(DYNAMIC), 1) else { return };
    for host in ["chained", "reversed", "nested", "repeated", "guarded", "late", "onservice"] {
        let host = format!("{host}.test");
        for target in ["/", "/a", "/a/b", "/one/a/x", "/a%2Fb?x", "/b", "/one"] {
            pair.compare(&Case::get(&host, target, ""));
            pair.compare(&Case::get(
                &host,
                target,
                "Authorization: Basic dGVzdDp0ZXN0\r\nX-User: u\r\n",
            ));
        }
    }
    pair.finish();
}
