//! One record as one line.

use crate::{
    Record,
    fields::{Chosen, Field},
    moment::Moments,
    text,
};
use portway_model::static_config::FieldMode;

pub(crate) mod common;
pub(crate) mod json;

/// What stands for a value that nobody may read.
const REDACTED: &[u8] = b"REDACTED";

/// What a line is made with.
pub(crate) struct Writing<'w> {
    pub(crate) line: &'w mut Vec<u8>,
    pub(crate) chosen: &'w Chosen,
    pub(crate) moments: &'w mut Moments,
    pub(crate) end_moments: &'w mut Moments,
    /// The number of this request.
    pub(crate) count: u64,
}

/// Whether two names are one header's.
fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Appends the path and what may be told of the query.
fn path<Q, O, D>(
    line: &mut Vec<u8>,
    record: &Record<'_, Q, O, D>,
    query: FieldMode,
    mut part: impl FnMut(&mut Vec<u8>, &[u8]),
) {
    part(line, record.path);
    let Some(written) = record.query else { return };
    match query {
        FieldMode::Drop => {}
        FieldMode::Keep => {
            part(line, b"?");
            part(line, written);
        }
        FieldMode::Redact => {
            for (position, parameter) in written.split(|byte| *byte == b'&').enumerate() {
                part(line, if position == 0 { b"?" } else { b"&" });
                let mut halves = parameter.splitn(2, |byte| *byte == b'=');
                part(line, halves.next().unwrap_or_default());
                if halves.next().is_some() {
                    part(line, b"=");
                    part(line, REDACTED);
                }
            }
        }
    }
}
