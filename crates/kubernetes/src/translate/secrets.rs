//! What Secrets and ConfigMaps hold: credentials, certificates, authorities.
//!
//! Errors are reasons in Traefik's words; none holds a secret.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use portway_model::{
    dynamic::{Certificate, Material},
    nearest,
};
use sha1::{Digest, Sha1};

use super::{Part, Translation};
use crate::api::{Kind, Object, Secret};

impl<'a> Translation<'a> {
    /// A Secret; Helm's own (label `owner: helm`) are invisible, as they are to Traefik.
    fn secret(&self, namespace: &str, name: &str) -> Option<(&'a Object, &'a Secret)> {
        let helm =
            |object: &Object| object.meta.labels.get("owner").is_some_and(|owner| owner == "helm");
        self.index.secret(namespace, name).filter(|(object, _)| !helm(object))
    }

    fn named_secret(&self, namespace: &str, name: &str) -> Result<&'a Secret, String> {
        self.secret(namespace, name).map(|(_, secret)| secret).ok_or_else(|| {
            let hint = self.index.hint(Kind::Secret, namespace, name);
            format!("secret '{namespace}/{name}' not found{hint}")
        })
    }

    /// The users of a `basicAuth` Secret, as lines of `user:hash`.
    pub(super) fn users(&self, namespace: &str, name: &str) -> Result<Vec<String>, String> {
        let secret = self.named_secret(namespace, name)?;
        let users = if secret.secret_type == "kubernetes.io/basic-auth" {
            plain_user(secret, namespace, name)
        } else {
            user_lines(secret, namespace, name)
        };
        users.map_err(|reason| format!("failed to load basic auth credentials: {reason}"))
    }

    /// The users of a `digestAuth` Secret, as lines of `user:realm:digest`.
    pub(super) fn digests(&self, namespace: &str, name: &str) -> Result<Vec<String>, String> {
        let users = user_lines(self.named_secret(namespace, name)?, namespace, name);
        users.map_err(|reason| format!("failed to load digest auth credentials: {reason}"))
    }

    /// The user and password in a Secret.
    pub(super) fn credentials(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<(String, String), String> {
        let secret = self.named_secret(namespace, name)?;
        let text = |key: &str| {
            secret.data.get(key).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        };
        text("username").zip(text("password")).ok_or_else(|| {
            let absent = |key: &&str| !secret.data.contains_key(*key);
            let absent: Vec<_> = ["username", "password"].into_iter().filter(absent).collect();
            let hint = near_key(&absent, &secret.data);
            format!(
                "secret '{namespace}/{name}' must contain both username and password keys{hint}"
            )
        })
    }

    /// Adds the certificate of a Secret to those that are shown for every router, for a store or for the
    /// default one; once for each Secret.
    pub(super) fn certificate(
        &mut self,
        namespace: &str,
        name: &str,
        store: Option<&str>,
    ) -> Result<(), String> {
        self.tls_secret(namespace, name)?;
        let key = format!("{namespace}/{name}");
        self.part(Part::Certificate(key.as_str().into()));
        self.certificates.entry(key).or_insert_with(|| store.map(str::to_owned));
        Ok(())
    }

    /// The certificate and key of a TLS Secret.
    pub(super) fn key_pair(&self, namespace: &str, name: &str) -> Result<Certificate, String> {
        let secret = self.tls_secret(namespace, name)?;
        Ok(certificate_of(namespace, name, secret))
    }

    /// A Secret that has a certificate and a key; its type does not matter.
    fn tls_secret(&self, namespace: &str, name: &str) -> Result<&'a Secret, String> {
        let (_, secret) = self.secret(namespace, name).ok_or_else(|| {
            let hint = self.index.hint(Kind::Secret, namespace, name);
            format!("secret {namespace}/{name} does not exist{hint}")
        })?;
        let keys = ["tls.crt", "tls.key"];
        let absent: Vec<_> =
            keys.into_iter().filter(|key| !secret.data.contains_key(*key)).collect();
        if !absent.is_empty() {
            let hint = near_key(&absent, &secret.data);
            return Err(format!(
                "secret {namespace}/{name} is missing the following TLS data entries: {}{hint}",
                absent.join(", ")
            ));
        }
        let is_empty = |key: &&str| secret.data.get(*key).is_none_or(Vec::is_empty);
        let empty: Vec<_> = keys.into_iter().filter(is_empty).collect();
        if !empty.is_empty() {
            return Err(format!(
                "secret {namespace}/{name} contains the following empty TLS data entries: {}",
                empty.join(", ")
            ));
        }
        Ok(secret)
    }

    /// The authorities under `tls.ca` or `ca.crt` of a Secret; where `lenient`, also its only value.
    pub(super) fn authority(
        &self,
        namespace: &str,
        name: &str,
        lenient: bool,
    ) -> Result<Material, String> {
        let secret = self.named_secret(namespace, name)?;
        let authority = secret.data.get("tls.ca").or_else(|| secret.data.get("ca.crt"));
        let only = secret.data.values().next().filter(|_| lenient && secret.data.len() == 1);
        authority
            .or(only)
            .map(|pem| Material::inline(pem.clone()))
            .ok_or_else(|| format!("secret {namespace}/{name} contains neither tls.ca nor ca.crt"))
    }

    /// The authorities under `tls.ca` or `ca.crt` of a ConfigMap.
    pub(super) fn config_map_authority(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Material, String> {
        let Some((_, map)) = self.index.config_map(namespace, name) else {
            let hint = self.index.hint(Kind::ConfigMap, namespace, name);
            return Err(format!("configMap '{namespace}/{name}' not found{hint}"));
        };
        let authority = map.data.get("tls.ca").or_else(|| map.data.get("ca.crt"));
        authority.map(|pem| Material::inline(pem.clone().into_bytes())).ok_or_else(|| {
            format!("config map {namespace}/{name} contains neither tls.ca nor ca.crt")
        })
    }
}

