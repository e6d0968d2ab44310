//! `ping@internal`: whether the process serves.

use portway_http::Status;

use crate::Answer;

/// Answers every method and every path alike.
pub(crate) fn answer(status: u16) -> Answer {
    let body = match status {
        204 | 304 => "",
        status => Status::new(status).map_or("", Status::text),
    };
    Answer { status, body: body.as_bytes().into(), ..Answer::default() }
}

#[cfg(test)]
mod tests {
    use super::answer;

    #[test]
    fn ping_says_its_status_in_words() {
        assert_eq!(answer(200).body.as_ref(), b"OK");
        assert_eq!(answer(503).body.as_ref(), b"Service Unavailable");
        assert_eq!(answer(503).status, 503);
        assert!(answer(204).body.is_empty());
    }
}
