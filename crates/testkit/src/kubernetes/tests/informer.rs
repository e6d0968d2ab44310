//! A client as small as one can be that still ends right after every schedule: the proof that
//! schedules ask for nothing impossible.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

use super::{ApiServer, Lines, Said, exchange};

/// Follows the objects of one collection until it is dropped.
pub(super) struct Informer {
    seen: Arc<Mutex<BTreeMap<String, Value>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Informer {
    pub(super) fn follow(server: &ApiServer, path: &str) -> Self {
        let seen = Arc::new(Mutex::new(BTreeMap::new()));
        let over = Arc::new(AtomicBool::new(false));
        let follower = Follower {
            server: server.clone(),
            path: path.to_owned(),
            seen: Arc::clone(&seen),
            over: Arc::clone(&over),
        };
        let thread = Some(thread::spawn(move || follower.run()));
        Self { seen, over, thread }
    }

    /// The objects as they are now for the client, by namespace and name.
    pub(super) fn objects(&self) -> BTreeMap<String, Value> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Informer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = self.thread.take().unwrap().join();
    }
}

struct Follower {
    server: ApiServer,
    path: String,
    seen: Arc<Mutex<BTreeMap<String, Value>>>,
    over: Arc<AtomicBool>,
}

impl Follower {
    fn run(&self) {
        let mut position = None;
        while !self.over.load(Ordering::Relaxed) {
            position = match position {
                None => self.list(),
                Some(version) => self.watch(version),
            };
            if position.is_none() {
                thread::sleep(Duration::from_millis(3));
            }
        }
    }

    /// Reads all pages; the version to watch from, or `None` when something went wrong.
    fn list(&self) -> Option<String> {
        let mut found = BTreeMap::new();
        let mut token = String::new();
        loop {
            let target = format!("{}?limit=7&continue={token}", self.path);
            let response = exchange(&self.server, "GET", &target, "", "").ok()?;
            if response.status == 404 {
                self.seen.lock().unwrap().clear();
            }
            if response.status != 200 || !response.complete {
                return None;
            }
            let list: Value = serde_json::from_slice(&response.body).ok()?;
            for item in list["items"].as_array()? {
                found.insert(name(item), item["metadata"].clone());
            }
            token = list["metadata"]["continue"].as_str().unwrap_or_default().to_owned();
            if token.is_empty() {
                *self.seen.lock().unwrap() = found;
                return Some(super::version(&list).to_owned());
            }
        }
    }

    /// Applies events until the watch ends; where to go on, or `None` to list again.
    fn watch(&self, mut version: String) -> Option<String> {
        let target = format!(
            "{}?watch=true&allowWatchBookmarks=true&timeoutSeconds=60&resourceVersion={version}",
            self.path
        );
        let mut lines = match Lines::open(&self.server, &target, Duration::from_millis(250)) {
            Ok(lines) => lines,
            Err(410 | 404) => return None,
            Err(_) => {
                thread::sleep(Duration::from_millis(3));
                return Some(version);
            }
        };
        while !self.over.load(Ordering::Relaxed) {
            let event = match lines.next_or_bookmark() {
                Said::Event(event) => event,
                Said::Garbage(_) | Said::Over | Said::Broken => return Some(version),
                // The server is gone, or behind what it once said: only a list tells.
                Said::Silence => return None,
            };
            let object = &event["object"];
            let mut seen = self.seen.lock().unwrap();
            match event["type"].as_str() {
                Some("ADDED" | "MODIFIED") => {
                    seen.insert(name(object), object["metadata"].clone());
                }
                Some("DELETED") => {
                    seen.remove(&name(object));
                }
                Some("BOOKMARK") => {}
                _ => return None,
            }
            version = super::version(object).to_owned();
        }
        None
    }
}

fn name(object: &Value) -> String {
    let metadata = &object["metadata"];
    format!("{}/{}", metadata["namespace"], metadata["name"])
}
