//! Portway's own log.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use portway_model::static_config::{Level, Log, LogFormat};
use tracing_subscriber::filter::LevelFilter;

/// Where the log goes: the file that the options name, or standard error.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    path: PathBuf,
    /// `None` means standard error.
    file: Arc<Mutex<Option<File>>>,
}

/// Starts logging. A file that cannot be opened is told on standard error, which then has the log: it must not
/// be lost.
pub(crate) fn start(log: &Log) -> Output {
    let path = PathBuf::from(&log.file_path);
    let file = (!log.file_path.is_empty()).then(|| open(&path));
    let (file, failed) = match file.transpose() {
        Ok(file) => (file, None),
        Err(error) => (None, Some(error)),
    };
    let colour = !log.no_color && file.is_none() && io::stderr().is_terminal();
    let output = Output { path, file: Arc::new(Mutex::new(file)) };
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
        .with_writer(Mutex::new(output.clone()));
    match log.format {
        LogFormat::Json => builder.json().init(),
        LogFormat::Common => builder.init(),
    }
    if let Some(error) = failed {
        tracing::error!(
            "log.filePath: `{}` cannot be opened, the log goes to standard error: {error}",
            log.file_path
        );
    }
    output
}

/// Opens the file to add to it; makes its folders as Traefik does.
fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

impl Output {
    /// Opens the file anew, after something has moved it away; nothing to do without a file.
    ///
    /// # Errors
    /// When it cannot be opened; the log then goes on into the file as it was.
    pub(crate) fn reopen(&self) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.is_some() {
            *file = Some(open(&self.path)?);
        }
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.file.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(file) => file.write(bytes),
            None => io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.file.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(file) => file.flush(),
            None => io::stderr().flush(),
        }
    }
}
