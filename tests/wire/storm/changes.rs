//! The configuration while it changes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fs, thread};

use portway_testkit::backend::{Backend, script};
use portway_testkit::certificate::Certificate;
use portway_testkit::client::Client;
use portway_testkit::process::Process;
use portway_testkit::random::Random;

use super::ledger::Ledger;
use super::origin::Origin;
use super::plan::Generation;

/// How long a change may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the configuration is written, and what for.
pub(super) struct Site {
    folder: PathBuf,
    ready: SocketAddr,
    ledger: Arc<Ledger>,
    origins: Vec<Origin>,
    /// Says yes to everybody.
    auth: Backend,
}

impl Site {
    pub(super) fn new(
        process: &Process,
        ledger: Arc<Ledger>,
        origins: Vec<Origin>,
        certificates: &[Certificate],
    ) -> Self {
        for (number, certificate) in certificates.iter().enumerate() {
            let folder = process.folder();
            folder.write(&format!("certificate{number}.pem"), &certificate.certificate_pem);
            folder.write(&format!("key{number}.pem"), &certificate.key_pem);
        }
        let folder = process.folder().path().to_owned();
        let auth =
            Backend::scripted(|_| script::write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
        Self { folder, ready: process.address("ready"), ledger, origins, auth }
    }

    /// Writes the next configuration, and waits until it is live.
    pub(super) fn change(&self, number: u64, random: &mut Random) {
        let generation = Generation::new(number, random, &self.origins);
        let auth = self.auth.address().to_string();
        let text = generation.text(&self.origins, &self.folder.to_string_lossy(), &auth);
        self.ledger.written(generation);
        let draft = self.folder.join("storm.draft");
        fs::write(&draft, text).expect("a draft");
        fs::rename(draft, self.folder.join("dynamic/storm.yml")).expect("a file");
        let begun = Instant::now();
        while !self.is_live(number) {
            if begun.elapsed() > PATIENCE {
                return self.ledger.fault(format!("generation {number} is never live"));
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.ledger.live(number);
        self.ledger.count("generations");
    }

    /// No connection to what says yes is kept.
    pub(super) fn calm(&self) {
        self.auth.drop_connections();
    }

    fn is_live(&self, number: u64) -> bool {
        let request =
            format!("GET /storm-{number} HTTP/1.1\r\nHost: ready\r\nConnection: close\r\n\r\n");
        let answer = Client::connect(self.ready).and_then(|mut client| client.ask(request));
        answer.is_ok_and(|response| response.status == 418)
    }

    /// Changes it again and again, until the storm is over; gives back the last one's number.
    pub(super) fn follow(&self, random: &mut Random) {
        while !self.ledger.is_over() {
            self.change(self.ledger.since() + 1, random);
            thread::sleep(Duration::from_millis(20 + random.below(300) as u64));
        }
    }
}
