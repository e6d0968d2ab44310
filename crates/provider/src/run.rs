//! Reads a source whenever it may have changed, and sends what it says.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use portway_model::{dynamic::Config, static_config::KubernetesManifests};
use tokio::sync::mpsc;

use crate::{
    manifests::Manifests,
    watch::{Heard, Watch, tree},
};

/// All that one provider says now.
#[derive(Clone, Debug)]
pub struct Update {
    /// The provider's name, such as `file`.
    pub provider: String,
    /// What it says.
    pub config: Arc<Config>,
    /// Whether it should be live before others have been gathered.
    pub urgent: bool,
}

/// Updates that may wait for the aggregator: few, since each replaces the one before.
const WAITING: usize = 8;

/// The channel from providers to the [`crate::Aggregator`].
pub fn updates() -> (mpsc::Sender<Update>, mpsc::Receiver<Update>) {
    mpsc::channel(WAITING)
}

/// Something that can be read again and again.
pub trait Source: Send + 'static {
    /// The provider's name; objects are `name@provider`.
    fn provider(&self) -> &'static str;

    /// Reads all of it. May block on the file system; what cannot be read keeps its last good state.
    fn read(&mut self) -> Reading;

    /// Reads only these plain files again, given by their absolute paths; `None` where that is not enough and
    /// all of it must be read.
    fn reread(&mut self, _files: &BTreeSet<PathBuf>) -> Option<Config> {
        None
    }
}

/// What a source said, and what it read.
#[derive(Debug)]
pub struct Reading {
    /// The configuration with all problems.
    pub config: Config,
    /// Files and directories that it depends on, whether they exist or not.
    pub paths: BTreeSet<PathBuf>,
}

/// Sends the first complete state at once and then, when `watches`, each state that differs, until nobody
/// receives.
pub async fn run(mut source: impl Source, watches: bool, updates: mpsc::Sender<Update>) {
    let provider = source.provider();
    let mut watch = watches.then(Watch::new);
    let mut last: Option<Arc<Config>> = None;
    let mut heard = Heard::Everything;
    loop {
        let read = tokio::task::spawn_blocking(move || {
            let (config, read) = read(&mut source, heard);
            (source, config, read)
        });
        let (config, read) = match read.await {
            Ok((kept, config, read)) => {
                source = kept;
                (config, read)
            }
            Err(error) => {
                tracing::error!("provider `{provider}` has ended: {error}");
                return;
            }
        };
        if last.as_deref() != Some(&config) {
            let config = Arc::new(config);
            last = Some(Arc::clone(&config));
            let update = Update { provider: provider.to_owned(), config, urgent: false };
            if updates.send(update).await.is_err() {
                return;
            }
        }
        let Some(watch) = &mut watch else { return };
        let armed = match read {
            Read::Everything(paths) => watch.follow(&paths),
            Read::Files(files) => {
                watch.follow_files(&files);
                false
            }
        };
        heard = Heard::Everything;
        // What is watched for the first time may have changed before it was.
        if !armed {
            heard = tokio::select! {
                heard = watch.changed() => heard,
                () = updates.closed() => return,
            }
        }
    }
}

/// What was read.
enum Read {
    /// All of the source, which depends on these paths.
    Everything(BTreeSet<PathBuf>),
    /// These plain files.
    Files(BTreeSet<PathBuf>),
}

/// Reads what was heard of where that is enough, and everything else where it is not.
fn read(source: &mut impl Source, heard: Heard) -> (Config, Read) {
    if let Heard::Files(files) = heard
        && let Some(config) = source.reread(&files)
    {
        return (config, Read::Files(files));
    }
    let Reading { config, paths } = source.read();
    (config, Read::Everything(paths))
}

/// [`Manifests`] as a source.
#[derive(Debug)]
pub struct FolderOfManifests {
    directory: PathBuf,
    manifests: Manifests,
}

impl FolderOfManifests {
    /// The folder that `options` names.
    ///
    /// # Errors
    /// When `labelSelector` is no label selector.
    pub fn new(options: &KubernetesManifests) -> Result<Self, portway_kubernetes::InvalidSelector> {
        let directory = PathBuf::from(&options.directory);
        Ok(Self { directory, manifests: Manifests::new(options)? })
    }
}

impl Source for FolderOfManifests {
    fn provider(&self) -> &'static str {
        "kubernetescrd"
    }

    fn read(&mut self) -> Reading {
        let config = self.manifests.read();
        Reading { config, paths: tree(&self.directory) }
    }
}

#[cfg(test)]
mod tests;
