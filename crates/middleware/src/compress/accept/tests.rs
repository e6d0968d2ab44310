use portway_http::{Headers, Known};

use super::*;

fn fields(lines: &[&str]) -> Headers {
    let mut fields = Headers::new();
    lines.iter().for_each(|line| fields.append(Known::AcceptEncoding, line));
    fields
}

#[track_caller]
fn check(offered: &[Encoding], default: Option<Encoding>, lines: &[&str], expected: &str) {
    let offered = Offered { encodings: offered.into(), default };
    let chosen = offered.choose(&fields(lines)).map_or("", Encoding::as_str);
    assert_eq!(chosen, expected, "{lines:?}");
}

const ALL: &[Encoding] = &[Encoding::Gzip, Encoding::Brotli, Encoding::Zstd];

#[test]
fn the_client_chooses_first_and_the_settings_then() {
    check(ALL, None, &["gzip, deflate, br, zstd"], "gzip");
    check(ALL, None, &["zstd, br"], "br");
    check(ALL, None, &["br;q=0.5, zstd;q=0.8, gzip;q=0.1"], "zstd");
    check(ALL, None, &["gzip;q=0.5", "br"], "br");
    check(ALL, None, &[" br ; q = 0.9 ,gzip;q=0.8"], "br");
    check(ALL, None, &["gzip;q=0, br;q=0.0"], "");
    check(ALL, None, &["gzip;q=x"], "");
    check(ALL, None, &["gzip;Q=0"], "gzip");
    check(ALL, None, &["GZIP, deflate"], "");
    check(ALL, None, &["identity"], "");
    check(ALL, None, &["identity, gzip"], "gzip");
    check(ALL, None, &["identity;q=1, gzip;q=0.5"], "");
    check(&[Encoding::Brotli], None, &["gzip"], "");
}

#[test]
fn whoever_does_not_choose_gets_the_default() {
    check(ALL, None, &[], "");
    check(ALL, Some(Encoding::Zstd), &[], "zstd");
    check(ALL, Some(Encoding::Zstd), &[""], "");
    check(ALL, None, &[""], "");
    check(ALL, None, &["*"], "gzip");
    check(ALL, Some(Encoding::Brotli), &["*"], "br");
    check(ALL, Some(Encoding::Brotli), &["zstd, *"], "br");
    check(ALL, None, &["*;q=0.1, zstd"], "zstd");
    check(ALL, None, &["*;q=0"], "");
}

#[test]
fn gzip_is_made_only_where_the_first_field_names_it() {
    for (lines, expected) in [
        (&["gzip"][..], true),
        (&["deflate", "gzip"], false),
        (&["*"], false),
        (&[], false),
        (&["br, GZIP;q=0.1"], true),
        (&["gzip;q=-1"], false),
        (&["gzip;q=0, gzip"], false),
        (&["gzip; x=1 ;Q=1"], true),
    ] {
        assert_eq!(names_gzip(&fields(lines)), expected, "{lines:?}");
    }
}
