use portway_http::HeaderName;

use super::*;
use crate::testing::{listed, request, shown};

fn compiled(change: impl FnOnce(&mut dynamic::Compress)) -> Result<Compress, Vec<String>> {
    let mut config = dynamic::Compress::default();
    change(&mut config);
    let mut problems = Vec::new();
    Compress::compile(&config, &mut problems).ok_or_else(|| shown(&problems))
}

fn sorted(texts: &[String]) -> Vec<&String> {
    let mut texts: Vec<_> = texts.iter().collect();
    texts.sort();
    texts
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    let reason = |change: fn(&mut dynamic::Compress)| compiled(change).unwrap_err().join(" ");
    let both = |config: &mut dynamic::Compress| {
        config.excluded_content_types = texts(&["a/b"]);
        config.included_content_types = texts(&["a/b"]);
    };
    assert!(reason(both).contains("mutually exclusive"));
    assert_eq!(
        reason(|config| config.encodings = texts(&["br", "gzp"])),
        "Error unsupported encoding: gzp; did you mean `gzip`?"
    );
    assert_eq!(
        reason(|config| config.encodings.clear()),
        "Error at least one encoding must be specified"
    );
    assert_eq!(
        reason(|config| {
            config.encodings = texts(&["br"]);
            config.default_encoding = "gzip".to_owned();
        }),
        "Error unsupported default encoding: gzip; it must be one of br"
    );
    assert_eq!(
        reason(|config| config.included_content_types = texts(&["text/html;x"])),
        "Error parsing included media type: mime: invalid media parameter (`text/html;x`)"
    );
}

#[test]
fn some_requests_are_left_alone() {
    let compress =
        compiled(|config| config.excluded_content_types = texts(&["Text/Event-Stream"])).unwrap();
    let offered = |method: &str, kind: &str| {
        let fields = [("Accept-Encoding", "br"), ("Content-Type", kind)];
        compress.offer(&request(method, "/", "a.test", &fields)).is_some()
    };
    assert!(offered("GET", "text/plain"));
    assert!(!offered("HEAD", "text/plain"));
    assert!(!offered("POST", "text/event-stream; a=b"));
    assert!(!offered("POST", "application/grpc"));
    assert!(!offered("POST", "application/grpc; x"));
    assert!(offered("POST", "application/grpc+proto"));
    assert!(compress.offer(&request("GET", "/", "a.test", &[])).is_none());
}

/// What becomes of a response with these fields, whose body begins like this.
#[track_caller]
fn check(
    compress: &Compress,
    accept: &str,
    fields: &[(&str, &str)],
    body: BodyFraming,
    beginning: &[u8],
    expected: &[&str],
) {
    let request = request("GET", "/", "a.test", &[("Accept-Encoding", accept)]);
    let mut headers = Fields::new();
    for (name, value) in fields {
        headers.append(HeaderName::parse(name).unwrap(), value);
    }
    let offer = compress.offer(&request).expect("something is accepted");
    let mut early = Fields::new();
    offer.announce(&mut early);
    headers.put_before(&early);
    let says_length = matches!(body, BodyFraming::Length(_));
    let verdict = offer.judge(&mut headers, body, says_length).verdict;
    let compressed = match verdict {
        Verdict::Leave => false,
        Verdict::Compress => true,
        Verdict::Await => offer.takes(&headers, beginning),
    };
    if compressed {
        offer.begin(&mut headers, None, Budget::PROCESS).unwrap();
    }
    // What was announced stands before what the response says.
    let (mut told, mut expected) = (listed(&headers), expected.to_vec());
    assert_eq!(told.first().map(String::as_str), Some(VARY));
    told.sort_unstable();
    expected.sort_unstable();
    assert_eq!(told, expected, "{verdict:?}");
}

const LONG: BodyFraming = BodyFraming::Length(1024);
const VARY: &str = "Vary: Accept-Encoding";

#[test]
fn the_length_decides_where_it_is_known() {
    let compress = compiled(|_| ()).unwrap();
    let br = "Content-Encoding: br";
    check(&compress, "br", &[], LONG, b"", &[VARY, br]);
    check(&compress, "br", &[], BodyFraming::Length(1023), b"x", &[VARY]);
    check(&compress, "br", &[], BodyFraming::None, b"", &[VARY]);
    check(&compress, "br", &[], BodyFraming::Chunked, b"x", &[VARY, br]);
    check(&compress, "br", &[], BodyFraming::Chunked, b"", &[VARY]);
    check(&compress, "br", &[], BodyFraming::UntilClose, b"x", &[VARY, br]);
    let short = compiled(|config| config.min_response_body_bytes = 1).unwrap();
    check(&short, "br", &[], BodyFraming::Length(1), b"x", &[VARY, br]);
    check(&short, "br", &[], BodyFraming::Length(0), b"", &[VARY]);
}

