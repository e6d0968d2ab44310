use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(value: &str, expected: Option<(&[u8], &[u8])>) {
    let parsed = Credentials::parse(value.as_bytes());
    assert_eq!(
        parsed.as_ref().map(|parsed| (parsed.user(), parsed.password())),
        expected,
        "{value}"
    );
}

#[test]
fn the_scheme_is_basic_in_any_case_and_one_space() {
    let expected = Some((&b"u"[..], &b"secret"[..]));
    for scheme in ["Basic ", "basic ", "BASIC ", "bAsIc "] {
        check(&format!("{scheme}dTpzZWNyZXQ="), expected);
    }
    for scheme in ["Basic", "Basic  ", "Basic\t", "Bearer ", "", " Basic "] {
        check(&format!("{scheme}dTpzZWNyZXQ="), None);
    }
}

#[test]
fn the_text_is_padded_standard_base64() {
    for bad in
        ["dTpzZWNyZXQ", "dTpzZWNyZXQ==", "dTpzZWNyZXQ=x", "!!", "====", "dTpz-ZWN_", "dTpz ZWNy"]
    {
        check(&format!("Basic {bad}"), None);
    }
    // The bits to spare do not matter.
    check("Basic dTpzZWNyZXR=", Some((b"u", b"secret")));
}

#[test]
fn the_first_colon_ends_the_user() {
    check("Basic dTpwYTpzcw==", Some((b"u", b"pa:ss")));
    check("Basic Og==", Some((b"", b"")));
    check("Basic dTo=", Some((b"u", b"")));
    check("Basic dQ==", None);
    check("Basic ", None);
    check("Basic //46eA==", Some((b"\xff\xfe", b"x")));
}

#[test]
fn what_is_too_long_is_not_decoded() {
    let long = |length: usize| format!("Basic OmFh{}", "YWFh".repeat(length / 4 - 1));
    assert!(Credentials::parse(long(16 << 10).as_bytes()).is_some());
    assert!(Credentials::parse(long((16 << 10) + 4).as_bytes()).is_none());
}

proptest! {
    #[test]
    fn no_bytes_panic(value in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = Credentials::parse(&value);
        let _ = Credentials::parse(&[b"Basic ", value.as_slice()].concat());
    }

    #[test]
    fn what_is_encoded_is_read(
        user in proptest::collection::vec(any::<u8>().prop_filter("colon", |byte| *byte != b':'), 0..20),
        password in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let text = base64::engine::general_purpose::STANDARD.encode([&user[..], b":", &password].concat());
        let parsed = Credentials::parse(format!("Basic {text}").as_bytes()).unwrap();
        prop_assert_eq!((parsed.user(), parsed.password()), (&user[..], &password[..]));
    }
}
