//! The binary `portway`: options, wiring, signals, subcommands; nothing else.

use std::process::ExitCode;

mod cli;
mod control;
mod healthcheck;
mod internal;
mod logging;
mod options;
mod shutdown;
mod wiring;

use cli::Command;

fn main() -> ExitCode {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    let arguments: Vec<String> = std::env::args_os().skip(1).map(text).collect();
    let environment: Vec<(String, String)> =
        std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
    match cli::parse(&arguments, &environment) {
        Ok(Command::Help) => print!("{}", cli::HELP),
        Ok(Command::Version { format }) => print!("{}", cli::version_text(format.as_deref())),
        Ok(Command::Healthcheck(config)) => match healthcheck::check(&config) {
            Ok(line) => println!("{line}"),
            Err(line) => {
                eprintln!("{line}");
                return ExitCode::FAILURE;
            }
        },
        Ok(Command::Run { config, warnings }) => {
            logging::start(&config.log);
            control::log_diagnostics(&warnings);
            return match wiring::run(*config) {
                Ok(code) => code,
                Err(error) => {
                    tracing::error!("{error:#}");
                    ExitCode::FAILURE
                }
            };
        }
        Err(cli::Refusal(lines)) => {
            for line in lines {
                eprintln!("error: {line}");
            }
            return ExitCode::from(cli::EXIT_REFUSED);
        }
    }
    ExitCode::SUCCESS
}
