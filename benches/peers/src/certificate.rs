//! The certificate that all contenders show: self-signed, ECDSA P-256, made for the run.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;

use crate::contender::HOST;

/// Where the certificate lies, in the forms that contenders want.
#[derive(Debug)]
pub(crate) struct Certificate {
    folder: PathBuf,
}

impl Certificate {
    /// Makes one and writes it into a folder.
    pub(crate) fn make(folder: &Path) -> Result<Self> {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let certificate = rcgen::CertificateParams::new([HOST.to_owned()])?.self_signed(&key)?;
        let (chain, key) = (certificate.pem(), key.serialize_pem());
        let made = Self { folder: folder.to_owned() };
        fs::write(made.chain(), &chain)?;
        fs::write(made.key(), &key)?;
        fs::write(made.combined(), chain + &key)?;
        Ok(made)
    }

    /// The certificate as PEM.
    pub(crate) fn chain(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    /// Its key as PEM.
    pub(crate) fn key(&self) -> PathBuf {
        self.folder.join("key.pem")
    }

    /// Both in one file.
    pub(crate) fn combined(&self) -> PathBuf {
        self.folder.join("combined.pem")
    }
}
