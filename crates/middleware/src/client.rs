//! Which address a request comes from (Traefik: `ipStrategy`), and sets of addresses.

use std::net::{IpAddr, Ipv6Addr};

use portway_http::{Known, Request, split_host_port};
use portway_model::dynamic;
use portway_rule::AddressRange;

use crate::Context;

/// Addresses and networks.
#[derive(Debug)]
pub(crate) struct Addresses(Box<[AddressRange]>);

impl Addresses {
    /// Compiles addresses and networks.
    ///
    /// # Errors
    /// In Traefik's words, for the first that is neither.
    pub(crate) fn compile(texts: &[String]) -> Result<Self, String> {
        let ranges = texts.iter().map(|text| {
            AddressRange::parse(text).ok_or_else(|| {
                format!("parsing CIDR trusted IPs <nil>: invalid CIDR address: {text}")
            })
        });
        ranges.collect::<Result<_, _>>().map(Self)
    }

    /// Whether this is one of the addresses.
    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(address))
    }
}

/// How a client's address is found.
#[derive(Debug)]
pub(crate) enum Strategy {
    /// It is that of the connection.
    Connection(Option<Subnet>),
    /// It stands at this place of `X-Forwarded-For`, counted from the right, from 1.
    Depth(usize, Option<Subnet>),
    /// It is the last in `X-Forwarded-For` that is none of these.
    Excluded(Addresses),
}

/// The bits of an IPv6 address that count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subnet(u128);

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Client<'r> {
    /// An address.
    Address(IpAddr),
    /// What `X-Forwarded-For` says, empty where it says nothing.
    Text(&'r [u8]),
}

impl Strategy {
    /// Compiles the user's settings; none mean the address of the connection.
    ///
    /// # Errors
    /// In Traefik's words.
    pub(crate) fn compile(config: Option<&dynamic::IpStrategy>) -> Result<Self, String> {
        let Some(config) = config else { return Ok(Self::Connection(None)) };
        if let Some(depth) = usize::try_from(config.depth).ok().filter(|depth| *depth > 0) {
            return Ok(Self::Depth(depth, subnet(config)?));
        }
        if !config.excluded_ips.is_empty() {
            return Addresses::compile(&config.excluded_ips).map(Self::Excluded);
        }
        Ok(Self::Connection(subnet(config)?))
    }

    /// Where a request comes from.
    pub(crate) fn client<'r>(&self, request: &'r Request, context: &Context<'_>) -> Client<'r> {
        match self {
            Self::Connection(subnet) => Client::Address(masked(context.client, *subnet)),
            Self::Depth(depth, subnet) => {
                let text = forwarded(request).nth(depth - 1).unwrap_or_default();
                match (subnet, parse(text)) {
                    (Some(_), Some(address @ IpAddr::V6(_))) => {
                        Client::Address(masked(address, *subnet))
                    }
                    _ => Client::Text(text),
                }
            }
            Self::Excluded(excluded) => {
                let mut texts = forwarded(request).filter(|text| !text.is_empty());
                let is_other =
                    |text: &&[u8]| !parse(text).is_some_and(|address| excluded.contain(address));
                Client::Text(texts.find(is_other).unwrap_or_default())
            }
        }
    }
}

impl Client<'_> {
    /// The address, if there is one; a port beside it does no harm.
    pub(crate) fn address(self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(address),
            Self::Text(text) => {
                let text = std::str::from_utf8(text).ok()?;
                parse(split_host_port(text).map_or(text, |(host, _)| host).as_bytes())
            }
        }
    }
}

/// What stands between the commas of the first `X-Forwarded-For`, from the right.
fn forwarded(request: &Request) -> impl Iterator<Item = &[u8]> {
    let value = request.headers.get(Known::XForwardedFor).unwrap_or_default();
    value.rsplit(|&byte| byte == b',').map(<[u8]>::trim_ascii)
}

/// An address as Go's `netip.ParseAddr` reads it; a zone does not count.
fn parse(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    match text.split_once('%') {
        None => text.parse().ok(),
        Some((_, "")) => None,
        Some((address, _)) => address.parse().ok().map(IpAddr::V6),
    }
}

fn subnet(config: &dynamic::IpStrategy) -> Result<Option<Subnet>, String> {
    let Some(bits) = config.ipv6_subnet else { return Ok(None) };
    match u32::try_from(bits) {
        Ok(bits @ 1..=128) => Ok(Some(Subnet(u128::MAX << (128 - bits)))),
        _ => Err(format!(
            "invalid IPv6 subnet {bits} value, should be greater to 0 and lower or equal to 128"
        )),
    }
}

