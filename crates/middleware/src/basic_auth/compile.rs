//! From the user's settings to a compiled `basicAuth`.

use std::collections::BTreeMap;
use std::sync::Arc;

use portway_http::{Answer, HeaderName, Known};
use portway_model::{Problem, dynamic};

use super::BasicAuth;
use super::htpasswd::{Hash, MAX_COST};
use super::remembered::Remembered;

impl BasicAuth {
    /// Compiles the user's settings; a line that is not `user:hash` is refused, and so is having
    /// no user at all.
    pub fn compile(config: &dynamic::BasicAuth, problems: &mut Vec<Problem>) -> Option<Self> {
        let users = parse_users(config, problems)?;
        let header_field = match config.header_field.as_str() {
            "" => None,
            name => header_field("basicAuth.headerField", name, problems)?,
        };
        let realm = if config.realm.is_empty() { "traefik" } else { config.realm.as_str() };
        let mut hashes = Vec::new();
        let mut compiled = BasicAuth {
            users: std::collections::HashMap::default(),
            hashes: Box::default(),
            challenge: Answer::basic_challenge(realm),
            header_field,
            remove_header: config.remove_header,
            remembered: Remembered::new(),
        };
        for (user, (hash, field)) in users {
            let hash = Hash::parse(hash);
            let place = match &hash {
                Hash::Bcrypt(bcrypt) if bcrypt.cost() > MAX_COST => {
                    let message = format!(
                        "the bcrypt cost of user {user} is {}; more than {MAX_COST} would block \
                         all others for too long",
                        bcrypt.cost()
                    );
                    problems.push(Problem::error(field, message));
                    return None;
                }
                Hash::Unusable => {
                    let message = format!(
                        "the hash of user {user} is none of bcrypt ($2y$), MD5 ($apr1$) and SHA-1 \
                         ({{SHA}}); no password matches it"
                    );
                    problems.push(Problem::warning(field, message));
                    None
                }
                _ => {
                    hashes.push(Arc::new(hash));
                    Some(hashes.len() - 1)
                }
            };
            compiled.users.insert(user.as_bytes().into(), place);
        }
        compiled.hashes = hashes.into();
        Some(compiled)
    }
}

/// Users in order of their names, with their hash and the field it was written in. The last line
/// of a user wins, and `users` over the file.
fn parse_users<'a>(
    config: &'a dynamic::BasicAuth,
    problems: &mut Vec<Problem>,
) -> Option<BTreeMap<&'a str, (&'a str, String)>> {
    let mut users = BTreeMap::new();
    for (field, line) in lines(config, "basicAuth") {
        let Some((user, hash)) = line.split_once(':').filter(|(_, hash)| !hash.contains(':'))
        else {
            let message = format!("error parsing BasicUser: {}", shown(line));
            problems.push(Problem::error("", message));
            return None;
        };
        users.insert(user, (hash, field));
    }
    if users.is_empty() {
        let message = format!("no users found in {}", config.users_file);
        problems.push(Problem::error("", message));
        return None;
    }
    Some(users)
}

/// The lines of the file and of the settings, with the field that each was written in; those that come later win.
pub(crate) fn lines<'a>(
    config: &'a dynamic::BasicAuth,
    kind: &'static str,
) -> impl Iterator<Item = (String, &'a str)> {
    let of_file = config.users_of_file.iter().map(|line| line.trim()).enumerate();
    let of_file = of_file.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let of_file = of_file.map(move |(index, line)| (format!("{kind}.usersFile[{index}]"), line));
    let inline = config.users.iter().map(String::as_str).enumerate();
    let inline = inline.map(move |(index, line)| (format!("{kind}.users[{index}]"), line));
    of_file.chain(inline)
}

/// What of a malformed line may be shown: the user, or a line that is too short and too plain for
/// a secret.
pub(crate) fn shown(line: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
    match line.split_once(':') {
        Some((user, _)) => format!("{user}:…"),
        None if line.len() <= 16 && line.chars().all(plain) => line.to_owned(),
        None => "… (a line must be user:hash)".to_owned(),
    }
}

/// The header for the user's name, or `None` inside if setting it has no effect; `None` for an
/// error.
pub(crate) fn header_field(
    field: &'static str,
    name: &str,
    problems: &mut Vec<Problem>,
) -> Option<Option<HeaderName>> {
    let Ok(parsed) = HeaderName::verbatim(name) else {
        let message = format!("\"{name}\" is no header name");
        problems.push(Problem::error(field, message));
        return None;
    };
    let ours = [Known::Host, Known::ContentLength, Known::TransferEncoding, Known::Trailer];
    if ours.iter().any(|known| known.as_str().eq_ignore_ascii_case(name)) {
        problems.push(Problem::warning(field, format!("ignored: {name} is for the proxy to set")));
        return Some(None);
    }
    Some(Some(parsed))
}
