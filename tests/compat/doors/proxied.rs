//! Headers of the PROXY protocol at random, good and bad.

use portway_testkit::random::Random;

/// A header.
#[derive(Debug)]
pub(super) struct Preamble {
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// Whether the programs may judge it differently (30).
    pub(super) disputed: bool,
}

const FOUR: &[[u8; 4]] =
    &[[192, 0, 2, 1], [127, 0, 0, 1], [203, 0, 113, 7], [10, 0, 0, 1], [0, 0, 0, 0]];

const TEXTS: &[(&str, bool)] = &[
    ("PROXY TCP4 192.0.2.1 198.51.100.1 1234 80\r\n", false),
    ("PROXY TCP4 10.0.0.1 198.51.100.1 0 65535\r\n", false),
    ("PROXY TCP6 2001:db8::1 ::1 1234 80\r\n", false),
    ("PROXY TCP6 ::ffff:192.0.2.1 ::1 1234 80\r\n", false),
    ("PROXY TCP6 fe80::1%lo ::1 1234 80\r\n", true),
    ("PROXY UNKNOWN\r\n", false),
    ("PROXY UNKNOWN and whatever follows\r\n", true),
    ("PROXY TCP4 192.0.2.1 198.51.100.1 1234 80 \r\n", true),
    ("PROXY  TCP4 192.0.2.1 198.51.100.1 1234 80\r\n", true),
    ("PROXY TCP4 192.0.2.01 198.51.100.1 1234 80\r\n", true),
    ("PROXY TCP4 192.0.2.1 198.51.100.1 01234 80\r\n", true),
    ("PROXY TCP4 192.0.2.1 198.51.100.1 -1 80\r\n", true),
    ("PROXY TCP4 192.0.2.1 198.51.100.1 1234\r\n", false),
    ("PROXY TCP4 192.0.2.1 198.51.100.1 1234 80\n", true),
    ("PROXY TCP6 192.0.2.1 192.0.2.2 1234 80\r\n", true),
    ("PROXY TCP4 2001:db8::1 ::1 1234 80\r\n", true),
    ("PROXY", true),
    ("PROX", false),
    ("proxy TCP4 192.0.2.1 198.51.100.1 1234 80\r\n", false),
    ("PROXY UDP4 192.0.2.1 198.51.100.1 1234 80\r\n", true),
];

/// A header, or bytes that are nearly one.
pub(super) fn preamble(random: &mut Random) -> Preamble {
    if random.once_in(2) {
        let (text, disputed) = *random.pick(TEXTS);
        return Preamble { bytes: text.as_bytes().to_vec(), disputed };
    }
    let source = *random.pick(FOUR);
    let mut addresses = [source.as_slice(), &FOUR[0], &[4, 210, 0, 80]].concat();
    let (mut command, mut family) = (0x21, 0x11);
    let mut disputed = false;
    match random.below(10) {
        0 => {
            // A socket of the machine's own.
            (family, disputed) = (0x31, true);
            addresses = vec![0; 216];
        }
        1 => (command, family) = (0x20, 0x11),
        2 => {
            (command, family) = (0x20, 0x00);
            addresses.clear();
        }
        3 => {
            // Nobody is named.
            (family, disputed) = (0x00, true);
            if random.once_in(2) {
                addresses.clear();
            }
        }
        4 => {
            family = 0x21;
            let mut six = [0; 16];
            six[..4].copy_from_slice(&[0x20, 1, 0x0d, 0xb8]);
            if random.once_in(3) {
                six = [0; 16];
                six[10..].copy_from_slice(&[0xff, 0xff, 192, 0, 2, 1]);
            }
            addresses = [six.as_slice(), &six, &[4, 210, 0, 80]].concat();
        }
        5 => (family, disputed) = (*random.pick(&[0x12, 0x22, 0x10, 0x41, 0x13]), true),
        6 => (command, disputed) = (*random.pick(&[0x31, 0x2f, 0x22, 0x11]), true),
        _ => {}
    }
    if random.once_in(3) {
        let further: &[&[u8]] = &[
            &[4, 0, 2, 7, 7],
            &[1, 0, 2, b'h', b'2'],
            &[2, 0, 6, b'a', b'.', b't', b'e', b's', b't'],
            &[3, 0, 4, 0, 0, 0, 0],
            &[4, 0, 99],
            &[5],
            &[0x20, 0, 5, 1, 0, 0, 0, 0],
        ];
        let chosen = *random.pick(further);
        disputed |= chosen.len() == 1 || chosen == [4, 0, 99] || chosen[0] == 3;
        addresses.extend_from_slice(chosen);
    }
    if random.once_in(8) {
        disputed = true;
        addresses.truncate(random.below(addresses.len().max(1)));
    }
    let length = u16::try_from(addresses.len()).expect("a short header").to_be_bytes();
    let bytes =
        [b"\r\n\r\n\0\r\nQUIT\n".as_slice(), &[command, family], &length, &addresses].concat();
    Preamble { bytes, disputed }
}
