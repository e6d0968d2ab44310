//! Asks for a user and a password.
//!
//! Traefik: `basicAuth`. Differences: hashing that takes long runs on a bounded pool, and 503 says
//! that the pool is full; a verified credential is remembered for a minute under a keyed hash; a
//! password of more than 4096 bytes never matches; a bcrypt cost above 16 is refused when the
//! configuration is read; messages show no more of a malformed line than the user's name;
//! fields that read like `headerField` with `_` for `-` are removed as well.

mod compile;
mod credentials;
mod htpasswd;
mod md5_crypt;
mod remembered;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use portway_http::{Answer, HeaderName, Known, Request, Status};

pub(crate) use self::compile::{header_field, lines, shown};
use self::credentials::Credentials;
use self::htpasswd::Effort;
pub(crate) use self::htpasswd::Hash;
pub(crate) use self::remembered::Fingerprint;
use self::remembered::Remembered;
use crate::{Context, Flow, PasswordPool};

/// A compiled `basicAuth`.
pub struct BasicAuth {
    /// Users and the place of their hash in `hashes`; `None` for a hash that nothing matches.
    users: HashMap<Box<[u8]>, Option<usize>, foldhash::fast::RandomState>,
    hashes: Box<[Arc<Hash>]>,
    challenge: Answer,
    header_field: Option<HeaderName>,
    remove_header: bool,
    remembered: Remembered,
}

/// The outcome of one check.
#[derive(Clone, Copy, PartialEq)]
enum Verdict {
    Accepted,
    Refused,
    /// The pool is full.
    Unknown,
}

impl BasicAuth {
    pub(crate) async fn on_request(
        &self,
        request: &mut Request,
        context: &mut Context<'_>,
    ) -> Flow {
        let credentials = request.headers.get(Known::Authorization).and_then(Credentials::parse);
        let Some(credentials) = credentials else {
            context.username = Some(String::new());
            return self.refuse("basicAuth: no credentials", context);
        };
        let verdict = self.check(&credentials, context.now, context.passwords).await;
        context.username = Some(String::from_utf8_lossy(credentials.user()).into_owned());
        match verdict {
            Verdict::Accepted => {}
            Verdict::Refused => return self.refuse("basicAuth: wrong credentials", context),
            Verdict::Unknown => {
                context.reason = Some("basicAuth: too many passwords are waiting for their check");
                let status = Status::SERVICE_UNAVAILABLE;
                return Flow::Respond(Answer::error(status, status.text()));
            }
        }
        if let Some(name) = &self.header_field {
            request.headers.set_alone(name, credentials.user());
        }
        if self.remove_header {
            request.headers.remove(Known::Authorization);
        }
        Flow::Continue
    }

    fn refuse(&self, reason: &'static str, context: &mut Context<'_>) -> Flow {
        context.reason = Some(reason);
        Flow::Respond(self.challenge.clone())
    }

    /// Checks a user and a password. Whoever is unknown is compared with the hash of somebody
    /// known, always of the same one, so that the time taken says nothing about who exists.
    async fn check(
        &self,
        credentials: &Credentials,
        now: Instant,
        passwords: &PasswordPool,
    ) -> Verdict {
        let password = credentials.password();
        if password.len() > MAX_PASSWORD {
            return Verdict::Refused;
        }
        let stand_in = self.stand_in(credentials.user());
        let known = self.users.get(credentials.user()).copied().flatten();
        let Some(hash) = known.or(stand_in).and_then(|index| self.hashes.get(index)) else {
            return Verdict::Refused;
        };
        let matches = match hash.effort(password.len()) {
            Effort::None => hash.verify(password),
            effort => {
                let fingerprint =
                    self.remembered.fingerprint(&[hash.text(), credentials.user(), password]);
                if self.remembered.knows(&fingerprint, now) {
                    return Verdict::Accepted;
                }
                let matches = if effort == Effort::Short {
                    hash.verify(password)
                } else {
                    let owner = self.remembered.owner();
                    match passwords.verify(owner, fingerprint, hash, password).await {
                        Some(matches) => matches,
                        None => return Verdict::Unknown,
                    }
                };
                if matches && known.is_some() {
                    self.remembered.remember(fingerprint, now);
                }
                matches
            }
        };
        if matches && known.is_some() { Verdict::Accepted } else { Verdict::Refused }
    }

    /// The hash that stands in for that of an unknown user.
    fn stand_in(&self, user: &[u8]) -> Option<usize> {
        let number = self.remembered.fingerprint(&[user]).number();
        usize::try_from(number % u64::try_from(self.hashes.len()).ok()?.max(1)).ok()
    }
}

impl fmt::Debug for BasicAuth {
    /// Without users and hashes: they are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicAuth").field("users", &self.users.len()).finish_non_exhaustive()
    }
}

/// The longest password that is looked at, in bytes. Hashing takes time in proportion.
const MAX_PASSWORD: usize = 4096;

#[cfg(test)]
mod tests;
