use super::Pattern;

#[track_caller]
fn matches(source: &str, subject: &[u8]) -> bool {
    Pattern::compile(source.as_bytes())
        .unwrap_or_else(|error| panic!("{source}: {error}"))
        .is_match(subject)
}

#[track_caller]
fn refused(source: &str) {
    assert!(Pattern::compile(source.as_bytes()).is_err(), "{source} was accepted");
}

#[test]
fn every_unicode_class_of_go_is_known_here() {
    for name in ["L", "Lu", "LC", "Cs", "C", "Cn", "Any", "Assigned", "ASCII", "Greek", "Adlam"] {
        Pattern::compile(format!(r"\p{{{name}}}\P{{{name}}}[\p{{{name}}}x]").as_bytes()).unwrap();
    }
    for (_, class) in super::unicode::CATEGORIES {
        Pattern::compile(format!(r"\p{{{class}}}").as_bytes()).unwrap();
    }
    for script in super::unicode::SCRIPTS {
        Pattern::compile(format!(r"\p{{{script}}}").as_bytes()).unwrap();
    }
}

#[test]
fn perl_classes_are_ascii() {
    assert!(matches(r"^\d$", b"7"));
    assert!(!matches(r"^\d$", "٣".as_bytes()));
    assert!(!matches(r"^\w$", "é".as_bytes()));
    assert!(!matches(r"^\s$", b"\x0b"));
    assert!(matches(r"^[[:space:]]$", b"\x0b"));
    assert!(matches(r"a\bé", "aé".as_bytes()));
    assert!(!matches(r"\B", "aéa".as_bytes()));
}

#[test]
fn bytes_that_are_not_utf8_are_one_character_each() {
    assert!(matches("^/[^/]+$", b"/\xff"));
    assert!(matches("^/..$", b"/\xff\xfe"));
    assert!(!matches("^/..$", "/é".as_bytes()));
    assert!(matches(r"^/..$", b"/\xe2\x82"));
}

#[test]
fn extensions_of_the_regex_crate_are_text_or_refused() {
    assert!(matches(r"^[a&&b]$", b"&"));
    assert!(matches(r"^[a[b]+$", b"a[b"));
    assert!(matches(r"^[~~a]$", b"~"));
    refused("(?x)a");
    refused(r"\u0041");
    refused("(?R)a");
    assert!(matches(r"a\b{start}", b"a{start}"));
    assert!(matches(r"\<", b"<"));
}

#[test]
fn go_only_syntax_is_translated() {
    assert!(matches(r"^\Qa.b\E+$", b"a.bbb"));
    assert!(matches(r"^\101$", b"A"));
    assert!(matches(r"^(?i)HOST$", b"host"));
    assert!(matches(r"^a{,2}$", b"a{,2}"));
    assert!(matches(r"^[]a]$", b"]"));
    assert!(matches(r"^(?P<1>a)(?P<1>b)$", b"ab"));
    assert!(matches(r"^a*\Q\E*$", b"aa"));
}

#[test]
fn what_go_refuses_is_refused() {
    for source in [
        "(",
        ")",
        "a**",
        "*",
        "a{1001}",
        "(a{100}){11}",
        "a{2,1}",
        "[b-a]",
        r"\C",
        r"\1",
        r"\Z",
        r"\pé",
        "[[:foo:]]",
        "(?=a)",
        "(?!a)",
        "(?<=a)",
        "[a",
        r"a\",
        "(?P<>a)",
        "a{2}{3}",
        r"\p{Old_Italic}",
        "x|*",
        "(|*)",
        "(?i-)",
        r"\x{110000}",
    ] {
        refused(source);
    }
}

#[test]
fn size_is_bounded() {
    refused(&"(".repeat(100_000));
    refused(&format!("{}{}", "(".repeat(200), ")".repeat(200)));
    refused(r"((\pL{10}){10}){10}");
}
