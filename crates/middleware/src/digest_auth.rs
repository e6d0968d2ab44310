//! Asks for a user and a password of which only a digest is sent (RFC 7616, MD5, `qop=auth`).
//!
//! Traefik: `digestAuth`. Differences: nonces are shared by all routers of a middleware; messages show no
//! more of a malformed line than the user's name; fields that read like `headerField` with `_` for `-` are removed
//! as well.

mod nonces;
mod parameters;

use std::collections::HashMap;
use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest as _, Md5};
use portway_http::{Answer, HeaderName, Known, Request, Status, Target};
use portway_model::{Problem, dynamic};
use subtle::ConstantTimeEq as _;

use self::nonces::{Count, Nonces};
use self::parameters::Parameters;
use crate::basic_auth::{header_field, lines, shown};
use crate::{Context, Flow};

/// A compiled `digestAuth`.
pub struct DigestAuth {
    /// Digests of user, realm and password, by `user:realm`.
    users: HashMap<Box<str>, Box<str>, foldhash::fast::RandomState>,
    realm: Box<str>,
    /// What clients send back unseen.
    opaque: Box<str>,
    nonces: Nonces,
    header_field: Option<HeaderName>,
    remove_header: bool,
}

/// Why a client is not let in.
#[derive(Debug, PartialEq)]
enum Refusal {
    /// It has to say who it is.
    Unknown,
    /// It has said so, but with an old count; it need not ask its user again.
    Stale,
}

impl DigestAuth {
    /// Compiles the user's settings; a line that is not `user:realm:digest` is refused, and so is having no user at
    /// all.
    pub fn compile(config: &dynamic::BasicAuth, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut users = HashMap::default();
        for (_, line) in lines(config, "digestAuth") {
            let parts: Vec<&str> = line.split(':').collect();
            let [user, realm, digest] = parts.as_slice() else {
                let message = format!("error parsing DigestUser: {}", shown(line));
                problems.push(Problem::error("", message));
                return None;
            };
            users.insert(format!("{user}:{realm}").into(), (*digest).into());
        }
        if users.is_empty() {
            let message = format!("no users found in {}", config.users_file);
            problems.push(Problem::error("", message));
            return None;
        }
        let header_field = match config.header_field.as_str() {
            "" => None,
            name => header_field("digestAuth.headerField", name, problems)?,
        };
        let Some(opaque) = random() else {
            problems.push(Problem::error("digestAuth", "the system gives no random numbers"));
            return None;
        };
        let realm = if config.realm.is_empty() { "traefik" } else { config.realm.as_str() };
        Some(Self {
            users,
            realm: realm.into(),
            opaque,
            nonces: Nonces::default(),
            header_field,
            remove_header: config.remove_header,
        })
    }

    pub(crate) fn on_request(&self, request: &mut Request, context: &mut Context<'_>) -> Flow {
        let said = request.headers.get(Known::Authorization).and_then(Parameters::parse);
        let user = said.as_ref().map(|said| said.get("username")).unwrap_or_default().to_owned();
        let checked = match &said {
            Some(said) => self.check(request, said, context),
            None => Err(Refusal::Unknown),
        };
        if !user.is_empty() {
            context.username = Some(user.clone());
        }
        if let Err(refusal) = checked {
            context.reason = Some("digestAuth: no credentials, or wrong ones");
            return Flow::Respond(self.challenge(refusal == Refusal::Stale, context));
        }
        if let Some(name) = &self.header_field {
            request.headers.set_alone(name, &user);
        }
        if self.remove_header {
            request.headers.remove(Known::Authorization);
        }
        Flow::Continue
    }

    fn check(
        &self,
        request: &Request,
        said: &Parameters,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        let algorithm = said.find("algorithm").unwrap_or("MD5");
        if said.get("opaque") != &*self.opaque || algorithm != "MD5" || said.get("qop") != "auth" {
            return Err(Refusal::Unknown);
        }
        let uri = said.get("uri");
        if !is_of(uri, request) {
            return Err(Refusal::Unknown);
        }
        let user = format!("{}:{}", said.get("username"), self.realm);
        let secret = self.users.get(user.as_str()).filter(|secret| !secret.is_empty());
        let secret = secret.filter(|_| !said.get("username").is_empty());
        let answer = hash(&[request.method.as_str(), uri]);
        let [nonce, count, own] = ["nonce", "nc", "cnonce"].map(|name| said.get(name));
        // Whoever is unknown costs as much as others.
        let secret_or_none = secret.map_or("", |secret| secret);
        let expected = hash(&[secret_or_none, nonce, count, own, "auth", &answer]);
        let right = bool::from(expected.as_bytes().ct_eq(said.get("response").as_bytes()));
        if !right || secret.is_none() {
            return Err(Refusal::Unknown);
        }
        let digits = !count.is_empty() && count.bytes().all(|digit| digit.is_ascii_hexdigit());
        let count = u64::from_str_radix(count, 16).ok().filter(|_| digits);
        match self.nonces.count(nonce, count.ok_or(Refusal::Unknown)?, context.now) {
            Count::Next => Ok(()),
            Count::Old => Err(Refusal::Stale),
            Count::Unknown => Err(Refusal::Unknown),
        }
    }

    /// 401 with a new nonce.
    fn challenge(&self, stale: bool, context: &Context<'_>) -> Answer {
        let Some(nonce) = random() else { return Answer::proxy_error(Status::SERVICE_UNAVAILABLE) };
        let stale = if stale { "stale=\"true\", " } else { "" };
        let challenge = format!(
            "Digest realm=\"{}\", nonce=\"{nonce}\", opaque=\"{}\", {stale}algorithm=\"MD5\", qop=\"auth\"",
            self.realm, self.opaque
        );
        self.nonces.add(nonce, context.now);
        let mut answer = Answer::empty(Status::UNAUTHORIZED);
        answer.body = b"401 Unauthorized\n".into();
        answer.headers.append(Known::ContentType, "text/plain");
        answer.headers.append(Known::WwwAuthenticate, challenge);
        answer
    }
}

impl fmt::Debug for DigestAuth {
    /// Without users and digests: they are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestAuth").field("users", &self.users.len()).finish_non_exhaustive()
    }
}

/// Whether a URI is that of the request, or its path a beginning of the request's.
fn is_of(uri: &str, request: &Request) -> bool {
    let mut sent = Vec::new();
    request.target.write_client_uri(&mut sent);
    if sent == uri.as_bytes() {
        return true;
    }
    let path = match uri.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|start| rest.get(start..)).unwrap_or_default(),
        None => uri,
    };
    let path = path.split('#').next().unwrap_or_default();
    let mut target = Target::default();
    target.set_path_and_query(path.as_bytes()).is_ok()
        && request.target.path().starts_with(target.path())
}

/// The MD5 of texts with colons between them, in hexadecimal digits.
fn hash(texts: &[&str]) -> String {
    let digest = Md5::digest(texts.join(":"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sixteen random characters of base64.
fn random() -> Option<Box<str>> {
    let mut bytes = [0; 12];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(STANDARD.encode(bytes).into())
}

#[cfg(test)]
mod tests;
