//! What a server asks of clients, recorded by the one who answers with a certificate.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;

use crate::certificate::Certificate;

/// Whether a certificate was asked for, and of whose: the names (DER) of the authorities that are good.
#[derive(Clone, Debug, Default)]
pub struct Asked(Arc<Mutex<Option<Vec<Vec<u8>>>>>);

impl Asked {
    /// What was asked last; `None` if nothing was.
    #[must_use]
    pub fn authorities(&self) -> Option<Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A client that shows `identity`, or nothing, and records what it is asked.
    pub(crate) fn answering(
        &self,
        identity: Option<&Certificate>,
        provider: &CryptoProvider,
    ) -> io::Result<Arc<dyn ResolvesClientCert>> {
        let shown = match identity {
            None => None,
            Some(certificate) => {
                let (chain, key) = certificate.identity();
                let key = provider.key_provider.load_private_key(key).map_err(io::Error::other)?;
                Some(Arc::new(CertifiedKey::new(chain, key)))
            }
        };
        Ok(Arc::new(Answering { asked: self.clone(), shown }))
    }
}

#[derive(Debug)]
struct Answering {
    asked: Asked,
    shown: Option<Arc<CertifiedKey>>,
}

impl ResolvesClientCert for Answering {
    fn resolve(
        &self,
        authorities: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let names = authorities.iter().map(|name| name.to_vec()).collect();
        *self.asked.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(names);
        let shown = self.shown.as_ref()?;
        shown.key.choose_scheme(schemes).map(|_| Arc::clone(shown))
    }

    fn has_certs(&self) -> bool {
        true
    }
}
