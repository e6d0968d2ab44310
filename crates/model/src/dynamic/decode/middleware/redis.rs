//! `redis` of `rateLimit` out of a tree.

use crate::{
    Fields, Node, Problem,
    dynamic::{ClientTls, Material, Redis},
};

/// Reads `redis`.
pub(super) fn redis(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Redis {
    let mut fields = Fields::open(node, path, problems);
    let redis = Redis {
        tls: fields.section("tls", client_tls),
        username: fields.string("username"),
        password: fields.string("password"),
        ..redis_fields(&mut fields)
    };
    fields.close();
    redis
}

/// Reads the fields of `redis` that files and Kubernetes objects write alike: all but what is secret.
pub fn redis_fields(fields: &mut Fields<'_>) -> Redis {
    let default = Redis::default();
    let endpoints = fields.strings("endpoints");
    Redis {
        endpoints: if endpoints.is_empty() { default.endpoints } else { endpoints },
        db: fields.integer("db").unwrap_or_default(),
        pool_size: fields.integer("poolSize").unwrap_or_default(),
        min_idle_conns: fields.integer("minIdleConns").unwrap_or_default(),
        max_active_conns: fields.integer("maxActiveConns").unwrap_or_default(),
        read_timeout: fields.period("readTimeout").unwrap_or(default.read_timeout),
        write_timeout: fields.period("writeTimeout").unwrap_or(default.write_timeout),
        dial_timeout: fields.period("dialTimeout").unwrap_or(default.dial_timeout),
        ..default
    }
}

fn client_tls(node: &Node, path: &str, problems: &mut Vec<Problem>) -> ClientTls {
    let mut fields = Fields::open(node, path, problems);
    let mut material = |name| Material { written: fields.string(name), content: Vec::new() };
    let (ca, cert, key) = (material("ca"), material("cert"), material("key"));
    let insecure_skip_verify = fields.boolean("insecureSkipVerify").unwrap_or_default();
    fields.close();
    ClientTls { ca, cert, key, insecure_skip_verify, ca_optional: None }
}
