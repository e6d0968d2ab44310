//! Reads what a configuration only names: certificates, keys, authorities, lists of users.
//!
//! What could be read once and cannot any more keeps its last content and is reported.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use portway_model::{
    Entry, Names, Problem, Severity,
    dynamic::{Certificate, Config, Material, Middleware, ServersTransport, TlsOptions},
};

use crate::stamp::Stamp;

/// Bytes of one file, at most.
const MAX_FILE: u64 = 4 << 20;

/// Contents of files by path.
#[derive(Default)]
pub struct Materials {
    kept: BTreeMap<PathBuf, (Option<Stamp>, Vec<u8>)>,
    used: BTreeSet<PathBuf>,
}

impl std::fmt::Debug for Materials {
    /// Without the contents: they are secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Materials").field("used", &self.used).finish_non_exhaustive()
    }
}

impl Materials {
    /// Reads all files that the configuration names; what cannot be read is a problem of the object that names it.
    /// Returns the files' paths.
    pub fn fill(&mut self, config: &mut Config) -> BTreeSet<PathBuf> {
        self.used.clear();
        let names_users = |spec: &Middleware| matches!(spec, Middleware::BasicAuth(auth) | Middleware::DigestAuth(auth) if !auth.users_file.is_empty());
        edit(&mut config.http.middlewares, names_users, |entry| {
            let field = format!("{}.usersFile", entry.spec.kind());
            if let Middleware::BasicAuth(auth) | Middleware::DigestAuth(auth) =
                Arc::make_mut(&mut entry.spec)
            {
                let path = PathBuf::from(&auth.users_file);
                let text = self.read(&path, &field, &mut entry.problems);
                auth.users_of_file = lines(&text);
            }
        });
        let names_tls = |spec: &Middleware| match spec {
            Middleware::ForwardAuth(auth) => auth.tls.is_some(),
            Middleware::RateLimit(limit) => {
                limit.redis.as_ref().is_some_and(|redis| redis.tls.is_some())
            }
            _ => false,
        };
        edit(&mut config.http.middlewares, names_tls, |entry| {
            let (tls, field) = match Arc::make_mut(&mut entry.spec) {
                Middleware::ForwardAuth(auth) => (auth.tls.as_mut(), "forwardAuth.tls"),
                Middleware::RateLimit(limit) => {
                    let tls = limit.redis.as_mut().and_then(|redis| redis.tls.as_mut());
                    (tls, "rateLimit.redis.tls")
                }
                _ => return,
            };
            let Some(tls) = tls else { return };
            for (name, material) in
                [("ca", &mut tls.ca), ("cert", &mut tls.cert), ("key", &mut tls.key)]
            {
                self.material(material, &format!("{field}.{name}"), &mut entry.problems);
            }
        });
        let names_material =
            |spec: &ServersTransport| !spec.root_cas.is_empty() || !spec.certificates.is_empty();
        edit(&mut config.http.servers_transports, names_material, |entry| {
            let mut found = Vec::new();
            self.transport(Arc::make_mut(&mut entry.spec), &mut found);
            // Nobody is trusted, or convinced, by what cannot be read: as in Traefik, the rest still counts.
            let survived = |problem: Problem| Problem { severity: Severity::Warning, ..problem };
            entry.problems.extend(found.into_iter().map(survived));
        });
        for entry in &mut config.tls.certificates {
            self.certificate(Arc::make_mut(&mut entry.spec), "", &mut entry.problems);
        }
        let verifies = |spec: &TlsOptions| !spec.client_auth.authorities.is_empty();
        edit(&mut config.tls.options, verifies, |entry| {
            let options = Arc::make_mut(&mut entry.spec);
            let authorities = options.client_auth.authorities.iter_mut().enumerate();
            for (i, authority) in authorities {
                let field = format!("clientAuth.caFiles[{i}]");
                self.material(authority, &field, &mut entry.problems);
            }
        });
        edit(
            &mut config.tls.stores,
            |_| true,
            |entry| {
                if let Some(certificate) = &mut Arc::make_mut(&mut entry.spec).default_certificate {
                    self.certificate(certificate, "defaultCertificate.", &mut entry.problems);
                }
            },
        );
        let used = &self.used;
        self.kept.retain(|path, _| used.contains(path));
        used.clone()
    }

    /// The paths of what was filled in last.
    pub(crate) fn paths(&self) -> BTreeSet<PathBuf> {
        self.used.clone()
    }

