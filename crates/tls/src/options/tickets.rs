//! Session tickets: keys that all workers share, that are replaced in time, and that never leave memory.

use std::{fmt, sync::Arc};

use rustls::{TicketRotator, crypto::aws_lc_rs::Ticketer, server::ProducesTickets};

/// How long a key makes tickets where clients are asked for certificates, in seconds; each is taken twice as long.
///
/// A resumed session does not verify the client's certificate again, so that this is how long one that
/// expired may go on.
const VERIFIED_PERIOD: u32 = 30 * 60;

/// New ticket keys; `None` where the system's random source fails, and then nothing is resumed.
///
/// Without client certificates a key makes tickets for six hours and takes them for twelve.
pub(super) fn fresh(guards_clients: bool) -> Option<Arc<dyn ProducesTickets>> {
    if guards_clients {
        let rotator = TicketRotator::new(VERIFIED_PERIOD, || match Ticketer::new() {
            Ok(ticketer) => Ok(Box::new(Shared(ticketer))),
            Err(_) => Err(rustls::crypto::GetRandomFailed),
        });
        return rotator.ok().map(|rotator| Arc::new(rotator) as Arc<dyn ProducesTickets>);
    }
    Ticketer::new().ok()
}

/// A ticketer behind a pointer, as the rotator wants it in a box.
struct Shared(Arc<dyn ProducesTickets>);

impl ProducesTickets for Shared {
    fn enabled(&self) -> bool {
        self.0.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.0.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.0.encrypt(plain)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.0.decrypt(cipher)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared(ticketer)")
    }
}
