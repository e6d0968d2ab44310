//! No flags, environment or file of options makes Portway panic, and the same input gives the same options.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portway_model::options::{assemble, from_environment, from_file, from_flags};

fuzz_target!(|text: &str| {
    // The lines before the first empty one are flags, those up to the next are variables, the rest is a file.
    let mut parts = text.splitn(3, "\n\n");
    let (flags, variables) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let file = parts.next().unwrap_or("");
    let read = |name: &str| {
        let flags = from_flags(flags.lines());
        let variables = from_environment(variables.lines().filter_map(|line| line.split_once('=')));
        let file = from_file(name, file).ok();
        assemble(file.into_iter().chain([variables, flags]))
    };
    for name in ["a.yml", "a.toml"] {
        let (config, diagnostics) = read(name);
        let (again, _) = read(name);
        assert_eq!(config, again);
        assert!(diagnostics.iter().all(|diagnostic| !diagnostic.message.is_empty()));
    }
});
