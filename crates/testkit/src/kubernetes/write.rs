//! Writes: create, replace, patch and delete, of objects and of their status.

use serde_json::{Value, json};

use super::failure::Failure;
use super::kind::Kind;
use super::object::{merge, set, set_metadata, text, wants_differ};
use super::path::Place;
use super::query::Query;
use super::state::State;
use super::store::Key;

/// Which part of an object a write may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Everything: a test's own hand.
    Whole,
    /// Everything but a status that is a part of its own.
    Main,
    /// Nothing but the status.
    Status,
}

/// A status code and the object to show.
pub(super) type Written = (u16, Value);

impl State {
    /// Creates or replaces an object as a test wants it: without a version to compare, with its
    /// status when it brings one, with its own `creationTimestamp` when it brings one.
    pub(super) fn apply(&mut self, mut object: Value) -> Result<Value, Failure> {
        let (api_version, name) = (text(&object, "/apiVersion"), text(&object, "/kind"));
        let Some(kind) = self.kinds.by_name(api_version, name).cloned() else {
            let what = format!("{name} of {api_version} is not installed");
            return Err(Failure::bad_request(what));
        };
        if kind.namespaced && text(&object, "/metadata/namespace").is_empty() {
            set_metadata(&mut object, "namespace", json!("default"));
        }
        let key = key_of(&kind, &object);
        let old = self.store.get(&key).map(|old| Value::clone(old));
        if let Some(status) = old.as_ref().and_then(|old| old.get("status"))
            && object.get("status").is_none()
        {
            object["status"] = status.clone();
        }
        let new = self.settle(&kind, old.as_ref(), object, Part::Whole);
        Ok(self.commit(&kind, key, old.as_ref(), new))
    }

    /// POST to a collection.
    pub(super) fn create(
        &mut self,
        kind: &Kind,
        place: &Place,
        query: &Query,
        mut object: Value,
    ) -> Result<Written, Failure> {
        if kind.namespaced && place.namespace.is_empty() {
            return Err(Failure::method_not_allowed());
        }
        if text(&object, "/metadata/name").is_empty() {
            let start = text(&object, "/metadata/generateName").to_owned();
            if start.is_empty() {
                let why = "Required value: name or generateName is required";
                let field = "metadata.name";
                let what = (kind.name.as_str(), kind);
                return Err(Failure::invalid(what, "", field, "FieldValueRequired", why));
            }
            let end = self.store.revision();
            set_metadata(&mut object, "name", json!(format!("{start}{end:05x}")));
        }
        check_place(kind, place, &mut object)?;
        if !text(&object, "/metadata/resourceVersion").is_empty() {
            return Err(Failure::version_on_create());
        }
        let key = key_of(kind, &object);
        if self.store.get(&key).is_some() {
            return Err(Failure::already_exists(kind, text(&object, "/metadata/name")));
        }
        set_metadata(&mut object, "creationTimestamp", Value::Null);
        let new = self.settle(kind, None, object, Part::Main);
        Ok((201, self.finish(kind, key, None, new, query)))
    }

    /// PUT of an object or its status.
    pub(super) fn replace(
        &mut self,
        kind: &Kind,
        place: &Place,
        query: &Query,
        mut object: Value,
    ) -> Result<Written, Failure> {
        let name = text(&object, "/metadata/name");
        if name != place.name {
            let url = &place.name;
            let message = format!(
                "the name of the object ({name}) does not match the name on the URL ({url})"
            );
            return Err(Failure::bad_request(message));
        }
        check_place(kind, place, &mut object)?;
        let brings_version = !text(&object, "/metadata/resourceVersion").is_empty();
        if kind.create_on_update
            && !brings_version
            && place.part.is_empty()
            && self.existing(kind, place).is_err()
        {
            return self.create(kind, place, query, object);
        }
        let (key, old) = self.existing(kind, place)?;
        self.check_version(kind, &old, &object)?;
        let new = self.settle(kind, Some(&old), object, part_of(place));
        Ok((200, self.finish(kind, key, Some(&old), new, query)))
    }

