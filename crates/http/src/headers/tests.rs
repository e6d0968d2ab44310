//! The rules of the header multimap.

use super::*;

fn sample() -> Headers {
    let mut headers = Headers::new();
    for (name, value) in [
        ("host", "a"),
        ("x-one", "1"),
        ("ACCEPT", "*/*"),
        ("X-ONE", " 2 "),
        ("Connection", "a, b ,,C"),
    ] {
        headers.push_wire(name.as_bytes(), value.as_bytes()).unwrap();
    }
    headers
}

fn listed(headers: &Headers) -> Vec<String> {
    headers.iter().map(|f| format!("{}: {}", f.name, String::from_utf8_lossy(f.value))).collect()
}

#[test]
fn fields_keep_their_order_and_get_canonical_names() {
    assert_eq!(
        listed(&sample()),
        ["Host: a", "X-One: 1", "Accept: */*", "X-One: 2", "Connection: a, b ,,C"]
    );
}

#[test]
fn lookups_ignore_the_letter_case() {
    let headers = sample();
    assert_eq!(headers.get("x-ONE"), Some(&b"1"[..]));
    assert_eq!(headers.get(Known::Accept), Some(&b"*/*"[..]));
    assert_eq!(headers.get("accept"), Some(&b"*/*"[..]));
    assert_eq!(headers.get_all("X-One").collect::<Vec<_>>(), [b"1", b"2"]);
    assert_eq!(headers.count("x-one"), 2);
    assert!(!headers.contains("x-two") && !headers.contains(Known::Cookie));
}

#[test]
fn set_replaces_all_fields_of_the_name_in_the_place_of_the_first() {
    let mut headers = sample();
    headers.set(HeaderName::parse("X-One").unwrap(), "3");
    assert_eq!(listed(&headers), ["Host: a", "X-One: 3", "Accept: */*", "Connection: a, b ,,C"]);
    headers.set(Known::Te, "trailers");
    assert_eq!(listed(&headers).last().unwrap(), "Te: trailers");
}

#[test]
fn a_verbatim_name_keeps_its_case_and_replaces_every_other_spelling() {
    let mut headers = sample();
    headers.set(HeaderName::verbatim("x-oNE").unwrap(), "u");
    assert_eq!(headers.count("X-One"), 1);
    assert!(listed(&headers).contains(&"x-oNE: u".to_owned()));
    headers.set(HeaderName::verbatim("aCCept").unwrap(), "u");
    assert!(listed(&headers).contains(&"aCCept: u".to_owned()));
    assert_eq!(headers.get(Known::Accept), Some(&b"u"[..]));
}

#[test]
fn remove_takes_every_spelling() {
    let mut headers = sample();
    assert!(headers.remove("x-one"));
    assert!(!headers.remove("x-one"));
    assert!(headers.remove(Known::Host));
    headers.remove_where(|field| field.value == b"*/*");
    assert_eq!(listed(&headers), ["Connection: a, b ,,C"]);
}

#[test]
fn values_cannot_break_lines() {
    let mut headers = Headers::new();
    headers.append(Known::Cookie, "a\r\nEvil: 1\0\x7f");
    headers.set(Known::Server, "\r\n");
    assert_eq!(listed(&headers), ["Cookie: a  Evil: 1  ", "Server:   "]);
}

#[test]
fn wire_fields_with_bad_bytes_are_refused() {
    let mut headers = Headers::new();
    for name in ["", "a b", "a ", " a", "a\t", "é", "a\0", "a:b", "a\r", "[a]"] {
        assert_eq!(
            headers.push_wire(name.as_bytes(), b"1").unwrap_err(),
            BadField::Name,
            "{name:?}"
        );
    }
    for value in ["a\rb", "a\nb", "a\0b", "\x7f", "\x01"] {
        assert_eq!(headers.push_wire(b"a", value.as_bytes()).unwrap_err(), BadField::Value);
    }
    assert!(headers.is_empty());
    headers.push_wire(b"a", b"caf\xe9").unwrap();
    assert_eq!(headers.get("a"), Some(&b"caf\xe9"[..]));
    assert_eq!(headers.get_str("a"), None);
}

#[test]
fn tokens_are_trimmed_and_empty_ones_dropped() {
    let headers = sample();
    assert_eq!(headers.tokens(Known::Connection).collect::<Vec<_>>(), [&b"a"[..], b"b", b"C"]);
    assert!(headers.has_token(Known::Connection, "c"));
    assert!(!headers.has_token(Known::Connection, "ab"));
}

#[test]
fn set_alone_leaves_no_field_that_reads_alike() {
    for (name, mine) in [("X-User-Id", "X-User-Id"), ("x_user_id", "x_user_id")] {
        for others in [&["X-USER-ID"][..], &["X_User-Id", "x-user_id", "X-User-Id"], &[]] {
            let mut headers = Headers::new();
            for name in others.iter().chain(&["X-User", "X_User_Id_", "Date"]) {
                headers.append(HeaderName::verbatim(name).unwrap(), "client");
            }
            headers.set_alone(HeaderName::verbatim(name).unwrap(), "mine");
            let names: Vec<_> = headers.iter().map(|field| field.name).collect();
            assert_eq!(names, ["X-User", "X_User_Id_", "Date", mine], "{others:?}");
            assert_eq!(headers.get(Known::Date), Some(&b"client"[..]));
        }
    }
}

#[test]
fn extend_from_copies_all_fields() {
    let mut headers = Headers::new();
    headers.append(Known::Date, "now");
    headers.extend_from(&sample());
    assert_eq!(headers.len(), 6);
    assert_eq!(headers.get("x-one"), Some(&b"1"[..]));
    headers.clear();
    assert!(headers.is_empty());
}

#[test]
fn folded_lines_join_the_last_value_with_one_space() {
    let mut headers = Headers::new();
    assert_eq!(headers.unfold_wire(b" x"), Err(BadField::Name));
    headers.push_wire(b"x-a", b"1").unwrap();
    headers.unfold_wire(b"\t 2 ").unwrap();
    headers.unfold_wire(b"  ").unwrap();
    assert_eq!(headers.get("x-a"), Some(&b"1 2"[..]));
}
