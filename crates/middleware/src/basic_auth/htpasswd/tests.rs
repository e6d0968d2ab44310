use proptest::prelude::*;

use super::*;

/// Hashes of `crypt(3)` (libxcrypt 4.4), OpenSSL 3.0 and, for passwords that differ among bcrypt
/// versions, what go-http-auth accepts.
const MATCHING: &[(&str, &str)] = &[
    ("{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "secret"),
    ("{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=", ""),
    ("$apr1$12345678$0lqb/6VUFP8JY/s/jTrIk0", "secret"),
    ("$apr1$xy$43..WIhbfuznGvwoCyUek/", ""),
    ("$apr1$.E0xwugA$R0f./9ZwI5vVDS2Gav.kD/", "admin"),
    ("$1$abc$iCQ2D3nhptRYi27fDYv2s1", "secret"),
    ("$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
    ("$2y$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy", ""),
    ("$2y$05$CCCCCCCCCCCCCCCCCCCCC.bWI5y0s3GLgbU0y.nhtVveox3cA9P9y", "pa:ss"),
    ("$2y$05$CCCCCCCCCCCCCCCCCCCCC.VbkrrNItU.9NIb/IkEA2mwWrOjK5F3G", "pässwörd"),
    ("$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "secret"),
    ("$2b$06$XajjQvNhvvRt5GSeFk1xFewWNSu2qJZ7O4J6iN5Ik9sLhr0edCM9q", "secret"),
    ("$2x$05$/OK.fbVrR/bpIqNJ5ianF.Em0gkhY5CLhOmicnE9EVlPQpFgS./p.", "secret"),
    // Go's Atoi takes a sign.
    ("$2y$+5$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
    // Neither the byte behind the cost nor what is behind the hash counts.
    ("$2y$05!CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
    ("$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeWxyz", "U*U"),
];

/// Texts that no password matches.
const UNUSABLE: &[&str] = &[
    "",
    "secret",
    "$",
    "$$",
    "$2y$",
    "$2y$05$",
    "$2y$xx$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "$2y$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "$2y$32$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "$2y$05$CCCCCCCCCC!!CCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe",
    "$2y$05$CCCCCCCCCCCCCCCCCCCCéé5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "x$apr1$12345678$0lqb/6VUFP8JY/s/jTrIk0",
];

#[test]
fn passwords_match_their_hashes() {
    for (hash, password) in MATCHING {
        let parsed = Hash::parse(hash);
        assert!(parsed.verify(password.as_bytes()), "{hash} {password}");
        for other in ["Secret", "secret ", "x", "u*u"] {
            assert!(!parsed.verify(other.as_bytes()), "{hash} {other:?}");
        }
    }
}

#[test]
fn long_passwords_are_cut_by_bcrypt_alone() {
    let bcrypt = Hash::parse("$2y$05$CCCCCCCCCCCCCCCCCCCCC.D7RDOYXakZhsFmh/LdqQNx0kQ424AFS");
    assert!(bcrypt.verify("x".repeat(80).as_bytes()));
    assert!(bcrypt.verify("x".repeat(72).as_bytes()));
    assert!(!bcrypt.verify("x".repeat(71).as_bytes()));
    let md5 = Hash::parse("$apr1$12345678$F7uLUCO2GLrZFhm1e27Hb/");
    assert!(md5.verify("y".repeat(100).as_bytes()));
    assert!(!md5.verify("y".repeat(99).as_bytes()));
}

#[test]
fn other_texts_match_nothing() {
    for text in UNUSABLE {
        let parsed = Hash::parse(text);
        assert!(matches!(parsed, Hash::Unusable), "{text}");
        for password in ["", text, "secret", "U*U"] {
            assert!(!parsed.verify(password.as_bytes()), "{text} {password}");
        }
    }
    for text in ["{SHA}", "$5$abc$secret", "$6$a$b", "$$$", "$2$a$b", "$3y$05$C"] {
        assert!(!Hash::parse(text).verify(b"secret"), "{text}");
    }
}

#[test]
fn spare_bits_of_a_salt_do_not_matter_as_in_go() {
    let odd = Hash::parse("$2y$05$CCCCCCCCCCCCCCCCCCCCC/E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");
    assert!(odd.verify(b"U*U"));
}

#[test]
fn only_short_checks_stay_on_the_worker() {
    let effort = |hash: &str, password| Hash::parse(hash).effort(password);
    assert!(effort(MATCHING[0].0, 4096) == Effort::None);
    assert!(effort(MATCHING[2].0, 20) == Effort::Short);
    assert!(effort(MATCHING[2].0, 200) == Effort::Long);
    assert!(effort(MATCHING[6].0, 0) == Effort::Long);
    let salt = format!("$apr1${}$", "x".repeat(1000));
    assert!(effort(&format!("{salt}abc"), 0) == Effort::Long);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_hash_and_no_password_panics(
        hash in "(\\$(2[abxy]|apr1|1|[0-9a-z]?)\\$|\\{SHA\\}|)[0-9]{0,2}[$é]?[a-zA-Z0-9./$=é]{0,60}",
        password in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let parsed = Hash::parse(&hash);
        if !matches!(&parsed, Hash::Bcrypt(bcrypt) if bcrypt.cost() > 5) {
            prop_assert!(!parsed.verify(&password));
        }
    }
}
