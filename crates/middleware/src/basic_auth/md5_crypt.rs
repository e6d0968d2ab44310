//! The MD5-based `crypt` of FreeBSD and Apache: a thousand rounds over password and salt.

use md5::{Digest as _, Md5};

/// The 22 characters behind the salt.
pub(super) fn md5_crypt(password: &[u8], magic: &[u8], salt: &[u8]) -> [u8; 22] {
    let mut digest = first_digest(password, magic, salt);
    for round in 0..1000 {
        let odd = round % 2 == 1;
        let mut next = Md5::new();
        next.update(if odd { password } else { &digest });
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        next.update(if odd { &digest } else { password });
        digest = next.finalize().into();
    }
    encode(&digest)
}

fn first_digest(password: &[u8], magic: &[u8], salt: &[u8]) -> [u8; 16] {
    let mut inner = Md5::new();
    inner.update(password);
    inner.update(salt);
    inner.update(password);
    let inner: [u8; 16] = inner.finalize().into();

    let mut outer = Md5::new();
    outer.update(password);
    outer.update(magic);
    outer.update(salt);
    for chunk in password.chunks(inner.len()) {
        outer.update(inner.get(..chunk.len()).unwrap_or_default());
    }
    // The bits of the length, lowest first: a zero byte for one, the first character for zero.
    let mut length = password.len();
    while length != 0 {
        outer.update(if length % 2 == 1 { b"\0" } else { password.get(..1).unwrap_or_default() });
        length /= 2;
    }
    outer.finalize().into()
}

/// Six bits a character, lowest first, in an order of its own.
fn encode(digest: &[u8; 16]) -> [u8; 22] {
    let ordered = ORDER.iter().filter_map(|&index| digest.get(index));
    let mut bits = ordered.flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1));
    std::array::from_fn(|_| {
        let index: usize = (0..6).map(|place| usize::from(bits.next().unwrap_or(0)) << place).sum();
        ALPHABET.get(index).copied().unwrap_or(b'.')
    })
}

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const ORDER: [usize; 16] = [12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11];