    /// PATCH of an object or its status by a merge patch.
    pub(super) fn merge_patch(
        &mut self,
        kind: &Kind,
        place: &Place,
        query: &Query,
        patch: &Value,
    ) -> Result<Written, Failure> {
        let (key, old) = self.existing(kind, place)?;
        let mut object = old.clone();
        merge(&mut object, patch);
        if text(&object, "/metadata/resourceVersion") != text(&old, "/metadata/resourceVersion") {
            return Err(Failure::modified(kind, &place.name));
        }
        let new = self.settle(kind, Some(&old), object, part_of(place));
        Ok((200, self.finish(kind, key, Some(&old), new, query)))
    }

    /// Server-side apply, simplified: what is sent is merged in, and nobody owns fields.
    pub(super) fn server_side_apply(
        &mut self,
        kind: &Kind,
        place: &Place,
        query: &Query,
        mut patch: Value,
    ) -> Result<Written, Failure> {
        if query.text("fieldManager").is_empty() {
            let why = "Required value: is required for apply patch";
            let cause = "FieldValueRequired";
            return Err(Failure::invalid_option("PatchOptions", "fieldManager", cause, why));
        }
        set_metadata(&mut patch, "name", json!(place.name));
        check_place(kind, place, &mut patch)?;
        if self.existing(kind, place).is_err() && place.part.is_empty() {
            let place = Place { name: String::new(), ..place.clone() };
            return self.create(kind, &place, query, patch);
        }
        self.merge_patch(kind, place, query, &patch)
    }

    /// DELETE of an object; `options` are DeleteOptions with preconditions.
    pub(super) fn delete(
        &mut self,
        kind: &Kind,
        place: &Place,
        query: &Query,
        options: &Value,
    ) -> Result<Written, Failure> {
        let (key, old) = self.existing(kind, place)?;
        for name in ["uid", "resourceVersion"] {
            let (wanted, has) = (
                text(options, &format!("/preconditions/{name}")),
                text(&old, &format!("/metadata/{name}")),
            );
            if !wanted.is_empty() && wanted != has {
                let (field, end) = if name == "uid" {
                    ("UID", "deleted and then recreated")
                } else {
                    ("ResourceVersion", "modified")
                };
                let why = format!(
                    "the {field} in the precondition ({wanted}) does not match the {field} in record \
                     ({has}). The object might have been {end}"
                );
                return Err(Failure::precondition(kind, &place.name, &why));
            }
        }
        if query.text("dryRun").is_empty() {
            self.remove(kind, &key, &old);
        }
        let mut details = json!({
            "name": place.name,
            "kind": kind.plural,
            "uid": text(&old, "/metadata/uid"),
        });
        if !kind.group.is_empty() {
            details["group"] = json!(kind.group);
        }
        let status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": details,
        });
        Ok((200, status))
    }

    /// Removes an object that exists, and what it defines.
    pub(super) fn remove(&mut self, kind: &Kind, key: &Key, old: &Value) {
        self.store.remove(key);
        if kind.name == DEFINITION {
            self.undefine(old);
        }
    }

    fn existing(&self, kind: &Kind, place: &Place) -> Result<(Key, Value), Failure> {
        let key = Key::new(kind.resource(), &place.namespace, &place.name);
        let old = self.store.get(&key).map(|old| Value::clone(old));
        old.map(|old| (key, old)).ok_or_else(|| Failure::not_found(kind, &place.name))
    }

    fn check_version(&self, kind: &Kind, old: &Value, new: &Value) -> Result<(), Failure> {
        let name = text(old, "/metadata/name");
        let uid = text(new, "/metadata/uid");
        if !uid.is_empty() && uid != text(old, "/metadata/uid") {
            let why = format!(
                "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                text(old, "/metadata/uid")
            );
            return Err(Failure::conflict(kind, name, &why));
        }
        let version = text(new, "/metadata/resourceVersion");
        if version.is_empty() && !kind.unconditional {
            let why = "Invalid value: 0: must be specified for an update";
            let field = "metadata.resourceVersion";
            let what = (kind.plural.as_str(), kind);
            return Err(Failure::invalid(what, name, field, "FieldValueInvalid", why));
        }
        if !version.is_empty() && version != text(old, "/metadata/resourceVersion") {
            return Err(Failure::modified(kind, name));
        }
        Ok(())
    }

    /// The object as it will be stored, but for its version: what the server itself decides is set,
    /// and what the write may not change is as before.
    fn settle(&mut self, kind: &Kind, old: Option<&Value>, new: Value, part: Part) -> Value {
        let mut object = match (part, old) {
            (Part::Status, Some(old)) => {
                let mut object = old.clone();
                set(&mut object, "status", new.get("status").cloned().unwrap_or_default());
                object
            }
            (Part::Main, _) if kind.status => {
                let mut object = new;
                let status = old.and_then(|old| old.get("status")).cloned();
                set(&mut object, "status", status.unwrap_or_default());
                object
            }
            _ => new,
        };
        object["apiVersion"] = json!(kind.api_version());
        object["kind"] = json!(kind.name);
        for name in ["managedFields", "selfLink", "resourceVersion"] {
            set_metadata(&mut object, name, Value::Null);
        }
        let kept = |name: &str| old.and_then(|old| old["metadata"].get(name)).cloned();
        let uid = kept("uid").unwrap_or_else(|| json!(self.uid()));
        set_metadata(&mut object, "uid", uid);
        let own_time = (part == Part::Whole)
            .then(|| object["metadata"].get("creationTimestamp").cloned())
            .flatten();
        let created =
            own_time.or_else(|| kept("creationTimestamp")).unwrap_or_else(|| json!(now()));
        set_metadata(&mut object, "creationTimestamp", created);
        if kind.name == DEFINITION {
            establish(&mut object);
        }
        if kind.generation {
            let before = kept("generation").and_then(|generation| generation.as_u64()).unwrap_or(0);
            let differs = old.is_none_or(|old| wants_differ(old, &object, !kind.status));
            set_metadata(&mut object, "generation", json!(before + u64::from(differs)));
        }
        object
    }

    /// Stores the object unless the request is a dry run.
    fn finish(
        &mut self,
        kind: &Kind,
        key: Key,
        old: Option<&Value>,
        new: Value,
        query: &Query,
    ) -> Value {
        if query.text("dryRun").is_empty() { self.commit(kind, key, old, new) } else { new }
    }

    /// Stores the object; a write that changes nothing leaves its version as it is.
    fn commit(&mut self, kind: &Kind, key: Key, old: Option<&Value>, mut new: Value) -> Value {
        if let Some(old) = old {
            let version = old["metadata"]["resourceVersion"].clone();
            set_metadata(&mut new, "resourceVersion", version);
            if *old == new {
                return new;
            }
        }
        let stored = self.store.put(key, new);
        if kind.name == DEFINITION {
            self.define(&stored);
        }
        Value::clone(&stored)
    }
}

