//! Events: what went wrong with an object, and that it is mended.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use k8s_openapi::jiff::Timestamp;
use kube::{
    Client,
    core::{Request, params::PostParams},
};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{NAME, seconds};
use crate::{
    Condition, Report,
    api::{Group, Key},
};

/// Events that one object may have in a time, as Kubernetes' own clients limit them.
const LIMIT: u32 = 25;
const LIMIT_TIME: Duration = Duration::from_secs(300);

/// Tells of conditions in events.
pub(super) struct Teller {
    client: Client,
    objects: Mutex<HashMap<Key, History>>,
}

/// What was told of an object.
struct History {
    /// The conditions that it had, where it has no status that would say so.
    conditions: Vec<Value>,
    events: u32,
    since: Instant,
}

impl Teller {
    pub(super) fn new(client: Client) -> Self {
        Self { client, objects: Mutex::default() }
    }

    /// Tells of an object's conditions what is new since `before`.
    pub(super) async fn tell(&self, report: &Report, before: &[Value]) -> kube::Result<()> {
        for condition in report.conditions.iter().filter(|condition| is_news(condition, before)) {
            if self.may_tell(&report.key).await {
                self.send(report, condition).await?;
            }
        }
        Ok(())
    }

    /// Tells of the conditions of an object that has no status what is new since they were told last.
    pub(super) async fn tell_alone(&self, report: &Report) -> kube::Result<()> {
        let now = report.conditions.iter().map(|condition| json!(condition)).collect();
        let mut objects = self.objects.lock().await;
        let wrong = |condition: &Condition| is_wrong(condition.kind, condition.status);
        if !objects.contains_key(&report.key) && !report.conditions.iter().any(wrong) {
            return Ok(());
        }
        let history = objects.entry(report.key.clone()).or_insert_with(History::new);
        let before = std::mem::replace(&mut history.conditions, now);
        drop(objects);
        self.tell(report, &before).await
    }

    async fn may_tell(&self, key: &Key) -> bool {
        let mut objects = self.objects.lock().await;
        objects.retain(|_, history| {
            !history.conditions.is_empty() || history.since.elapsed() < LIMIT_TIME
        });
        let history = objects.entry(key.clone()).or_insert_with(History::new);
        if history.since.elapsed() >= LIMIT_TIME {
            (history.events, history.since) = (0, Instant::now());
        }
        history.events += 1;
        history.events <= LIMIT
    }

    /// Makes an event. Kubernetes: `v1` Event, which `kubectl describe` shows.
    async fn send(&self, report: &Report, condition: &Condition) -> kube::Result<()> {
        let Key { kind, namespace, name, .. } = &report.key;
        let now = seconds(Timestamp::now());
        let message = match condition.message.as_str() {
            "" => condition.reason,
            message => message,
        };
        let event = json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": format!("{name}."), "namespace": namespace},
            "involvedObject": {
                "apiVersion": api_version(&report.key),
                "kind": kind.as_str(),
                "namespace": namespace,
                "name": name,
                "uid": report.record.uid,
            },
            "type": if is_wrong(condition.kind, condition.status) { "Warning" } else { "Normal" },
            "reason": condition.reason,
            "message": shortened(message),
            "source": {"component": NAME},
            "reportingComponent": NAME,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        });
        let body = serde_json::to_vec(&event).map_err(kube::Error::SerdeError)?;
        let request = Request::new(format!("/api/v1/namespaces/{namespace}/events"));
        let request = request.create(&PostParams::default(), body);
        match self.client.request::<Value>(request.map_err(kube::Error::BuildRequest)?).await {
            // Events are a courtesy: a role may leave them out, a namespace may be going away.
            Err(kube::Error::Api(status)) if matches!(status.code, 403 | 404) => Ok(()),
            sent => sent.map(drop),
        }
    }
}

impl History {
    fn new() -> Self {
        Self { conditions: Vec::new(), events: 0, since: Instant::now() }
    }
}

fn api_version(key: &Key) -> String {
    let group = key.group.traefik().unwrap_or("networking.k8s.io");
    let version = if key.group == Group::Kubernetes { "v1" } else { "v1alpha1" };
    format!("{group}/{version}")
}

/// Whether a condition is worth an event: it is wrong now for another reason than before, or wrong no more.
fn is_news(condition: &Condition, before: &[Value]) -> bool {
    let known = before.iter().find(|known| known["type"] == condition.kind);
    let was_wrong = known.is_some_and(|known| {
        is_wrong(condition.kind, known["status"].as_str().unwrap_or_default())
    });
    if !is_wrong(condition.kind, condition.status) {
        return was_wrong;
    }
    known.is_none_or(|known| known["message"] != condition.message || !was_wrong)
}

/// Whether a condition of this status says that something is wrong.
fn is_wrong(kind: &str, status: &str) -> bool {
    (status == "True") == (kind == "Conflicted")
}

/// A message that fits an event, which may have 1,024 bytes.
fn shortened(message: &str) -> String {
    const LONGEST: usize = 1000;
    if message.len() <= LONGEST {
        return message.to_owned();
    }
    let end = (0..=LONGEST).rev().find(|at| message.is_char_boundary(*at)).unwrap_or_default();
    format!("{}…", message.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_news_once_and_so_is_its_end() {
        let wrong = json!({"type": "Programmed", "status": "False", "message": "a"});
        let right = json!({"type": "Programmed", "status": "True", "message": ""});
        let condition = |kind, status, message: &str| {
            let (reason, message) = ("Reason", message.to_owned());
            Condition { kind, status, observed_generation: 2, reason, message }
        };
        let is = |status, message: &str, before: &[&Value]| {
            let before: Vec<Value> = before.iter().map(|value| (*value).clone()).collect();
            is_news(&condition("Programmed", status, message), &before)
        };
        assert!(
            is("False", "a", &[]) && is("False", "a", &[&right]) && is("False", "b", &[&wrong])
        );
        assert!(is("True", "", &[&wrong]));
        assert!(!is("True", "", &[]) && !is("True", "", &[&right]) && !is("False", "a", &[&wrong]));
        let conflict = condition("Conflicted", "False", "");
        assert!(!is_news(&conflict, &[]), "that nothing is in conflict is no news");
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let long = shortened(&"é".repeat(2000));
        assert!(long.len() <= 1024 && long.ends_with("é…"));
        assert_eq!(shortened("short"), "short");
    }
}
