//! What a client takes: `Accept-Encoding`, read as Traefik reads it.

use portway_http::{Headers, Known};

use super::Encoding;

/// What is offered, the best first, and what a client gets that does not choose.
#[derive(Debug)]
pub(super) struct Offered {
    pub(super) encodings: Box<[Encoding]>,
    pub(super) default: Option<Encoding>,
}

/// What an element of `Accept-Encoding` names, and how it ranks among equally wanted ones.
#[derive(Clone, Copy)]
enum Named {
    /// `*`, before all others.
    Any,
    /// One that is offered, in this place.
    Offered(usize, Encoding),
    /// `identity`, after all others.
    Identity,
}

impl Offered {
    /// The encoding of the response to a request with these fields: what the client wants most, then what is offered
    /// first. `None` leaves it as it is.
    pub(super) fn choose(&self, fields: &Headers) -> Option<Encoding> {
        if !fields.contains(Known::AcceptEncoding) {
            return self.default;
        }
        let mut best: Option<(Named, f64)> = None;
        for item in fields.get_all(Known::AcceptEncoding).flat_map(|v| v.split(|&b| b == b',')) {
            let Some((named, weight)) = self.read(item) else { continue };
            let wins = best.is_none_or(|(before, most)| {
                weight > most || (weight == most && rank(named) < rank(before))
            });
            if wins {
                best = Some((named, weight));
            }
        }
        match best?.0 {
            Named::Any => self.default.or(self.encodings.first().copied()),
            Named::Offered(_, encoding) => Some(encoding),
            Named::Identity => None,
        }
    }

    /// What an element names, and how much it is wanted; `None` where it does not count.
    fn read(&self, item: &[u8]) -> Option<(Named, f64)> {
        let item: Vec<u8> = item.iter().copied().filter(|&byte| byte != b' ').collect();
        let mut parts = item.splitn(2, |&byte| byte == b';');
        let named = match parts.next()? {
            b"*" => Named::Any,
            b"identity" => Named::Identity,
            name => {
                let mut places = self.encodings.iter().enumerate();
                // A name that stands twice has the last place, as in Traefik's map.
                let is_named = |(_, one): &(usize, &Encoding)| one.as_str().as_bytes() == name;
                let (place, encoding) = places.rfind(is_named)?;
                Named::Offered(place, *encoding)
            }
        };
        let Some(weight) = parts.next().and_then(|rest| rest.strip_prefix(b"q=")) else {
            return Some((named, 1.0));
        };
        let weight = number(weight);
        (weight != 0.0 && !weight.is_nan()).then_some((named, weight))
    }
}

fn rank(named: Named) -> usize {
    match named {
        Named::Any => 0,
        Named::Offered(place, _) => place.saturating_add(1),
        Named::Identity => usize::MAX,
    }
}

/// Whether the library that makes gzip for Traefik agrees: its own reading, of the first field alone.
pub(super) fn names_gzip(fields: &Headers) -> bool {
    let first = fields.get(Known::AcceptEncoding).unwrap_or_default();
    let coding = |item: &[u8]| {
        let mut parts = item.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(b"gzip"));
        let weight = parts.fold(1.0, |weight, part| match part.split_at_checked(2) {
            Some((name, value)) if name.eq_ignore_ascii_case(b"q=") => number(value),
            _ => weight,
        });
        is_gzip.then_some(weight)
    };
    // The first that is named counts.
    first.split(|&byte| byte == b',').find_map(coding).is_some_and(|weight| weight > 0.0)
}

/// A number as Go reads one; 0 for what is none.
fn number(text: &[u8]) -> f64 {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests;
