use proptest::prelude::*;

use super::*;

/// Go 1.26's `url.Parse(…).String()` of each text; nothing for an error.
const TABLE: &[(&str, Option<&str>)] = &[
    ("https://a.test/b?c=d", Some("https://a.test/b?c=d")),
    ("HTTPS://A.Test/B", Some("https://A.Test/B")),
    ("https://a.test", Some("https://a.test")),
    ("https://a.test?x", Some("https://a.test?x")),
    ("https://a.test/a b/é?é", Some("https://a.test/a%20b/%C3%A9?é")),
    ("https://a.test/a%2fb|c", Some("https://a.test/a/b%7Cc")),
    ("https://a.test/a%2fb", Some("https://a.test/a%2fb")),
    ("https://a.test/?", Some("https://a.test/?")),
    ("https://a.test/??", Some("https://a.test/??")),
    ("https://a.test/#", Some("https://a.test/")),
    ("https://a.test/#f r%41g", Some("https://a.test/#f%20rAg")),
    ("https://a.test/#f!r%41g", Some("https://a.test/#f!r%41g")),
    ("https://a.test/#a#b", Some("https://a.test/#a%23b")),
    ("https://a.test/#%zz", None),
    ("https://a.test/%zz", None),
    ("https://a.test:81/", Some("https://a.test:81/")),
    ("https://a.test:/", Some("https://a.test:/")),
    ("https://a.test:x/", None),
    ("https://a:1:2/", None),
    ("https://::1/", None),
    ("ftp://a:1,b:2/", Some("ftp://a:1,b:2/")),
    ("https://[::1]:81/", Some("https://[::1]:81/")),
    ("https://[::1]81/", None),
    ("https://[::1/", None),
    ("https://a[::1]/", None),
    ("https://[1.2.3.4]/", None),
    ("https://[::ffff:1.2.3.4]/", Some("https://[::ffff:1.2.3.4]/")),
    ("https://[fe80::1%25eth0]/", Some("https://[fe80::1%25eth0]/")),
    ("https://[fe80::1%25eth%20]/", Some("https://[fe80::1%25eth%20]/")),
    ("https://[fe80::1%25eth 0]/", None),
    ("https://[fe80::1%25]/", None),
    ("https://[fe80::1%eth0]/", None),
    ("https://a%41/", None),
    ("https://a%C3%A9/", Some("https://a%C3%A9/")),
    ("https://a b/", None),
    ("https://a\"<>/", Some("https://a\"<>/")),
    ("https://us%41er:p%2Fass@a/", Some("https://usAer:p%2Fass@a/")),
    ("https://p@ss@a/", Some("https://p%40ss@a/")),
    ("https://u:@a/", Some("https://u:@a/")),
    ("https://@/x", Some("https://@/x")),
    ("https://p ss@a/", None),
    ("https://u%zz@a/", None),
    ("http:/x", Some("http:/x")),
    ("http:///x", Some("http:///x")),
    ("http://", Some("http:")),
    ("http:", Some("http:")),
    ("http:x/y?z#w", Some("http:x/y?z#w")),
    ("mailto:a@b", Some("mailto:a@b")),
    ("//a.test/x", Some("//a.test/x")),
    ("///x", Some("///x")),
    ("//", Some("")),
    ("/x", Some("/x")),
    ("x/y", Some("x/y")),
    ("?q", Some("?q")),
    ("*", Some("*")),
    ("", Some("")),
    (":x", None),
    ("1x:y", None),
    ("a b:c/d", None),
    ("1x/y:z", Some("1x/y:z")),
    ("/a\tb", None),
    ("/a#\tb", Some("/a#%09b")),
    ("/\u{7f}", None),
];

#[test]
fn urls_are_written_as_go_writes_them() {
    for (text, expected) in TABLE {
        let written = normalize(text.as_bytes());
        let written = written.as_deref().map(|written| std::str::from_utf8(written).unwrap());
        assert_eq!(written, *expected, "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same(text in "[a-z:/?#@%\\[\\]0-9 é.-]{0,24}") {
        if let Some(written) = normalize(text.as_bytes()) {
            prop_assert!(!written.iter().any(u8::is_ascii_control));
            prop_assert_eq!(normalize(&written), Some(written));
        }
    }

    #[test]
    fn no_bytes_panic(text in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _ = normalize(&text);
    }
}