#[test]
fn coded_responses_and_parts_are_left() {
    let compress = compiled(|_| ()).unwrap();
    let coded = ("Content-Encoding", "x");
    check(&compress, "br", &[coded], LONG, b"", &["Content-Encoding: x", VARY]);
    check(&compress, "gzip", &[coded], LONG, b"", &["Content-Encoding: x", VARY]);
    let part = ("Content-Range", "bytes 0-1023/4096");
    check(&compress, "gzip", &[part], LONG, b"", &["Content-Range: bytes 0-1023/4096", VARY]);
    let told = ["Content-Range: bytes 0-1023/4096", VARY, "Content-Encoding: br"];
    check(&compress, "br", &[part], LONG, b"", &told);
    let ranges = ("Accept-Ranges", "bytes");
    check(&compress, "gzip", &[ranges], LONG, b"", &[VARY, "Content-Encoding: gzip"]);
    let told = ["Accept-Ranges: bytes", VARY, "Content-Encoding: zstd"];
    check(&compress, "zstd", &[ranges], LONG, b"", &told);
    let unwanted = ("No-Gzip-Compression", "");
    check(&compress, "gzip", &[unwanted], LONG, b"", &[VARY]);
    check(&compress, "*", &[unwanted], LONG, b"", &[VARY]);
    let told = ["No-Gzip-Compression: ", VARY, "Content-Encoding: br"];
    check(&compress, "br", &[unwanted], LONG, b"", &told);
}

#[test]
fn fields_that_a_body_had_follow_it() {
    let compress = compiled(|_| ()).unwrap();
    let fields = [("Vary", "Origin"), ("Content-Length", "1024"), ("Etag", "\"a\"")];
    let told = ["Etag: \"a\"", VARY, "Vary: Origin", "Content-Encoding: br"];
    check(&compress, "br", &fields, LONG, b"", &told);
}

#[test]
fn types_are_excluded_or_included() {
    let html = ("Content-Type", "text/html; charset=utf-8");
    let told = "Content-Type: text/html; charset=utf-8";
    let excluding =
        compiled(|config| config.excluded_content_types = texts(&["TEXT/html"])).unwrap();
    let including =
        compiled(|config| config.included_content_types = texts(&["text/HTML; a=b"])).unwrap();
    for (accept, coding) in [("gzip", "Content-Encoding: gzip"), ("zstd", "Content-Encoding: zstd")]
    {
        check(&excluding, accept, &[html], LONG, b"", &[told, VARY]);
        check(&including, accept, &[html], LONG, b"", &[told, VARY, coding]);
        let plain = ("Content-Type", "text/plain");
        check(&excluding, accept, &[plain], LONG, b"", &["Content-Type: text/plain", VARY, coding]);
        check(&including, accept, &[plain], LONG, b"", &["Content-Type: text/plain", VARY]);
        let grpc = ("Content-Type", "application/grpc");
        check(&excluding, accept, &[grpc], LONG, b"", &["Content-Type: application/grpc", VARY]);
    }
    // Where nothing is said, one library looks.
    check(&excluding, "gzip", &[], LONG, b"<html>", &[VARY]);
    check(&excluding, "gzip", &[], LONG, b"text", &[VARY, "Content-Encoding: gzip"]);
    check(&excluding, "br", &[], LONG, b"<html>", &[VARY, "Content-Encoding: br"]);
    check(&including, "gzip", &[], LONG, b"text", &[VARY]);
    check(&including, "br", &[], LONG, b"text", &[VARY, "Content-Encoding: br"]);
    let bad = ("Content-Type", "text");
    let worse = ("Content-Type", "/");
    check(
        &excluding,
        "gzip",
        &[worse],
        LONG,
        b"",
        &["Content-Type: /", VARY, "Content-Encoding: gzip"],
    );
    check(&excluding, "br", &[worse], LONG, b"", &["Content-Type: /", VARY]);
    check(
        &excluding,
        "br",
        &[bad],
        LONG,
        b"",
        &["Content-Type: text", VARY, "Content-Encoding: br"],
    );
}

#[test]
fn a_word_for_any_encoding_gets_no_gzip() {
    let compress = compiled(|_| ()).unwrap();
    check(&compress, "*", &[], LONG, b"", &[VARY]);
    let zstd = compiled(|config| config.encodings = texts(&["zstd"])).unwrap();
    check(&zstd, "*", &[], LONG, b"", &[VARY, "Content-Encoding: zstd"]);
}

#[test]
fn a_response_that_there_is_no_memory_for_is_left_as_it_is() {
    static NONE: Budget = Budget::new(0);
    let compress = compiled(|_| ()).unwrap();
    for accept in ["gzip", "br", "zstd"] {
        let request = request("GET", "/", "a.test", &[("Accept-Encoding", accept)]);
        let mut headers = Fields::new();
        headers.append(Known::ContentType, "text/plain");
        headers.append(ACCEPT_RANGES, "bytes");
        let offer = compress.offer(&request).unwrap();
        let length = Some(5000);
        assert_eq!(
            offer.judge(&mut headers, BodyFraming::Length(5000), true).verdict,
            Verdict::Compress
        );
        assert!(offer.begin(&mut headers, length, &NONE).is_none());
        let expected =
            ["Vary: Accept-Encoding", "Content-Type: text/plain", "Accept-Ranges: bytes"];
        assert_eq!(sorted(&listed(&headers)), sorted(&texts(&expected)));
    }
}
