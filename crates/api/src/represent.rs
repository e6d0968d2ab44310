//! Objects in Traefik's JSON.

use std::collections::BTreeMap;

use portway_model::{
    name,
    runtime::{MiddlewareInfo, RouterInfo, ServiceInfo, Status},
};
use serde_json::{Map, Value, json};

use crate::redact::{redact, redact_url};

/// What lists, details and the raw data need of an object.
pub(crate) trait Represent {
    /// The object without what its name says.
    fn raw(&self) -> Map<String, Value>;
    /// Adds what lists and details have more than the raw data.
    fn describe(&self, fields: &mut Map<String, Value>);
    /// Whether it works.
    fn status(&self) -> Status;
}

/// The object in a list or by itself.
pub(crate) fn described<T: Represent>(qualified: &str, object: &T) -> Value {
    let mut fields = object.raw();
    fields.insert("name".to_owned(), qualified.into());
    fields.insert("provider".to_owned(), name::provider(qualified).into());
    object.describe(&mut fields);
    Value::Object(fields)
}

/// A status by its name in JSON.
pub(crate) fn status_name(status: Status) -> &'static str {
    match status {
        Status::Enabled => "enabled",
        Status::Warning => "warning",
        Status::Disabled => "disabled",
    }
}

/// An object's own fields, its status and its reasons.
fn base(object: impl serde::Serialize, status: Status, errors: &[String]) -> Map<String, Value> {
    // An object of which nothing could be read, and an internal service, have no fields.
    let mut fields = match serde_json::to_value(object) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    if !errors.is_empty() {
        fields.insert("error".to_owned(), json!(errors));
    }
    fields.insert("status".to_owned(), status_name(status).into());
    fields
}

fn insert_names<'a>(
    fields: &mut Map<String, Value>,
    field: &str,
    names: impl Iterator<Item = &'a str>,
) {
    let names: Vec<&str> = names.collect();
    if !names.is_empty() {
        fields.insert(field.to_owned(), json!(names));
    }
}

fn insert_kind(fields: &mut Map<String, Value>, kind: &str) {
    if !kind.is_empty() {
        fields.insert("type".to_owned(), kind.to_lowercase().into());
    }
}

impl Represent for RouterInfo {
    fn raw(&self) -> Map<String, Value> {
        let mut fields = base(&*self.router, self.status, &self.errors);
        if self.priority != 0 {
            fields.insert("priority".to_owned(), self.priority.into());
        }
        fields.insert("observability".to_owned(), json!(self.observability));
        insert_names(&mut fields, "entryPoints", self.entry_points().into_iter());
        if !self.stopped {
            // Traefik qualifies them when it comes to look at them.
            insert_names(&mut fields, "middlewares", self.middlewares.iter().map(|name| &**name));
        }
        insert_names(&mut fields, "using", self.using.iter().map(|name| &**name));
        fields
    }

    fn describe(&self, fields: &mut Map<String, Value>) {
        // JavaScript's numbers cannot hold the priorities of internal routers.
        fields.insert("priorityStr".to_owned(), self.priority.to_string().into());
        // The raw data shows what was written; lists and details what applies.
        if let Some(Value::Object(tls)) = fields.get_mut("tls") {
            tls.entry("options").or_insert_with(|| "default".into());
        }
    }

    fn status(&self) -> Status {
        self.status
    }
}

impl Represent for ServiceInfo {
    fn raw(&self) -> Map<String, Value> {
        let mut fields = base(&*self.service, self.status, &self.errors);
        fields.values_mut().for_each(redact);
        insert_names(&mut fields, "usedBy", self.used_by.keys());
        let shown = |url| redact_url(url).unwrap_or_else(|| url.to_owned());
        let status: BTreeMap<_, _> =
            self.server_status().map(|(url, status)| (shown(url), status)).collect();
        if !status.is_empty() {
            fields.insert("serverStatus".to_owned(), json!(status));
        }
        fields
    }

    fn describe(&self, fields: &mut Map<String, Value>) {
        insert_kind(fields, self.service.kind());
    }

    fn status(&self) -> Status {
        self.status
    }
}

impl Represent for MiddlewareInfo {
    fn raw(&self) -> Map<String, Value> {
        let mut fields = base(&*self.middleware, self.status, &self.errors);
        fields.values_mut().for_each(redact);
        insert_names(&mut fields, "usedBy", self.used_by.keys());
        fields
    }

    fn describe(&self, fields: &mut Map<String, Value>) {
        insert_kind(fields, self.middleware.kind());
    }

    fn status(&self) -> Status {
        self.status
    }
}