/// What is written of where something is from that a Secret has.
pub(crate) fn of_secret(secret: &str) -> String {
    format!("of Secret {secret}")
}

/// The certificate and key that a Secret has.
pub(super) fn certificate_of(namespace: &str, name: &str, secret: &Secret) -> Certificate {
    let value = |key: &str| secret.data.get(key).cloned().unwrap_or_default();
    let written = of_secret(&format!("{namespace}/{name}"));
    Certificate {
        cert: Material { written, ..Material::inline(value("tls.crt")) },
        key: Material::inline(value("tls.key")),
        stores: Vec::new(),
    }
}

fn near_key(wanted: &[&str], data: &BTreeMap<String, Vec<u8>>) -> String {
    let keys = || data.keys().map(String::as_str);
    let near = wanted.iter().find_map(|wanted| nearest(wanted, keys()));
    near.map_or_else(String::new, |near| format!("; it has `{near}`"))
}

/// The one user of a `kubernetes.io/basic-auth` Secret, whose password is plain text.
fn plain_user(secret: &Secret, namespace: &str, name: &str) -> Result<Vec<String>, String> {
    match (secret.data.get("username"), secret.data.get("password")) {
        (Some(user), Some(password)) => {
            let user = String::from_utf8_lossy(user);
            let hash = STANDARD.encode(Sha1::digest(password));
            Ok(vec![format!("{user}:{{SHA}}{hash}")])
        }
        _ => {
            Err(format!("secret '{namespace}/{name}' must contain both username and password keys"))
        }
    }
}

/// The lines of a Secret's only value.
fn user_lines(secret: &Secret, namespace: &str, name: &str) -> Result<Vec<String>, String> {
    let mut values = secret.data.values();
    let (Some(text), None) = (values.next(), values.next()) else {
        return Err(format!(
            "found {} elements for secret '{namespace}/{name}', must be single element exactly",
            secret.data.len()
        ));
    };
    let text = String::from_utf8_lossy(text);
    let lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let users: Vec<_> = lines.filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if users.is_empty() {
        return Err(format!("secret '{namespace}/{name}' does not contain any credentials"));
    }
    Ok(users)
}
