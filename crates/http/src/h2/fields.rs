//! Collecting the fields of a block.

use super::hpack::{Field, Name, Pseudo};
use super::limits::Limits;
use crate::headers::{BadField, Headers, Known, is_value, trim};

/// The fields of a block that are no fields of a head: they are kept here until the block ends.
#[derive(Debug, Default)]
pub(super) struct Apart {
    text: Vec<u8>,
    /// Where the value of each pseudo field lies.
    places: [Option<(usize, usize)>; 6],
}

impl Apart {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        // What one head has swelled is not held for all that come.
        self.text.shrink_to(USUAL);
        self.places = [None; 6];
    }

    /// The bytes of its memory.
    pub(super) fn capacity(&self) -> usize {
        self.text.capacity()
    }

    /// The value of a pseudo field.
    pub(super) fn get(&self, pseudo: Pseudo) -> Option<&[u8]> {
        let (start, end) = self.places.get(pseudo as usize).copied()??;
        self.text.get(start..end)
    }

    /// Whether there is any pseudo field.
    pub(super) fn is_any(&self) -> bool {
        self.places.iter().any(Option::is_some)
    }

    /// Keeps a pseudo field; `false` if it is there already.
    fn put(&mut self, pseudo: Pseudo, value: &[u8]) -> bool {
        let Some(place) = self.places.get_mut(pseudo as usize) else { return false };
        if place.is_some() {
            return false;
        }
        let start = self.text.len();
        self.text.extend_from_slice(value);
        *place = Some((start, self.text.len()));
        true
    }
}

/// What is between two crumbs.
const CRUMB: &[u8] = b"; ";

/// Memory of so many bytes is kept from head to head.
const USUAL: usize = 4096;

/// What is wrong with a block whose fields could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It breaks a rule of RFC 9113 §8.
    Malformed,
    /// It is longer, or has more fields, than is taken.
    TooLarge,
}

/// Takes the fields of one block.
#[derive(Debug)]
pub(super) struct Collector<'a> {
    headers: &'a mut Headers,
    apart: &'a mut Apart,
    /// What they may count for.
    most: usize,
    bytes_left: usize,
    fields_left: usize,
    /// Whether a field came that is no pseudo field.
    in_fields: bool,
    /// How many lines the crumbs of the cookie are in (RFC 9113 §8.2.3).
    cookies: usize,
    fault: Option<Fault>,
}

impl<'a> Collector<'a> {
    /// Clears what it fills, with fields that count for `most` bytes.
    pub(super) fn new(
        headers: &'a mut Headers,
        apart: &'a mut Apart,
        most: usize,
        limits: &Limits,
    ) -> Self {
        headers.clear();
        apart.clear();
        let fields_left = limits.fields;
        Self {
            headers,
            apart,
            most,
            bytes_left: most,
            fields_left,
            in_fields: false,
            cookies: 0,
            fault: None,
        }
    }

    /// Takes the next field. Behind a fault nothing is kept, whatever the block stands for.
    pub(super) fn take(&mut self, field: Field<'_>) {
        if self.fault == Some(Fault::Malformed) {
            return;
        }
        if let Err(fault) = self.check(field) {
            self.fault = Some(fault);
        }
    }

    fn check(&mut self, field: Field<'_>) -> Result<(), Fault> {
        let Field { name, mut value, kind, sound } = field;
        if self.fault.is_none() {
            let bytes = self.bytes_left.checked_sub(field.size()).ok_or(Fault::TooLarge)?;
            // The crumbs of a cookie are one field.
            let begins = kind != Name::Known(Known::Cookie) || self.cookies == 0;
            let fields = self.fields_left.checked_sub(usize::from(begins));
            self.fields_left = fields.ok_or(Fault::TooLarge)?;
            self.bytes_left = bytes;
        } else if kind != Name::Malformed {
            return Ok(());
        }
        if !sound {
            value = trim(value);
            if !is_value(value) {
                return Err(Fault::Malformed);
            }
        }
        match kind {
            Name::Pseudo(pseudo) => {
                if self.in_fields || !sound || !self.apart.put(pseudo, value) {
                    return Err(Fault::Malformed);
                }
                return Ok(());
            }
            Name::Known(
                Known::Connection
                | Known::KeepAlive
                | Known::ProxyConnection
                | Known::TransferEncoding
                | Known::Upgrade,
            )
            | Name::Malformed => return Err(Fault::Malformed),
            Name::Known(Known::Te) if value != b"trailers" => return Err(Fault::Malformed),
            Name::Known(Known::Cookie) => {
                self.take_crumb(value).map_err(|_| Fault::Malformed)?;
            }
            Name::Known(known) => {
                self.headers.push_small(name, value, Some(known)).map_err(|_| Fault::Malformed)?
            }
            Name::Other => {
                self.headers.push_small(name, value, None).map_err(|_| Fault::Malformed)?;
            }
        }
        self.in_fields = true;
        Ok(())
    }

    /// Takes a crumb of the cookie: behind the one before it, where nothing came between them.
    fn take_crumb(&mut self, value: &[u8]) -> Result<(), BadField> {
        // An empty one must not leave the line with a blank at its end.
        if self.headers.ends_with(Known::Cookie) && !value.is_empty() {
            return self.headers.extend_last(CRUMB, value);
        }
        self.cookies += 1;
        self.headers.push_small(b"cookie", value, Some(Known::Cookie))
    }

    /// What the fields count for that were kept.
    pub(super) fn taken(&self) -> usize {
        self.most - self.bytes_left
    }

    /// Ends the block; returns what its fields count for.
    pub(super) fn finish(self) -> Result<usize, Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if self.cookies > 1 {
            self.headers.join(Known::Cookie, CRUMB);
        }
        Ok(self.taken())
    }
}
