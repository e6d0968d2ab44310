//! The one command surface of development.
fn main() {}
