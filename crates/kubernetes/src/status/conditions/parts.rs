//! What was found in compiled parts, in the words of the objects that they come from.
//!
//! What a Secret holds is a matter of what an object refers to, and not of the object itself.

use portway_model::{Cause, Problem};

/// What was found in TLS options.
pub(super) fn of_options(problem: &Problem) -> Problem {
    let field = problem.field.replace("caFiles", "secretNames");
    let problem = renamed(problem, format!("spec.{field}"));
    // With a number it is about one of the Secrets, without about there being none.
    match field.starts_with("clientAuth.secretNames[") {
        true => problem.about(Cause::Reference),
        false => problem,
    }
}

/// What was found in a store.
pub(super) fn of_store(problem: &Problem) -> Problem {
    match problem.field.strip_prefix("defaultCertificate") {
        None => renamed(problem, format!("spec.{}", problem.field)),
        Some(rest) => {
            let field = format!("spec.defaultCertificate.secretName{}", keys_of_secrets(rest));
            renamed(problem, field).about(Cause::Reference)
        }
    }
}

/// What was found in a servers transport.
pub(super) fn of_transport(problem: &Problem) -> Problem {
    let field = problem.field.as_str();
    if field.starts_with("rootCAs[") {
        // It is left out, and nobody is trusted in its place: not what was asked for.
        return Problem::error(format!("spec.{field}"), &problem.message).about(Cause::Reference);
    }
    match field.strip_prefix("certificates[") {
        None if field.is_empty() => renamed(problem, "spec".to_owned()),
        None => renamed(problem, format!("spec.{field}")),
        Some(rest) => {
            let field = format!("spec.certificatesSecrets[{}", keys_of_secrets(rest));
            Problem::error(field, &problem.message).about(Cause::Reference)
        }
    }
}

/// What was found in the certificate of a Secret, for who names it.
pub(super) fn of_certificate(secret: &str, problem: &Problem) -> Problem {
    let field = format!("Secret {secret}, {}", problem.field);
    renamed(problem, field).about(Cause::Reference)
}

fn renamed(problem: &Problem, field: String) -> Problem {
    Problem { field, ..problem.clone() }
}

/// A field of a certificate as a Secret has it.
fn keys_of_secrets(field: &str) -> String {
    field
        .replace(".certFile", ", tls.crt")
        .replace(".keyFile", ", tls.key")
        .replace(".tls.", ", tls.")
}
