//! Certificates and TLS options; what each entry point makes of them follows with its routers.

use std::sync::Arc;

use portway_model::{Cause, Entry, Problem, dynamic::Material, runtime::Runtime};
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
        let found = &in_words_of_secrets(found, |_| Some(&entry.spec.cert));
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
        let default = entry.spec.default_certificate.as_ref().map(|default| &default.cert);
        let found = &in_words_of_secrets(found, |_| default);
        runtime.found.stores.insert(name.clone(), found_in(entry, found));
        tell(runtime, &format!("TLS store {name}"), entry, found);
    }
    let certificates = Arc::new(certificates);
    let (options, problems) =
        Options::compile(&objects.tls_options, &certificates, before.options.as_deref());
    for (name, entry) in &objects.tls_options {
        let found = problems.get(name).map(Vec::as_slice).unwrap_or_default();
        let authorities = &entry.spec.client_auth.authorities;
        let found = &in_words_of_secrets(found, |field| authorities.get(number(field)?));
        runtime.found.options.insert(name.clone(), found_in(entry, found));
        tell(runtime, &format!("TLS options {name}"), entry, found);
    }
    let options = Arc::new(options);
    carried.certificates = Some(certificates);
    carried.options = Some(Arc::clone(&options));
    options
}

/// Problems in the words of Secrets, where what a field means comes from one: with its keys, and its name.
fn in_words_of_secrets<'m>(
    problems: &[Problem],
    material: impl Fn(&str) -> Option<&'m Material>,
) -> Vec<Problem> {
    let told = problems.iter().map(|problem| {
        let secret = material(&problem.field).and_then(|m| m.written.strip_prefix("of Secret "));
        let Some(secret) = secret else { return problem.clone() };
        let field = problem
            .field
            .replace("certFile", "tls.crt")
            .replace("keyFile", "tls.key")
            .replace("caFiles", "secretNames");
        let message = match field.as_str() {
            // These are told of the certificate of a Secret.
            "tls.crt" | "tls.key" => problem.message.clone(),
            _ => format!("Secret {secret}: {}", problem.message),
        };
        Problem { field, message, ..problem.clone() }
    });
    told.collect()
}

/// The number in brackets that a field ends with.
fn number(field: &str) -> Option<usize> {
    field.strip_suffix(']')?.rsplit_once('[')?.1.parse().ok()
}

/// What was found here, and what its source could not know: that another one has its name.
fn found_in<T>(entry: &Entry<T>, found: &[Problem]) -> Vec<Problem> {
    let conflicts = entry.problems.iter().filter(|problem| problem.cause == Cause::Conflict);
    conflicts.chain(found).cloned().collect()
}

fn tell<T>(runtime: &mut Runtime, object: &str, entry: &Entry<T>, found: &[Problem]) {
    report(runtime, object, entry, entry.problems.iter().chain(found));
}
