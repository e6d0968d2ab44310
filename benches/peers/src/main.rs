//! Runs Portway beside other proxies on the same work, and says what a request costs each of them.
//!
//! `cargo xtask bench peers` is the way to start it; `benches/README.md` says how figures are made.

mod backend;
mod certificate;
mod contender;
mod goal;
mod instance;
mod load;
mod options;
mod plot;
mod process;
mod relay;
mod report;
mod results;
mod run;
mod scale;
mod workload;

use std::{env, path::PathBuf, process::ExitCode};

use anyhow::{Result, bail};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match command(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn command(arguments: &[String]) -> Result<()> {
    let Some((command, rest)) = arguments.split_first() else { bail!("{}", options::help()) };
    match (command.as_str(), rest) {
        ("run", rest) => match options::Options::parse(rest)? {
            Some(options) => run::run(&options),
            None => {
                print!("{}", options::help());
                Ok(())
            }
        },
        ("contenders", rest) => {
            // Help needs nobody.
            if let Some(options) = options::Options::parse(rest)? {
                options.contenders().for_each(|kind| println!("{}", kind.name()));
            }
            Ok(())
        }
        ("scale", []) => scale::run(),
        ("plot", files) => plot::plot(&files.iter().map(PathBuf::from).collect::<Vec<_>>()),
        ("backend", [address]) => Ok(backend::Backend::bind(address.parse()?)?.run()?),
        ("relay", [listen, server]) => Ok(relay::run(listen.parse()?, server.parse()?)?),
        ("--version", []) => {
            println!("{}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        _ => bail!("{}", options::help()),
    }
}
