use super::*;

#[test]
fn what_was_verified_is_known_for_a_minute() {
    let (remembered, now) = (Remembered::new(), Instant::now());
    let fingerprint = remembered.fingerprint(&[b"hash", b"user", b"password"]);
    assert!(!remembered.knows(&fingerprint, now));
    remembered.remember(fingerprint, now);
    assert!(remembered.knows(&fingerprint, now + Duration::from_secs(59)));
    assert!(!remembered.knows(&fingerprint, now + Duration::from_mins(1)));
}

#[test]
fn texts_that_are_cut_elsewhere_have_another_fingerprint() {
    let remembered = Remembered::new();
    let one = remembered.fingerprint(&[b"hash", b"user", b"password"]);
    for other in [
        [&b"hash"[..], b"userp", b"assword"],
        [b"hashu", b"ser", b"password"],
        [b"hash", b"", b"userpassword"],
        [b"hash", b"user", b"Password"],
    ] {
        assert!(remembered.fingerprint(&other) != one);
    }
    assert!(remembered.fingerprint(&[b"hashuserpassword"]) != one);
}

#[test]
fn no_other_middleware_knows_it() {
    let (one, other, now) = (Remembered::new(), Remembered::new(), Instant::now());
    let texts: [&[u8]; 2] = [b"user", b"password"];
    assert!(one.fingerprint(&texts) != other.fingerprint(&texts));
    one.remember(one.fingerprint(&texts), now);
    assert!(!other.knows(&other.fingerprint(&texts), now));
    assert_ne!(one.owner(), other.owner());
}

#[test]
fn the_table_stays_small_and_forgets_the_oldest() {
    let (remembered, now) = (Remembered::new(), Instant::now());
    let fingerprint = |number: usize| remembered.fingerprint(&[&number.to_be_bytes()]);
    for number in 0..CAPACITY + 10 {
        let later = now + Duration::from_micros(u64::try_from(number).unwrap());
        remembered.remember(fingerprint(number), later);
    }
    assert_eq!(remembered.entries.load().len(), CAPACITY);
    assert!(!remembered.knows(&fingerprint(9), now));
    assert!(remembered.knows(&fingerprint(10), now));
    remembered.remember(fingerprint(0), now + Duration::from_secs(90));
    assert_eq!(remembered.entries.load().len(), 1);
}
