//! Certificates and TLS options; what each entry point makes of them follows with its routers.

use std::sync::Arc;

use portway_model::{Cause, Entry, Problem, runtime::Runtime};
use portway_tls::{Certificates, Options};
use rustls_pki_types::UnixTime;

use crate::compile::{
    Environment,
    names::{Objects, report},
};

/// What the next snapshot need not parse again.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    pub(super) certificates: Option<Arc<Certificates>>,
    pub(super) options: Option<Arc<Options>>,
}

/// Compiles certificates and options; their problems are told as diagnostics.
pub(crate) fn compile(
    objects: &Objects<'_>,
    environment: &Environment,
    now: UnixTime,
    before: &Carried,
    carried: &mut Carried,
    runtime: &mut Runtime,
) -> Arc<Options> {
    let (certificates, problems) = Certificates::compile(
        &objects.certificates,
        &objects.tls_stores,
        before.certificates.as_deref(),
        &environment.generated,
        now,
    );
    for (index, entry) in objects.certificates.iter().enumerate() {
        let found = problems.certificates.get(index).map(Vec::as_slice).unwrap_or_default();
        let written = entry.spec.cert.written.clone();
        runtime.found.certificates.entry(written).or_default().extend(found.iter().cloned());
        // A path tells certificates apart; PEM text does not.
        let name = match entry.spec.cert.written.as_str() {
            path if !path.is_empty() && !path.contains('\n') => format!("certificate {path}"),
            _ => format!("certificate {}", index + 1),
        };
        tell(runtime, &name, entry, found);
    }
    for (name, entry) in &objects.tls_stores {
        let found = problems.stores.get(name).map(Vec::as_slice).unwrap_or_default();
        runtime.found.stores.insert(name.clone(), found_in(entry, found));
        tell(runtime, &format!("TLS store {name}"), entry, found);
    }
    let certificates = Arc::new(certificates);
    let (options, problems) =
        Options::compile(&objects.tls_options, &certificates, before.options.as_deref());
    for (name, entry) in &objects.tls_options {
        let found = problems.get(name).map(Vec::as_slice).unwrap_or_default();
        runtime.found.options.insert(name.clone(), found_in(entry, found));
        tell(runtime, &format!("TLS options {name}"), entry, found);
    }
    let options = Arc::new(options);
    carried.certificates = Some(certificates);
    carried.options = Some(Arc::clone(&options));
    options
}

/// What was found here, and what its source could not know: that another one has its name.
fn found_in<T>(entry: &Entry<T>, found: &[Problem]) -> Vec<Problem> {
    let conflicts = entry.problems.iter().filter(|problem| problem.cause == Cause::Conflict);
    conflicts.chain(found).cloned().collect()
}

fn tell<T>(runtime: &mut Runtime, object: &str, entry: &Entry<T>, found: &[Problem]) {
    report(runtime, object, entry, entry.problems.iter().chain(found));
}
