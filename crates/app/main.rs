//! The binary `portway`: options, wiring, signals, subcommands; nothing else.
fn main() {}
