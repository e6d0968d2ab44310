//! Writes what became of objects into their status, and tells what has changed in events.
//!
//! Only what differs is written, by one of several replicas (see [`super::Candidate`]). What an API server refuses for a whole
//! resource is left alone for a while: it would refuse the next object too.

use std::{
    collections::HashMap,
    future::ready,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use k8s_openapi::jiff::Timestamp;
use kube::{
    Client,
    core::{
        Request, Status,
        params::{GetParams, Patch, PatchParams},
    },
};
use serde_json::{Value, json};
use tokio::sync::{Mutex, watch};

use crate::{
    Condition, Report,
    api::{Group, Key, Kind, LoadBalancerAddress, list_path},
};

mod events;

use events::Teller;

/// Writes that are under way at once.
const AT_ONCE: usize = 4;

/// How long a resource is left alone whose status may not be written, or that has none.
const LEAVE_ALONE: Duration = Duration::from_secs(300);

/// How long to wait after something that may pass, before what is left is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// Who writes, in events and for the owners of fields.
const NAME: &str = "portway";

/// What is to be written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Work {
    /// Objects whose conditions are not what they should be.
    pub reports: Vec<Report>,
    /// Objects that have no conditions, of which events tell.
    pub told: Vec<Report>,
    /// Ingresses whose addresses are not what they should be.
    pub ingresses: Vec<Key>,
    /// What those addresses should be.
    pub addresses: Vec<LoadBalancerAddress>,
}

impl Work {
    fn tasks(&self) -> Vec<Task> {
        let reports = self.reports.iter().cloned().map(Task::Conditions);
        let reports = reports.chain(self.told.iter().cloned().map(Task::Events));
        let ingresses = self.ingresses.iter().cloned();
        reports.chain(ingresses.map(|key| Task::Addresses(key, self.addresses.clone()))).collect()
    }
}

enum Task {
    Conditions(Report),
    Events(Report),
    Addresses(Key, Vec<LoadBalancerAddress>),
}

impl Task {
    fn key(&self) -> &Key {
        match self {
            Self::Conditions(report) | Self::Events(report) => &report.key,
            Self::Addresses(key, _) => key,
        }
    }
}

/// Writes what `work` says while `leads` is true, until nobody has work any more.
pub async fn write(
    client: Client,
    mut work: watch::Receiver<Arc<Work>>,
    mut leads: watch::Receiver<bool>,
) {
    let teller = Teller::new(client.clone());
    let writer = Writer { client, teller, left_alone: Mutex::default() };
    loop {
        let now = Arc::clone(&work.borrow_and_update());
        let leading = *leads.borrow_and_update();
        let done = !leading || writer.write_all(&now, &work, &leads).await;
        tokio::select! {
            changed = work.changed() => if changed.is_err() { return },
            changed = leads.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(RETRY), if !done => {}
        }
    }
}

struct Writer {
    client: Client,
    teller: Teller,
    /// Resources whose status is not written, and since when.
    left_alone: Mutex<HashMap<(Kind, Group), Instant>>,
}

impl Writer {
    /// Writes everything, unless there is something newer to write or another leads; says whether nothing is left
    /// that may succeed later.
    async fn write_all(
        &self,
        now: &Work,
        work: &watch::Receiver<Arc<Work>>,
        leads: &watch::Receiver<bool>,
    ) -> bool {
        let outdated = || work.has_changed().unwrap_or(true) || leads.has_changed().unwrap_or(true);
        let tasks = stream::iter(now.tasks());
        let done = tasks.map(|task| async move { outdated() || self.write(task).await });
        done.buffer_unordered(AT_ONCE).fold(true, |all, done| ready(all && done)).await
    }

    /// Writes one status; says whether it need not be tried again.
    async fn write(&self, task: Task) -> bool {
        let key = task.key();
        let resource = (key.kind, key.group);
        let since = self.left_alone.lock().await.get(&resource).copied();
        let leave_alone = since.is_some_and(|since| since.elapsed() < LEAVE_ALONE);
        let written = match &task {
            // Events say at least something where there is no status.
            Task::Events(report) => self.teller.tell_alone(report).await,
            Task::Conditions(report) if leave_alone => self.teller.tell_alone(report).await,
            Task::Addresses(..) if leave_alone => return true,
            Task::Conditions(report) => self.conditions(report).await,
            Task::Addresses(key, addresses) => self.addresses(key, addresses).await,
        };
        match written {
            Ok(()) => true,
            Err(kube::Error::Api(status)) if matches!(status.code, 403..=405) => {
                let told = self.left_alone.lock().await.insert(resource, Instant::now());
                if told.is_none() {
                    let Status { message, code, .. } = *status;
                    let advice =
                        if code == 403 { "" } else { "; apply Portway's CRDs (deploy/crds)" };
                    let resource = resource_name(key);
                    tracing::warn!("the status of {resource} is not written: {message}{advice}");
                }
                matches!(task, Task::Addresses(..))
            }
            Err(kube::Error::Api(status)) if status.code == 422 => {
                tracing::warn!("the status of {key} is refused: {}", status.message);
                true
            }
            Err(error) => {
                tracing::debug!("the status of {key} could not be written: {error}");
                false
            }
        }
    }

