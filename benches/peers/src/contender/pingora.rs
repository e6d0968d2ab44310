//! Pingora: the minimal proxy in `benches/pingora`, which takes its few settings as arguments.

use std::process::Command;

use anyhow::Result;

use super::{HOST, PREFIX, Place, Setup, loopback};

pub(super) fn prepare(place: &Place<'_>, command: &mut Command) -> Result<()> {
    let addresses = [loopback(place.plain), loopback(place.tls), place.backend];
    command.args(addresses.map(|address| address.to_string()));
    command.args([HOST, PREFIX]).arg(place.certificate.chain()).arg(place.certificate.key());
    match place.setup {
        Setup::Http2 => command.arg("h2"),
        Setup::Grpc => command.arg("grpc"),
        _ => command,
    };
    Ok(())
}
