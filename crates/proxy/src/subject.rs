//! A canonical request as the rules see it.

use std::net::IpAddr;

use portway_http::Request;
use portway_rule::Subject;

/// A request and the peer that sent it, for [`portway_snapshot::Table::find`].
pub struct Asked<'a> {
    /// The request.
    pub request: &'a Request,
    /// Where its connection comes from.
    pub peer: IpAddr,
}

impl Subject for Asked<'_> {
    fn host(&self) -> &str {
        self.request.host()
    }

    fn path(&self) -> &[u8] {
        self.request.target.routing_path()
    }

    fn method(&self) -> &[u8] {
        self.request.method.as_str().as_bytes()
    }

    fn any_header(&self, name: &str, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.request.headers.get_all(name).any(test)
    }

    fn query(&self) -> &[u8] {
        self.request.target.query()
    }

    fn client_ip(&self) -> Option<IpAddr> {
        Some(self.peer)
    }
}
