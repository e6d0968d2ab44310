//! The blind relay: this program's own subcommand.

use std::process::Command;

use anyhow::Result;

use super::{Place, loopback};

pub(super) fn prepare(place: &Place<'_>, command: &mut Command) -> Result<()> {
    let listen = loopback(place.plain).to_string();
    command.args(["relay", &listen, &place.backend.to_string()]);
    Ok(())
}