    /// Reads all files that a servers transport names.
    pub fn transport(&mut self, transport: &mut ServersTransport, problems: &mut Vec<Problem>) {
        for (i, authority) in transport.root_cas.iter_mut().enumerate() {
            self.material(authority, &format!("rootCAs[{i}]"), problems);
        }
        for (i, certificate) in transport.certificates.iter_mut().enumerate() {
            self.certificate(certificate, &format!("certificates[{i}]."), problems);
        }
    }

    fn certificate(
        &mut self,
        certificate: &mut Certificate,
        field: &str,
        problems: &mut Vec<Problem>,
    ) {
        self.material(&mut certificate.cert, &format!("{field}certFile"), problems);
        self.material(&mut certificate.key, &format!("{field}keyFile"), problems);
    }

    /// Key material is a path, or PEM text (Traefik: FileOrContent).
    fn material(&mut self, material: &mut Material, field: &str, problems: &mut Vec<Problem>) {
        let written = &material.written;
        if written.is_empty() {
            return;
        }
        material.content = if written.contains("-----BEGIN") {
            written.clone().into_bytes()
        } else if written.contains('\n') {
            let message = "is neither a path nor PEM text";
            problems.push(Problem::error(field, message));
            Vec::new()
        } else {
            self.read(Path::new(written), field, problems)
        };
    }

    fn read(&mut self, path: &Path, field: &str, problems: &mut Vec<Problem>) -> Vec<u8> {
        self.used.insert(path.to_path_buf());
        let name = path.display();
        if let Some((Some(stamp), content)) = self.kept.get(path)
            && Stamp::of(path) == Some(*stamp)
        {
            return content.clone();
        }
        match read_file(path, MAX_FILE) {
            Ok((content, stamp)) => {
                self.kept.insert(path.to_path_buf(), (stamp, content.clone()));
                content
            }
            Err(error) => match self.kept.get_mut(path) {
                Some((stamp, content)) => {
                    *stamp = None;
                    let message = format!(
                        "`{name}` cannot be read any more, its last content is used: {error}"
                    );
                    problems.push(Problem::warning(field, message));
                    content.clone()
                }
                None => {
                    problems
                        .push(Problem::error(field, format!("`{name}` cannot be read: {error}")));
                    Vec::new()
                }
            },
        }
    }
}

/// How long a file has not been written to when it counts as whole.
const SETTLED: Duration = Duration::from_millis(20);
/// Looks at a file that is being written, at most.
const MAX_LOOKS: u32 = 10;

/// Reads a file of at most `limit` bytes, and once more while it is being written: half a file would delete what
/// is in its other half for a moment.
///
/// With the stamp that it keeps while it says the same; none where it never came to rest.
pub(crate) fn read_file(path: &Path, limit: u64) -> io::Result<(Vec<u8>, Option<Stamp>)> {
    let mut looks = 0;
    loop {
        let mut content = Vec::new();
        let file = fs::File::open(path)?;
        (&file).take(limit + 1).read_to_end(&mut content)?;
        if u64::try_from(content.len()).map_or(true, |size| size > limit) {
            return Err(io::Error::other(format!("larger than {} MiB", limit >> 20)));
        }
        looks += 1;
        // The time is asked for last, so that a write in the middle is seen; one in the future says nothing.
        let metadata = file.metadata()?;
        let age = metadata.modified()?.elapsed().unwrap_or(SETTLED);
        // A file is empty for a moment before its time says that it was emptied.
        let doubtful = age < SETTLED || (content.is_empty() && looks == 1);
        if !doubtful || looks == MAX_LOOKS {
            // Whatever is written from here on gets a later time: clocks of file systems tick every few milliseconds.
            return Ok((content, (!doubtful).then(|| Stamp::from(&metadata))));
        }
        thread::sleep(SETTLED);
    }
}

/// Edits the objects that `wanted` picks; all others stay shared.
fn edit<T: Clone>(
    objects: &mut Names<Entry<T>>,
    wanted: impl Fn(&T) -> bool,
    mut edit: impl FnMut(&mut Entry<T>),
) {
    let picked = objects.iter().filter(|(_, entry)| wanted(&entry.spec));
    let picked: Vec<_> = picked.map(|(name, _)| Arc::clone(name)).collect();
    for name in picked {
        if let Some(entry) = objects.get_mut(&name) {
            edit(entry);
        }
    }
}

/// The lines of a list of users, without empty ones and comments (`#`).
fn lines(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}
