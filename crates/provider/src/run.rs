//! Reads a source whenever it may have changed, and sends what it says.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use portway_kubernetes::{INGRESS_PROVIDER, PROVIDER};
use portway_model::{dynamic::Config, static_config::KubernetesManifests};
use tokio::sync::mpsc;

use crate::{
    manifests::Manifests,
    watch::{Heard, Watch, tree},
};

/// All that one provider says now, or several that change together.
#[derive(Clone, Debug)]
pub struct Update {
    /// What they say, by the provider's name, such as `file`.
    pub configs: BTreeMap<String, Arc<Config>>,
    /// Whether it should be live before others have been gathered.
    pub urgent: bool,
}

impl Update {
    /// What one provider says.
    pub fn of(provider: impl Into<String>, config: Arc<Config>) -> Self {
        Self { configs: BTreeMap::from([(provider.into(), config)]), urgent: false }
    }
}

/// Updates that may wait for the aggregator: few, since each replaces the one before.
const WAITING: usize = 8;

/// The channel from providers to the [`crate::Aggregator`].
pub fn updates() -> (mpsc::Sender<Update>, mpsc::Receiver<Update>) {
    mpsc::channel(WAITING)
}

/// Something that can be read again and again.
pub trait Source: Send + 'static {
    /// The names of the providers that it speaks for; objects are `name@provider`.
    fn providers(&self) -> &'static [&'static str];

    /// Reads all of it. May block on the file system; what cannot be read keeps its last good state.
    fn read(&mut self) -> Reading;

    /// Reads only these plain files again, given by their absolute paths; `None` where that is not enough and
    /// all of it must be read.
    fn reread(&mut self, _files: &BTreeSet<PathBuf>) -> Option<Said> {
        None
    }
}

/// The configuration of each provider that a source speaks for, with all problems.
pub type Said = BTreeMap<&'static str, Config>;

/// What a source said, and what it read.
#[derive(Debug)]
pub struct Reading {
    /// What it said, of every one of its providers.
    pub said: Said,
    /// Files and directories that it depends on, whether they exist or not.
    pub paths: BTreeSet<PathBuf>,
}

/// Sends the first complete state at once and then, when `watches`, each state that differs, until nobody
/// receives. What changes together is sent together.
pub async fn run(mut source: impl Source, watches: bool, updates: mpsc::Sender<Update>) {
    let providers = source.providers();
    let mut watch = watches.then(Watch::new);
    let mut last: BTreeMap<&'static str, Arc<Config>> = BTreeMap::new();
    let mut heard = Heard::Everything;
    loop {
        let read = tokio::task::spawn_blocking(move || {
            let (said, read) = read(&mut source, heard);
            (source, said, read)
        });
        let (said, read) = match read.await {
            Ok((kept, said, read)) => {
                source = kept;
                (said, read)
            }
            Err(error) => {
                tracing::error!("provider `{}` has ended: {error}", providers.join("`, `"));
                return;
            }
        };
        let mut update = Update { configs: BTreeMap::new(), urgent: false };
        for (provider, config) in said {
            if last.get(provider).is_none_or(|last| **last != config) {
                let config = Arc::new(config);
                last.insert(provider, Arc::clone(&config));
                update.configs.insert(provider.to_owned(), config);
            }
        }
        if !update.configs.is_empty() && updates.send(update).await.is_err() {
            return;
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
fn read(source: &mut impl Source, heard: Heard) -> (Said, Read) {
    if let Heard::Files(files) = heard
        && let Some(said) = source.reread(&files)
    {
        return (said, Read::Files(files));
    }
    let Reading { said, paths } = source.read();
    (said, Read::Everything(paths))
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
    fn providers(&self) -> &'static [&'static str] {
        &[PROVIDER, INGRESS_PROVIDER]
    }

    fn read(&mut self) -> Reading {
        let said = self.manifests.read();
        Reading { said, paths: tree(&self.directory) }
    }
}

#[cfg(test)]
mod tests;
