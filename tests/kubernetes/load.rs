//! Requests without a pause while something else happens.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use portway_testkit::client::Client;

/// Clients at the same time.
const CLIENTS: usize = 8;

/// Between two requests of a client; servers and API server share the machine.
const PAUSE: Duration = Duration::from_millis(2);

/// After how many requests a client takes another connection.
const REQUESTS: usize = 16;

/// Clients that ask until they are told to end.
#[derive(Debug)]
pub(super) struct Load {
    over: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    /// Begins to ask for a host, by GET and by POST (which nobody may repeat), on new and on old connections.
    pub(super) fn start(address: SocketAddr, host: &str) -> Self {
        Self::on_hosts(address, &[host.to_owned()])
    }

    /// The same for several hosts by turns.
    pub(super) fn on_hosts(address: SocketAddr, hosts: &[String]) -> Self {
        let (over, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let client = |number| {
            let (over, answered, hosts) =
                (Arc::clone(&over), Arc::clone(&answered), hosts.to_vec());
            thread::spawn(move || {
                let mut failures = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    if let Err(failure) = connection(address, &hosts, number, &over, &answered) {
                        failures.push(failure);
                    }
                }
                failures
            })
        };
        let clients = (0..CLIENTS).map(client).collect();
        Self { over, answered, clients }
    }

    /// How many answers have come so far.
    pub(super) fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    /// Ends, and returns how many requests were answered.
    ///
    /// # Panics
    /// When an answer was another than 200, or none came.
    #[track_caller]
    pub(super) fn finish(self) -> usize {
        let answered = self.answered();
        self.over.store(true, Ordering::Relaxed);
        let clients = self.clients.into_iter();
        let failures: Vec<_> =
            clients.flat_map(|client| client.join().expect("a client")).collect();
        let (count, first) = (failures.len(), &failures[..failures.len().min(5)]);
        assert!(count == 0, "{count} requests failed, {answered} did not: {first:#?}");
        answered
    }
}

/// Asks on one connection.
fn connection(
    address: SocketAddr,
    hosts: &[String],
    number: usize,
    over: &AtomicBool,
    answered: &AtomicUsize,
) -> Result<(), String> {
    let mut client = Client::connect(address).map_err(|error| format!("connect: {error}"))?;
    for count in 0..REQUESTS {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let (method, body) =
            if (number + count).is_multiple_of(2) { ("GET", "") } else { ("POST", "x") };
        let host = &hosts[(number + count / 2) % hosts.len()];
        let request = format!(
            "{method} / HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let response = client.ask(request).map_err(|error| format!("{method} {count}: {error}"))?;
        if response.status != 200 || !response.complete {
            return Err(format!("{method} {count}: {} {}", response.status, response.text()));
        }
        answered.fetch_add(1, Ordering::Relaxed);
        if response.headers.value("Connection") == Some("close") {
            break;
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}
