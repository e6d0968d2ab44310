//! A folder of Kubernetes YAML, read as if it had been applied to a cluster. It speaks for both of Traefik's
//! providers of Kubernetes objects: that of its own kinds, and that of Ingresses.
//!
//! Saving a file applies its objects, deleting a document or a file deletes them. What cannot be read keeps its
//! last good state and is reported: a file that cannot be opened, a document that is no YAML, an object that
//! an API server would refuse.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use portway_kubernetes::{
    INGRESS_PROVIDER, Index, InvalidSelector, PROVIDER, Selection,
    api::{Key, Object},
    translate, translate_ingresses,
};
use portway_model::{
    Diagnostic, Place, Severity,
    dynamic::Http,
    static_config::{KubernetesIngress, KubernetesManifests},
};

use crate::Said;

mod folder;
mod source;

pub use folder::read_directory;
pub use source::{State, Text, read_texts};

/// The source: a folder, what was last read of it, and the index that it feeds.
#[derive(Debug)]
pub struct Manifests {
    directory: String,
    options: KubernetesIngress,
    selection: Selection,
    state: State,
    index: Index,
    /// What the folder said last, by provider, for the next to share.
    last: BTreeMap<&'static str, Http>,
}

impl Manifests {
    /// A source that has read nothing yet.
    ///
    /// # Errors
    /// When `labelSelector` is no label selector.
    pub fn new(manifests: &KubernetesManifests) -> Result<Self, InvalidSelector> {
        Ok(Self {
            directory: manifests.directory.clone(),
            options: manifests.ingress(),
            selection: Selection::new(&manifests.objects)?,
            state: State::default(),
            index: Index::default(),
            last: BTreeMap::new(),
        })
    }

    /// Reads the folder and returns the configuration that it gives. Blocks on the file system; the cost of
    /// parsing is that of the files that changed.
    pub fn read(&mut self) -> Said {
        let state = read_directory(Path::new(&self.directory), &self.state);
        self.update(state)
    }

    /// Applies what the folder says now to the index, deletes what it no longer says, and translates.
    pub fn update(&mut self, state: State) -> Said {
        self.state = state;
        let (objects, doubled) = self.state.objects();
        let wanted: BTreeSet<&Key> = objects.keys().copied().collect();
        let gone: Vec<Key> = self
            .index
            .all()
            .map(|object| &object.key)
            .filter(|key| !wanted.contains(key))
            .cloned()
            .collect();
        for key in &gone {
            self.index.delete(key);
        }
        for (key, object) in objects {
            if !self.selection.accepts(object) {
                self.index.delete(key);
            } else if self.index.exactly(key) != Some(object) {
                self.index.apply(object.clone());
            }
        }
        let mut config = translate(&self.index, &self.options.objects).config;
        config.diagnostics.extend(self.state.diagnostics().cloned());
        config.diagnostics.extend(doubled);
        let ingresses = translate_ingresses(&self.index, &self.options).config;
        let mut said = Said::from([(PROVIDER, config), (INGRESS_PROVIDER, ingresses)]);
        for (provider, config) in &mut said {
            let last = self.last.entry(provider).or_default();
            config.http.share(last);
            *last = config.http.clone();
        }
        said
    }
}

impl State {
    /// All objects by key, and a report of each that stands more than once: the first path wins.
    fn objects(&self) -> (BTreeMap<&Key, &Object>, Vec<Diagnostic>) {
        let mut objects: BTreeMap<&Key, &Object> = BTreeMap::new();
        let mut doubled = Vec::new();
        for object in self.all() {
            let Some(first) = objects.get(&object.key) else {
                objects.insert(&object.key, object);
                continue;
            };
            let place = first.meta.place.as_ref().map(Place::to_string).unwrap_or_default();
            doubled.push(Diagnostic {
                severity: Severity::Error,
                object: object.key.to_string(),
                field: String::new(),
                message: format!("stands in {place} already, which counts; this one has no effect"),
                place: object.meta.place.clone(),
            });
        }
        (objects, doubled)
    }
}

#[cfg(test)]
mod tests;
