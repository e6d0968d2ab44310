//! The PROXY protocol: the client's address, told by the balancer in front before anything else.
//!
//! Traefik: `entryPoints.<name>.proxyProtocol`; the protocol: haproxy's `proxy-protocol.txt`, versions 1 and 2. A
//! connection may begin without a header, also from a peer that is trusted. Who is not trusted may send one as
//! well, and it says nothing then.

use std::net::SocketAddr;

use proxy_header::{Error, ParseConfig, ProxyHeader};

/// How headers of each version begin.
const SIGNATURES: [&[u8]; 2] = [b"PROXY", b"\r\n\r\n\0\r\nQUIT\n"];

/// The longest header of version 1, with the end of its line.
const MAX_LINE: usize = 107;

/// What the first bytes of a connection are.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Beginning {
    /// Too few to tell.
    Partial,
    /// Something else.
    Other,
    /// A header of this length, and the client and the destination that it names.
    Header(usize, Option<[SocketAddr; 2]>),
    /// The beginning of a header that goes on as none does.
    Malformed,
}

/// What a connection begins with.
pub(crate) fn read(bytes: &[u8]) -> Beginning {
    let begins = |signature: &&[u8]| bytes.starts_with(signature);
    if !SIGNATURES.iter().any(begins) {
        let may_begin = |signature: &&[u8]| signature.starts_with(bytes);
        return match SIGNATURES.iter().any(may_begin) {
            true => Beginning::Partial,
            false => Beginning::Other,
        };
    }
    if !may_be_line(bytes) {
        return Beginning::Malformed;
    }
    let config = ParseConfig { include_tlvs: false, ..ParseConfig::default() };
    match ProxyHeader::parse(bytes, config) {
        Ok((header, length)) => {
            let addresses = header.proxied_address();
            let addresses = addresses.map(|addresses| [addresses.source, addresses.destination]);
            Beginning::Header(length, addresses)
        }
        Err(Error::BufferTooShort) => Beginning::Partial,
        Err(_) => Beginning::Malformed,
    }
}

/// Whether what begins like a header of version 1 is one line, not too long, and says a protocol that is known. The
/// parser looks at the rest, but takes anything behind `UNKNOWN`.
fn may_be_line(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.strip_prefix(b"PROXY UNKNOWN") else { return true };
    let is_word = matches!(rest.first(), None | Some(b' ' | b'\r'));
    let line = bytes.get(..MAX_LINE).unwrap_or(bytes);
    is_word
        && match line.iter().position(|&byte| byte == b'\n') {
            Some(end) => line.get(..end).is_some_and(|line| line.ends_with(b"\r")),
            None => bytes.len() < MAX_LINE,
        }
}

#[cfg(test)]
mod tests {
    use super::{Beginning, MAX_LINE, read};

    /// The longest header: version 2 tells its length in two bytes.
    const MAX_LENGTH: usize = 16 + u16::MAX as usize;

    fn version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [b"\r\n\r\n\0\r\nQUIT\n".as_slice(), &[command, family], &length, rest].concat()
    }

    /// Checks what bytes are, also with a request behind them, and that no part of a header is taken for less.
    #[track_caller]
    fn check(header: &[u8], addresses: Option<[&str; 2]>) {
        let addresses =
            addresses.map(|addresses| addresses.map(|address| address.parse().unwrap()));
        let expected = Beginning::Header(header.len(), addresses);
        assert_eq!(read(header), expected);
        assert_eq!(read(&[header, b"GET / HTTP/1.1\r\n\r\n"].concat()), expected);
        for length in 0..header.len() {
            assert_eq!(read(&header[..length]), Beginning::Partial, "{length}");
        }
    }

    #[test]
    fn version_1_names_the_client() {
        check(
            b"PROXY TCP4 192.0.2.1 192.0.2.2 1234 80\r\n",
            Some(["192.0.2.1:1234", "192.0.2.2:80"]),
        );
        check(b"PROXY TCP6 2001:db8::1 ::1 1234 80\r\n", Some(["[2001:db8::1]:1234", "[::1]:80"]));
        check(b"PROXY UNKNOWN\r\n", None);
        check(b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None);
        let longest = format!("{:1$}\r\n", "PROXY UNKNOWN", MAX_LINE - 2);
        check(longest.as_bytes(), None);
    }

    #[test]
    fn version_2_names_the_client() {
        let addresses = [192, 0, 2, 1, 192, 0, 2, 2, 4, 210, 0, 80];
        check(&version_2(0x21, 0x11, &addresses), Some(["192.0.2.1:1234", "192.0.2.2:80"]));
        let extended = [addresses.as_slice(), &[4, 0, 2, 7, 7]].concat();
        check(&version_2(0x21, 0x11, &extended), Some(["192.0.2.1:1234", "192.0.2.2:80"]));
        let mut addresses = [0; 36];
        addresses[15] = 1;
        addresses[33] = 9;
        check(&version_2(0x21, 0x21, &addresses), Some(["[::1]:9", "[::]:0"]));
        check(&version_2(0x20, 0x00, &[]), None);
        check(&version_2(0x21, 0x31, &[0; 216]), None);
    }

    #[test]
    fn the_longest_header_is_read() {
        let header = version_2(0x20, 0x00, &[0; u16::MAX as usize]);
        assert_eq!(header.len(), MAX_LENGTH);
        assert_eq!(read(&header), Beginning::Header(MAX_LENGTH, None));
    }

    #[test]
    fn other_beginnings_are_none() {
        for bytes in [&b"GET / HTTP/1.1\r\n"[..], b"POST /", b"PUT", b"\x16\x03\x01", b"\r\nGET /"]
        {
            assert_eq!(read(bytes), Beginning::Other, "{bytes:?}");
        }
    }

    #[test]
    fn what_begins_like_a_header_and_is_none_is_malformed() {
        let long = [b"PROXY TCP4 ".as_slice(), &[b'1'; 200]].concat();
        let unknown = [b"PROXY UNKNOWN ".as_slice(), &[b'1'; 5000]].concat();
        let too_long = format!("{:1$}\r\n", "PROXY UNKNOWN", MAX_LINE - 1);
        for bytes in [
            &b"PROXY TCP4 192.0.2.1 192.0.2.2 1234 80\n GET / HTTP/1.1\r\n"[..],
            b"PROXY TCP4 ::1 ::1 1 2\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.2 1 70000\r\n",
            b"PROXY SCTP 192.0.2.1 192.0.2.2 1 2\r\n",
            &long,
            &unknown,
            too_long.as_bytes(),
            b"PROXY UNKNOWNfoo bar\r\n",
            b"PROXY UNKNOWNX\r\n",
            b"PROXY UNKNOWN a\nGET / HTTP/1.1\r\n",
            &version_2(0x31, 0x11, &[0; 12]),
            &[&version_2(0x21, 0x11, &[0; 4]), b"GET / HTTP/1.1\r\n".as_slice()].concat(),
        ] {
            assert_eq!(read(bytes), Beginning::Malformed, "{bytes:?}");
        }
    }
}