    async fn conditions(&self, report: &Report) -> kube::Result<()> {
        let key = &report.key;
        let Some(known) = self.object(key).await? else { return Ok(()) };
        let uid = known.pointer("/metadata/uid").and_then(Value::as_str);
        if uid != Some(&report.record.uid) {
            // Another object of the same name, of which there will be another report.
            return Ok(());
        }
        let before = known.pointer("/status/conditions").and_then(Value::as_array);
        let before = before.cloned().unwrap_or_default();
        let now = Timestamp::now();
        let conditions: Vec<_> =
            report.conditions.iter().map(|condition| stamped(condition, &before, now)).collect();
        if conditions == before {
            return Ok(());
        }
        match self.patch(key, json!({"status": {"conditions": conditions}})).await {
            // Either the resource has no status, or the object has gone meanwhile.
            Err(kube::Error::Api(status)) if status.code == 404 => {
                return match self.object(key).await? {
                    Some(_) => Err(kube::Error::Api(status)),
                    None => Ok(()),
                };
            }
            written => written?,
        }
        self.teller.tell(report, &before).await
    }

    /// The object as it is now; `None` where it is gone.
    async fn object(&self, key: &Key) -> kube::Result<Option<Value>> {
        let request = Request::new(path(key)).get(&key.name, &GetParams::default());
        match self.client.request(request.map_err(kube::Error::BuildRequest)?).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            known => known.map(Some),
        }
    }

    async fn addresses(&self, key: &Key, addresses: &[LoadBalancerAddress]) -> kube::Result<()> {
        match self.patch(key, json!({"status": {"loadBalancer": {"ingress": addresses}}})).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            written => written,
        }
    }

    async fn patch(&self, key: &Key, status: Value) -> kube::Result<()> {
        let parameters =
            PatchParams { field_manager: Some(NAME.to_owned()), ..PatchParams::default() };
        let request = Request::new(path(key)).patch_subresource(
            "status",
            &key.name,
            &parameters,
            &Patch::Merge(status),
        );
        self.client.request::<Value>(request.map_err(kube::Error::BuildRequest)?).await.map(drop)
    }
}

fn path(key: &Key) -> String {
    list_path(key.kind, key.group, Some(&key.namespace))
}

/// The name of the resource that an object belongs to, such as `ingressroutes.traefik.io`.
fn resource_name(key: &Key) -> String {
    let plural = key.kind.plural();
    key.group.traefik().map_or_else(|| plural.to_owned(), |group| format!("{plural}.{group}"))
}

/// A condition with the time of its last transition: that of before where its status is that of before.
fn stamped(condition: &Condition, before: &[Value], now: Timestamp) -> Value {
    let same = before
        .iter()
        .find(|known| known["type"] == condition.kind && known["status"] == condition.status);
    let since = same.and_then(|known| known["lastTransitionTime"].as_str());
    let since = since.map_or_else(|| seconds(now), str::to_owned);
    json!({
        "type": condition.kind,
        "status": condition.status,
        "observedGeneration": condition.observed_generation,
        "lastTransitionTime": since,
        "reason": condition.reason,
        "message": condition.message,
    })
}

/// A time as statuses have it: RFC 3339 in whole seconds of UTC.
fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(kind: &'static str, status: &'static str, message: &str) -> Condition {
        let (reason, message) = ("Reason", message.to_owned());
        Condition { kind, status, observed_generation: 2, reason, message }
    }

    #[test]
    fn a_condition_keeps_the_time_of_its_last_transition() {
        let before = [json!({
            "type": "Accepted", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z",
        })];
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let same = stamped(&condition("Accepted", "True", ""), &before, now);
        assert_eq!(same["lastTransitionTime"], "2026-01-01T00:00:00Z");
        let other = stamped(&condition("Accepted", "False", ""), &before, now);
        assert_eq!(other["lastTransitionTime"], "2027-01-15T08:00:00Z");
    }
}
