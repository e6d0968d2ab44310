//! The idle connections to one server, as many as all workers together may keep.

use std::{sync::Arc, time::Instant};

use super::Connection;
use crate::{Server, ServerId};

/// Connections to one server that carry one request at a time and have none; last in, first out.
#[derive(Debug)]
pub(super) struct Idle {
    connections: Vec<Connection>,
    /// How many of them there is place for. Places are kept while connections are in use, so that a request changes
    /// nothing that other workers look at, and given back by [`Idle::sweep`].
    places: usize,
    /// Where places are taken from; `None` where no other pool counts.
    common: Option<Arc<ServerId>>,
}

impl Idle {
    /// No connection to `server`; `is_own` where it is counted apart from other pools.
    pub(super) fn new(server: &Server, is_own: bool) -> Self {
        let common = (!is_own).then(|| Arc::clone(&server.id));
        Self { connections: Vec::new(), places: 0, common }
    }

    /// Takes the connection that was used last, leaving out those that ended meanwhile.
    pub(super) fn take(&mut self, now: Instant) -> Option<Connection> {
        while let Some(mut connection) = self.connections.pop() {
            if connection.is_useful(now) {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection, unless all pools together have `most`.
    pub(super) fn put(&mut self, connection: Connection, most: usize) {
        if self.connections.len() < self.places || self.find_place(most) {
            self.connections.push(connection);
        }
    }

    fn find_place(&mut self, most: usize) -> bool {
        let found = match &self.common {
            Some(common) => common.take_place(most),
            None => self.places < most,
        };
        self.places += usize::from(found);
        found
    }

    /// Closes what has ended or was idle too long, and leaves places that are not needed to others; says how many are
    /// left.
    pub(super) fn sweep(&mut self, now: Instant) -> usize {
        self.connections.retain_mut(|connection| connection.is_useful(now));
        self.give_back(self.places - self.connections.len());
        self.connections.len()
    }

    fn give_back(&mut self, places: usize) {
        if let Some(common) = &self.common {
            common.give_back(places);
        }
        self.places -= places;
    }

    pub(super) fn len(&self) -> usize {
        self.connections.len()
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        self.give_back(self.places);
    }
}
