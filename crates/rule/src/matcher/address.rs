//! The client's address against an address or a network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network; a single address is one with all bits fixed.
///
/// An IPv4 address and the same mapped into IPv6 (`::ffff:a.b.c.d`) are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressRange {
    /// Of IPv4.
    V4 {
        /// The bits that are fixed.
        network: u32,
        /// Which bits are fixed.
        mask: u32,
    },
    /// Of IPv6.
    V6 {
        /// The bits that are fixed.
        network: u128,
        /// Which bits are fixed.
        mask: u128,
    },
}

impl AddressRange {
    /// Reads an address or `address/prefix length`, as Go's `net.ParseIP` and `net.ParseCIDR` do.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Some((address, length)) = text.split_once('/') else {
            return Some(match text.parse::<IpAddr>().ok()?.to_canonical() {
                IpAddr::V4(address) => Self::V4 { network: address.into(), mask: u32::MAX },
                IpAddr::V6(address) => Self::V6 { network: address.into(), mask: u128::MAX },
            });
        };
        let digits = !length.is_empty() && length.bytes().all(|digit| digit.is_ascii_digit());
        // Leading zeros are fine; the number is small.
        let length: u32 = length.parse().ok().filter(|_| digits)?;
        match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(address) => Self::v4(address, length),
            IpAddr::V6(address) => Self::v6(address, length),
        }
    }

    fn v4(address: Ipv4Addr, length: u32) -> Option<Self> {
        let host_bits = u32::BITS.checked_sub(length)?;
        let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
        Some(Self::V4 { network: u32::from(address) & mask, mask })
    }

    /// A network whose masked address is still a mapped IPv4 address is an IPv4 network.
    fn v6(address: Ipv6Addr, length: u32) -> Option<Self> {
        let host_bits = u128::BITS.checked_sub(length)?;
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
        let network = u128::from(address) & mask;
        match Ipv6Addr::from(network).to_ipv4_mapped() {
            Some(address) => Self::v4(address, length.saturating_sub(96)),
            None => Some(Self::V6 { network, mask }),
        }
    }

    /// Whether an address is in the network.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        match (self, address.to_canonical()) {
            (Self::V4 { network, mask }, IpAddr::V4(address)) => {
                u32::from(address) & mask == network
            }
            (Self::V6 { network, mask }, IpAddr::V6(address)) => {
                u128::from(address) & mask == network
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(range: &str, address: &str, expected: bool) {
        let contained = AddressRange::parse(range).unwrap().contains(address.parse().unwrap());
        assert_eq!(contained, expected, "{address} in {range}");
    }

    #[test]
    fn networks_contain_their_addresses() {
        check("10.0.0.0/8", "10.1.2.3", true);
        check("10.0.0.0/8", "11.1.2.3", false);
        check("10.9.9.9/08", "10.1.2.3", true);
        check("0.0.0.0/0", "255.1.2.3", true);
        check("192.0.2.1", "192.0.2.1", true);
        check("192.0.2.1/32", "192.0.2.2", false);
        check("2001:db8::/32", "2001:db8:1::1", true);
        check("2001:db8::1", "2001:db8::2", false);
    }

    #[test]
    fn mapped_addresses_are_ipv4() {
        check("::ffff:10.0.0.0/104", "10.1.2.3", true);
        check("::ffff:10.0.0.1", "10.0.0.1", true);
        check("10.0.0.1", "::ffff:10.0.0.1", true);
        check("::/0", "10.0.0.1", false);
        check("::/0", "::1", true);
        check("0.0.0.0/0", "::1", false);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "a",
            "300.0.0.1",
            "10.0.0.1/33",
            "::1/129",
            "10.0.0.1/",
            "10.0.0.1/+8",
            "fe80::1%eth0",
            "010.0.0.1",
            "10.0.0",
            "10.0.0.0/8/8",
            "1.2.3.4:80",
            "[::1]",
            " 1.2.3.4",
        ] {
            assert_eq!(AddressRange::parse(text), None, "{text}");
        }
    }
}
