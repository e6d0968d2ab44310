//! Portway's own log.

use std::{
    fs::OpenOptions,
    io::{self, IsTerminal, Write},
    sync::Mutex,
};

use portway_model::static_config::{Level, Log, LogFormat};
use tracing_subscriber::filter::LevelFilter;

/// Starts logging to standard error, or to the file that the options name.
pub(crate) fn start(log: &Log) {
    let file = (!log.file_path.is_empty())
        .then(|| OpenOptions::new().create(true).append(true).open(&log.file_path));
    let (writer, failed): (Box<dyn Write + Send>, _) = match file {
        None => (Box::new(io::stderr()), None),
        Some(Ok(file)) => (Box::new(file), None),
        Some(Err(error)) => (Box::new(io::stderr()), Some(error)),
    };
    let colour = !log.no_color && log.file_path.is_empty() && io::stderr().is_terminal();
    let level = match log.level {
        Level::Trace => LevelFilter::TRACE,
        Level::Debug => LevelFilter::DEBUG,
        Level::Info => LevelFilter::INFO,
        Level::Warn => LevelFilter::WARN,
        Level::Error => LevelFilter::ERROR,
    };
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_ansi(colour)
        .with_writer(Mutex::new(writer));
    match log.format {
        LogFormat::Json => builder.json().init(),
        LogFormat::Common => builder.init(),
    }
    if let Some(error) = failed {
        tracing::error!("log.filePath `{}` cannot be opened: {error}", log.file_path);
    }
}
