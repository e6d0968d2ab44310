//! Sessions to be resumed, offered to every name: a server has to see for itself where one is good.

use std::io;
use std::sync::{Arc, OnceLock};

use rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, Resumption, Tls12ClientSessionValue,
    Tls13ClientSessionValue,
};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, NamedGroup};

/// Sessions of all connections that share it.
///
/// All are made as the first one was, whatever else is asked for, but for the server's name: rustls resumes
/// nothing for another client.
#[derive(Clone, Debug, Default)]
pub struct Sessions(Arc<OnceLock<Arc<ClientConfig>>>);

impl Sessions {
    /// The client that all connections are made with; `make` makes it the first time.
    pub(crate) fn client(
        &self,
        make: impl FnOnce() -> io::Result<ClientConfig>,
    ) -> io::Result<Arc<ClientConfig>> {
        if let Some(made) = self.0.get() {
            return Ok(Arc::clone(made));
        }
        let mut made = make()?;
        let store = Nameless(ClientSessionMemoryCache::new(16));
        made.resumption = Resumption::store(Arc::new(store));
        Ok(Arc::clone(self.0.get_or_init(|| Arc::new(made))))
    }
}

/// A store that takes all names for one.
#[derive(Debug)]
struct Nameless(ClientSessionMemoryCache);

fn any() -> ServerName<'static> {
    ServerName::try_from("any.test").expect("a name")
}

impl ClientSessionStore for Nameless {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        self.0.set_kx_hint(any(), group);
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.0.kx_hint(&any())
    }

    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.0.set_tls12_session(any(), value);
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.0.tls12_session(&any())
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.0.remove_tls12_session(&any());
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.0.insert_tls13_ticket(any(), value);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.0.take_tls13_ticket(&any())
    }
}
