//! Questions about certificates, and which answers are shown.

use std::time::Duration;

use portway_testkit::ocsp::{Authority, Saying, Signer, refusal};
use rustls::pki_types::UnixTime;

use super::fixtures::pair;
use crate::{BadAnswer, LoadedCertificate, Validity};

const NOW: i64 = 2_000_000_000;

const SAYING: Saying = Saying { signer: Signer::Authority, from: NOW - 100, to: Some(NOW + 300) };

fn at(seconds: i64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds).unwrap()))
}

fn issued(authority: &Authority, responders: &[&str]) -> LoadedCertificate {
    let (chain, key) = authority.issue("a.test", responders);
    LoadedCertificate::load(&pair(chain, key)).unwrap()
}

fn shown(certificate: &LoadedCertificate) -> Option<Vec<u8>> {
    certificate.certified().ocsp.clone()
}

#[test]
fn a_certificate_that_names_responders_is_asked_about_there() {
    let authority = Authority::new();
    assert_eq!(issued(&authority, &[]).status_question(), None);
    let question = issued(&authority, &["http://one/a", "http://two"]).status_question().unwrap();
    assert_eq!(question.responders, ["http://one/a", "http://two"]);
}

#[test]
fn good_answers_are_shown_and_those_before_are_not_any_more() {
    let authority = Authority::new();
    let certificate = issued(&authority, &["http://one"]);
    let question = certificate.status_question().unwrap().body;
    assert_eq!(shown(&certificate), None);
    for signer in [Signer::Authority, Signer::Delegate] {
        for (to, again) in [(Some(NOW + 300), NOW + 100), (None, NOW - 100)] {
            let answer = authority.answer(&question, &Saying { signer, to, ..SAYING });
            let validity = certificate.staple(answer.clone(), at(NOW)).unwrap();
            assert_eq!(validity, Validity { from: NOW - 100, to });
            assert_eq!(validity.ask_again(), again);
            assert_eq!(validity.is_over(at(NOW + 300)), to.is_some());
            assert_eq!(shown(&certificate), Some(answer));
        }
    }
    certificate.unstaple();
    assert_eq!(shown(&certificate), None);
}

#[test]
fn answers_that_no_client_would_believe_are_not_shown() {
    let authority = Authority::new();
    let certificate = issued(&authority, &["http://one"]);
    let question = certificate.status_question().unwrap().body;
    let good = authority.answer(&question, &SAYING);
    certificate.staple(good.clone(), at(NOW)).unwrap();

    let other = issued(&authority, &["http://one"]).status_question().unwrap().body;
    let elsewhere = Authority::new();
    let signed = |signer| authority.answer(&question, &Saying { signer, ..SAYING });
    let old = Saying { to: Some(NOW), ..SAYING };
    for (answer, expected) in [
        (authority.answer(&other, &SAYING), BadAnswer::Other),
        (elsewhere.answer(&question, &SAYING), BadAnswer::Unsigned),
        (signed(Signer::Stranger), BadAnswer::Unsigned),
        (signed(Signer::Servant), BadAnswer::Unsigned),
        (authority.answer(&question, &old), BadAnswer::Old),
        (refusal(6), BadAnswer::Refused(6)),
        (refusal(0), BadAnswer::Malformed),
        (b"not at all".to_vec(), BadAnswer::Malformed),
        (Vec::new(), BadAnswer::Malformed),
    ] {
        assert_eq!(certificate.staple(answer, at(NOW)), Err(expected));
        assert_eq!(shown(&certificate).as_ref(), Some(&good));
    }
}

#[test]
fn no_damage_to_an_answer_goes_unseen_or_makes_it_panic() {
    let authority = Authority::new();
    let certificate = issued(&authority, &["http://one"]);
    let question = certificate.status_question().unwrap().body;
    for signer in [Signer::Authority, Signer::Delegate] {
        let good = authority.answer(&question, &Saying { signer, ..SAYING });
        for place in 0..good.len() {
            let cut = good[..place].to_vec();
            assert!(certificate.staple(cut, at(NOW)).is_err(), "cut at {place}");
            for bit in [1, 0x20, 0x80] {
                let mut damaged = good.clone();
                damaged[place] ^= bit;
                // What nobody signs decides nothing: the delegate's own signature is signed, but not its copy.
                if let Ok(validity) = certificate.staple(damaged, at(NOW)) {
                    assert_eq!(validity, Validity { from: SAYING.from, to: SAYING.to });
                }
            }
        }
    }
}