fn masked(address: IpAddr, subnet: Option<Subnet>) -> IpAddr {
    match (address, subnet) {
        (IpAddr::V6(address), Some(Subnet(mask))) => {
            IpAddr::V6(Ipv6Addr::from(u128::from(address) & mask))
        }
        (address, _) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{context, get};

    fn strategy(depth: i64, excluded: &[&str], ipv6_subnet: Option<i64>) -> Strategy {
        let excluded_ips = excluded.iter().map(|&text| text.to_owned()).collect();
        let config = dynamic::IpStrategy { depth, excluded_ips, ipv6_subnet };
        Strategy::compile(Some(&config)).unwrap()
    }

    #[track_caller]
    fn check(strategy: &Strategy, forwarded: &str, expected: &str) {
        let request = get("/", &[("X-Forwarded-For", forwarded)]);
        let mut context = context();
        context.client = "2001:db8:1:2:3::4".parse().unwrap();
        let shown = match strategy.client(&request, &context) {
            Client::Address(address) => format!("<{address}>"),
            Client::Text(text) => String::from_utf8_lossy(text).into_owned(),
        };
        assert_eq!(shown, expected, "{strategy:?} {forwarded}");
    }

    #[test]
    fn by_default_the_connection_counts() {
        check(&Strategy::compile(None).unwrap(), "1.1.1.1", "<2001:db8:1:2:3::4>");
        check(&strategy(0, &[], None), "1.1.1.1", "<2001:db8:1:2:3::4>");
        check(&strategy(-1, &[], Some(48)), "1.1.1.1", "<2001:db8:1::>");
    }

    #[test]
    fn the_depth_is_counted_from_the_right() {
        check(&strategy(1, &[], None), "1.1.1.1, 2.2.2.2 ,3.3.3.3", "3.3.3.3");
        check(&strategy(2, &[], None), "1.1.1.1, 2.2.2.2 ,3.3.3.3", "2.2.2.2");
        check(&strategy(4, &[], None), "1.1.1.1, 2.2.2.2 ,3.3.3.3", "");
        check(&strategy(1, &["3.3.3.3"], None), "1.1.1.1,", "");
        check(&strategy(1, &[], Some(64)), "2001:db8:1:2:3::4", "<2001:db8:1:2::>");
        check(&strategy(1, &[], Some(64)), "fe80::1%eth0", "<fe80::>");
        check(&strategy(1, &[], Some(64)), "1.1.1.1", "1.1.1.1");
        check(&strategy(1, &[], Some(64)), "nobody", "nobody");
    }

    #[test]
    fn excluded_addresses_are_passed_over() {
        let excluded = ["10.0.0.0/8", "::1"];
        check(&strategy(0, &excluded, None), "1.1.1.1, 2.2.2.2, 10.0.0.1,, ::1", "2.2.2.2");
        check(&strategy(0, &excluded, None), "10.0.0.1", "");
        check(&strategy(0, &excluded, None), "", "");
        check(&strategy(0, &excluded, None), "1.1.1.1, nobody", "nobody");
    }

    #[test]
    fn addresses_are_found_in_texts() {
        for (text, expected) in [
            ("1.1.1.1", Some("1.1.1.1")),
            ("1.1.1.1:80", Some("1.1.1.1")),
            ("[2001:db8::1]:80", Some("2001:db8::1")),
            ("fe80::1%eth0", Some("fe80::1")),
            ("fe80::1%", None),
            ("1.1.1.1%a", None),
            ("[::1]", None),
            ("", None),
            ("01.1.1.1", None),
        ] {
            let expected = expected.map(|address| address.parse().unwrap());
            assert_eq!(Client::Text(text.as_bytes()).address(), expected, "{text}");
        }
    }

    #[test]
    fn settings_that_say_nothing_are_refused_in_the_words_of_traefik() {
        let config = |depth, excluded: &[&str], ipv6_subnet| dynamic::IpStrategy {
            depth,
            excluded_ips: excluded.iter().map(|&text| text.to_owned()).collect(),
            ipv6_subnet,
        };
        for (config, expected) in [
            (
                config(1, &[], Some(129)),
                "invalid IPv6 subnet 129 value, should be greater to 0 and lower or equal to 128",
            ),
            (
                config(0, &[], Some(0)),
                "invalid IPv6 subnet 0 value, should be greater to 0 and lower or equal to 128",
            ),
            (config(0, &["a"], None), "parsing CIDR trusted IPs <nil>: invalid CIDR address: a"),
        ] {
            assert_eq!(Strategy::compile(Some(&config)).unwrap_err(), expected);
        }
        assert!(Strategy::compile(Some(&config(1, &["a"], None))).is_ok());
        assert!(Strategy::compile(Some(&config(0, &["::1"], Some(0)))).is_ok());
    }
}
