//! What is live of what a provider says.

use std::collections::{BTreeMap, HashMap};

use portway_model::{
    Problem,
    name::qualify,
    runtime::{Found, RouterInfo, Runtime},
};

use crate::translate::{DEFAULT, of_secret};

/// What is live of what a provider says.
pub(super) struct Live<'a> {
    pub(super) runtime: &'a Runtime,
    provider: &'static str,
    /// Routers that have another name than the one that they were written under, by that.
    renamed: HashMap<&'a str, Vec<&'a RouterInfo>>,
}

impl<'a> Live<'a> {
    pub(super) fn new(runtime: &'a Runtime, provider: &'static str) -> Self {
        let mut renamed = HashMap::<_, Vec<_>>::new();
        for (name, info) in &runtime.routers {
            if *name != info.written {
                renamed.entry(&*info.written).or_default().push(&**info);
            }
        }
        Self { runtime, provider, renamed }
    }

    /// A name as the provider's objects have it.
    pub(super) fn qualified(&self, name: &str) -> String {
        qualify(name, self.provider)
    }

    /// What was found in a part of this name.
    pub(super) fn found(
        &self,
        parts: impl Fn(&'a Found) -> &'a BTreeMap<String, Vec<Problem>>,
        name: &str,
    ) -> impl Iterator<Item = &'a Problem> {
        let name = if name == DEFAULT { name.to_owned() } else { self.qualified(name) };
        parts(&self.runtime.found).get(&name).into_iter().flatten()
    }

    /// What was found in the certificate of a Secret.
    pub(super) fn certificate(&self, secret: &str) -> impl Iterator<Item = &'a Problem> {
        let found = self.runtime.found.certificates.get(&of_secret(secret));
        found.into_iter().flatten()
    }

    /// All routers that one became: entry points with settings of their own, or on which its TLS options do not stand,
    /// have another each.
    pub(super) fn routers(&self, name: &str) -> impl Iterator<Item = &'a RouterInfo> {
        let name = self.qualified(name);
        let same = self.runtime.routers.get(&name).map(|info| &**info);
        // What another router is named after its entry point is no part of this one.
        let same = same.filter(|info| *info.written == *name);
        let renamed = self.renamed.get(name.as_str());
        same.into_iter().chain(renamed.into_iter().flatten().copied())
    }
}
