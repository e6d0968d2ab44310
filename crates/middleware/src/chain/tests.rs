use std::collections::BTreeMap;

use portway_http::{HeaderName, Known, Status};
use portway_model::dynamic;

use super::*;
use crate::testing::{context, get, listed, origin};

fn middleware(config: dynamic::Middleware) -> Arc<Middleware> {
    Arc::new(Middleware::compile(&config, &origin(), &mut Vec::new()).unwrap())
}

fn headers(request: &[(&str, &str)], response: &[(&str, &str)]) -> Arc<Middleware> {
    let map = |entries: &[(&str, &str)]| -> BTreeMap<String, String> {
        entries.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    let headers = dynamic::Headers {
        custom_request_headers: map(request),
        custom_response_headers: map(response),
        ..Default::default()
    };
    middleware(dynamic::Middleware::Headers(headers.into()))
}

fn basic_auth() -> Arc<Middleware> {
    middleware(dynamic::Middleware::BasicAuth(dynamic::BasicAuth {
        users: vec!["u:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=".to_owned()],
        ..Default::default()
    }))
}

fn add_prefix(prefix: &str) -> Arc<Middleware> {
    middleware(dynamic::Middleware::AddPrefix(dynamic::AddPrefix { prefix: prefix.to_owned() }))
}

fn strip_prefix(prefix: &str) -> Arc<Middleware> {
    let prefixes = vec![prefix.to_owned()];
    middleware(dynamic::Middleware::StripPrefix(dynamic::StripPrefix {
        prefixes,
        force_slash: None,
    }))
}

#[tokio::test]
async fn requests_meet_middlewares_in_order_and_twice_if_named_twice() {
    let chain = Chain::new(vec![
        add_prefix("/a"),
        add_prefix("/b"),
        strip_prefix("/b/a"),
        add_prefix("/a"),
    ]);
    let mut request = get("/x?y", &[]);
    chain.on_request(&mut request, &mut context()).await.unwrap();
    assert_eq!(request.target.request_uri(), "/a/x?y");
    assert_eq!(listed(&request.headers), ["X-Forwarded-Prefix: /b/a"]);
}

#[tokio::test]
async fn responses_meet_them_in_reverse() {
    let outer = headers(&[], &[("X-R", "outer"), ("X-Inner", "")]);
    let inner = headers(&[], &[("X-R", "inner"), ("X-Inner", "1")]);
    let mut response = Fields::new();
    Chain::new(vec![outer, inner]).on_response(&mut response, &get("/", &[]), false);
    assert_eq!(listed(&response), ["X-R: outer"]);
}

#[tokio::test]
async fn those_before_an_answer_change_it_and_those_after_do_not() {
    let outer = headers(&[], &[("X-Outer", "1"), ("Www-Authenticate", "")]);
    let inner = headers(&[], &[("X-Inner", "1")]);
    let chain = Chain::new(vec![outer, basic_auth(), inner, add_prefix("/a")]);
    let mut request = get("/x", &[]);
    let answer = chain.on_request(&mut request, &mut context()).await.unwrap_err();
    assert_eq!(answer.status, Status::UNAUTHORIZED);
    assert_eq!(listed(&answer.headers), ["Content-Type: text/plain", "X-Outer: 1"]);
    assert_eq!(request.target.request_uri(), "/x");
}

#[tokio::test]
async fn a_middleware_sees_what_those_before_it_changed() {
    let credentials = headers(&[("Authorization", "Basic dTpzZWNyZXQ=")], &[]);
    let chain = Chain::new(vec![credentials.clone(), basic_auth()]);
    let mut context = context();
    chain.on_request(&mut get("/", &[]), &mut context).await.unwrap();
    assert_eq!(context.username.as_deref(), Some("u"));
    let chain = Chain::new(vec![basic_auth(), credentials]);
    assert!(chain.on_request(&mut get("/", &[]), &mut context).await.is_err());
}

#[tokio::test]
async fn an_empty_chain_changes_nothing() {
    let chain = Chain::default();
    assert!(chain.is_empty());
    let mut request = get("/x", &[("X-A", "1")]);
    chain.on_request(&mut request, &mut context()).await.unwrap();
    let mut response = Fields::new();
    response.append(HeaderName::from(Known::Server), "s");
    chain.on_response(&mut response, &request, false);
    assert_eq!((listed(&request.headers).len(), response.len()), (1, 1));
}
