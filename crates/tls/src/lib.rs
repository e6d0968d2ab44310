//! Certificates, SNI choice, TLS options and client authentication.
//!
//! [`Certificates`] is the compiled set of certificates with its lookup by server name; [`Options`] are
//! the compiled TLS options, each a ready configuration of rustls over those certificates;
//! [`EntryPointTls`] chooses among them by what a ClientHello says, before any HTTP is read;
//! [`ClientTls`] is the other side, towards servers; [`facts`] tells what a handshake agreed on, and
//! [`ClientCertificates`] what the client has shown.
//!
//! # Invariants
//!
//! - Nothing here does IO or reads a clock but [`GeneratedDefault::generate`], [`NativeRoots::load`] and, to warn of
//!   authorities that have expired, [`Options::compile`].
//! - Options that cannot be built are kept as refused: their hosts' connections are closed, never
//!   served by other options.
//! - A session ticket is only good for the options that issued it, unchanged.
//! - No private key is ever printed.

mod certificate;
mod certificates;
mod chain;
mod client;
mod client_certificates;
mod crypto;
mod entry;
pub mod facts;
mod generated;
mod ocsp;
mod options;
mod pem;
mod subject;
mod verify;

#[cfg(test)]
mod tests;

pub use certificate::{BadCertificate, LoadedCertificate};
pub use certificates::{CertificateProblems, Certificates};
pub use client::{BadServerName, ClientTls, NativeRoots};
pub use client_certificates::{ClientCertificate, ClientCertificates, Name};
pub use entry::{Applied, Choice, EntryPointTls, Hello, Refusal, TlsRouter};
pub use generated::GeneratedDefault;
pub use ocsp::{BadAnswer, StatusQuestion, Validity};
pub use options::{CompiledOptions, DEFAULT_OPTIONS, Options};