fn part_of(place: &Place) -> Part {
    if place.part == "status" { Part::Status } else { Part::Main }
}

fn key_of(kind: &Kind, object: &Value) -> Key {
    let namespace = if kind.namespaced { text(object, "/metadata/namespace") } else { "" };
    Key::new(kind.resource(), namespace, text(object, "/metadata/name"))
}

/// Compares what an object says of itself with where it was sent, and fills in what it leaves out.
fn check_place(kind: &Kind, place: &Place, object: &mut Value) -> Result<(), Failure> {
    if kind.custom && (text(object, "/kind").is_empty() || text(object, "/apiVersion").is_empty()) {
        return Err(Failure::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): its kind or apiVersion is missing",
            kind.name
        )));
    }
    for (pointer, expected, what) in
        [("/apiVersion", kind.api_version(), "API version"), ("/kind", kind.name.clone(), "kind")]
    {
        let has = text(object, pointer);
        if !has.is_empty() && has != expected {
            return Err(Failure::bad_request(format!(
                "the {what} in the data ({has}) does not match the expected {what} ({expected})"
            )));
        }
    }
    let namespace = text(object, "/metadata/namespace");
    if !namespace.is_empty() && namespace != place.namespace {
        return Err(Failure::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if kind.namespaced {
        set_metadata(object, "namespace", json!(place.namespace));
    }
    Ok(())
}

/// Marks a CustomResourceDefinition as served; the real server takes a moment to do so.
fn establish(definition: &mut Value) {
    if definition.pointer("/status/conditions").is_some() {
        return;
    }
    let condition = |name: &str, reason: &str, message: &str| {
        json!({
            "type": name,
            "status": "True",
            "reason": reason,
            "message": message,
            "lastTransitionTime": now(),
        })
    };
    definition["status"] = json!({
        "acceptedNames": definition["spec"]["names"],
        "storedVersions": [text(definition, "/spec/versions/0/name")],
        "conditions": [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
    });
}

/// The present as Kubernetes writes it.
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

const DEFINITION: &str = "CustomResourceDefinition";
