//! Portway's own log.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use portway_model::static_config::{Level, Log, LogFormat};
use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

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
    let layer =
        fmt::layer().with_target(false).with_ansi(colour).with_writer(Mutex::new(output.clone()));
    let layer = match log.format {
        LogFormat::Json => layer.json().boxed(),
        LogFormat::Common => layer.boxed(),
    };
    // What the Kubernetes client fails at is told by whoever asked it, once and with what it means.
    let targets = Targets::new().with_default(level).with_target("kube_client", LevelFilter::OFF);
    tracing_subscriber::registry().with(layer.with_filter(targets)).init();
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
