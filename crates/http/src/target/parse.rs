//! The four forms of a request target (RFC 9112 §3.2).

use super::{InvalidPath, Target, TargetForm};
use crate::method::Method;
use crate::refusal::Reason;
use crate::words;

impl Target {
    /// Parses the target of a request line; fills `authority` if the target has one.
    ///
    /// # Errors
    ///
    /// The reason why Go answers 400, and 400 also for user information, opaque targets
    /// (`http:foo`), schemes other than http and https and percent-encoding in the authority.
    pub(crate) fn parse(
        &mut self,
        text: &[u8],
        method: &Method,
        authority: &mut String,
    ) -> Result<(), Reason> {
        self.clear();
        authority.clear();
        if text.is_empty() || !words::all(text, |byte| (byte > b' ') & (byte != 0x7f)) {
            return Err(Reason::MalformedTarget);
        }
        if text.first() == Some(&b'/') {
            return self.parse_path_and_query(text);
        }
        if text == b"*" {
            self.form = TargetForm::Asterisk;
            self.path.push(b'*');
            self.escaped.push('*');
            return Ok(());
        }
        if *method == Method::Connect {
            self.form = TargetForm::Authority;
            return take_authority(text, authority);
        }
        let Some(rest) = strip_scheme(text) else { return Err(Reason::MalformedTarget) };
        self.form = TargetForm::Absolute;
        let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
        let (host, rest) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        take_authority(host, authority)?;
        self.parse_path_and_query(rest)
    }

    pub(super) fn parse_path_and_query(&mut self, text: &[u8]) -> Result<(), Reason> {
        let path = match memchr::memchr(b'?', text).and_then(|mark| text.split_at_checked(mark)) {
            Some((path, query)) => {
                let query = query.get(1..).unwrap_or_default();
                self.query.extend_from_slice(query);
                self.bare_question_mark = query.is_empty();
                path
            }
            None => text,
        };
        self.assign_encoded(path).map_err(|InvalidPath| Reason::MalformedTarget)
    }
}

/// The rest behind `http://` or `https://` in any letter case.
fn strip_scheme(text: &[u8]) -> Option<&[u8]> {
    [&b"http://"[..], b"https://"].into_iter().find_map(|scheme| {
        let (start, rest) = text.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    })
}

/// Checks `host`, `host:port`, `[v6]:port` as Go's `parseHost` does, without escapes.
fn take_authority(text: &[u8], authority: &mut String) -> Result<(), Reason> {
    let valid = crate::host::is_valid_host(text) && !text.contains(&b'%');
    let text = std::str::from_utf8(text).ok().filter(|_| valid).ok_or(Reason::MalformedHost)?;
    let port = if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or(Reason::MalformedHost)?;
        address.parse::<std::net::Ipv6Addr>().map_err(|_| Reason::MalformedHost)?;
        port
    } else {
        text.find(':').and_then(|colon| text.get(colon..)).unwrap_or_default()
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    let brackets = text.matches(['[', ']']).count();
    if !digits.bytes().all(|byte| byte.is_ascii_digit())
        || (digits.len() == port.len() && !port.is_empty())
        || brackets > 2
        || (brackets > 0 && !text.starts_with('['))
    {
        return Err(Reason::MalformedHost);
    }
    authority.push_str(text);
    Ok(())
}
