//! What a rule is asked about.

use std::net::IpAddr;

/// A canonical request, as the matchers see it.
///
/// Nothing here needs an allocation: everything is borrowed, and what costs work (header look-up,
/// query decoding) is done only when a rule asks.
pub trait Subject {
    /// The host: lower case, without port and without the brackets of an IPv6 address; empty if the
    /// request has none. A trailing dot is kept.
    fn host(&self) -> &str;

    /// The routing path, as [`crate::routing_path`] makes it from the normalised path. It need not
    /// be UTF-8.
    fn path(&self) -> &[u8];

    /// The method as sent.
    fn method(&self) -> &[u8];

    /// Whether `test` is true for any value of the header `name` (lower case).
    ///
    /// Each value is one header line without the blanks around it; lines are not split at commas.
    fn any_header(&self, name: &str, test: &mut dyn FnMut(&[u8]) -> bool) -> bool;

    /// The query as sent, without `?`; semicolons have already been treated as the entry point's
    /// `encodeQuerySemicolons` says.
    fn query(&self) -> &[u8];

    /// The address of the TCP peer (never one from a header); `None` if it has none.
    fn client_ip(&self) -> Option<IpAddr>;
}
