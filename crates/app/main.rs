//! The binary `portway`: options, wiring, signals, subcommands; nothing else.

use std::{
    io::{self, Write},
    process::ExitCode,
};

mod cli;
mod clusters;
mod control;
mod errors;
mod healthcheck;
mod internal;
mod logging;
mod options;
mod shutdown;
mod staples;
mod wiring;

use cli::Command;

/// Ahead of the system's allocator for many short-lived connections, and gives memory back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    let arguments: Vec<String> = std::env::args_os().skip(1).map(text).collect();
    let environment: Vec<(String, String)> =
        std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
    match cli::parse(&arguments, &environment) {
        Ok(Command::Help) => say(io::stdout(), cli::HELP),
        Ok(Command::Version { format }) => {
            say(io::stdout(), &cli::version_text(format.as_deref()));
        }
        Ok(Command::Healthcheck(config)) => match healthcheck::check(&config) {
            Ok(line) => say(io::stdout(), &format!("{line}\n")),
            Err(line) => {
                say(io::stderr(), &format!("{line}\n"));
                return ExitCode::FAILURE;
            }
        },
        Ok(Command::Run { config, warnings }) => {
            let log = logging::start(&config.log);
            control::log_diagnostics(&warnings);
            if let Err(error) = wiring::run(*config, &log) {
                tracing::error!("{}", reason(&error));
                return ExitCode::FAILURE;
            }
        }
        Err(cli::Refusal(lines)) => {
            let lines = lines.iter().map(|line| format!("error: {line}\n"));
            say(io::stderr(), &lines.collect::<String>());
            return ExitCode::from(cli::EXIT_REFUSED);
        }
    }
    ExitCode::SUCCESS
}

/// Writes what its reader may have stopped reading: `portway --help | head -1`.
fn say(mut output: impl Write, text: &str) {
    let _ = output.write_all(text.as_bytes());
}

/// The error and its causes, without those that it tells already.
fn reason(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
