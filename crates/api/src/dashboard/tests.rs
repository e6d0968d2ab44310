use std::collections::BTreeSet;

use super::{FILES, address, answer};
use crate::{Facts, RequestView};

fn request<'a>(target: &'a str, headers: &'a [(&'a str, &'a [u8])]) -> RequestView<'a> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    RequestView {
        method: "GET",
        path,
        query,
        host: "x.test:8080",
        remote_address: "127.0.0.1:5",
        protocol: "HTTP/1.1",
        tls: false,
        headers,
    }
}

#[test]
fn every_file_of_the_folder_is_served() {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/dashboard")).unwrap();
    let folder: BTreeSet<String> =
        folder.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    let served: BTreeSet<String> = FILES.iter().map(|file| file.name.to_owned()).collect();
    assert_eq!(served, folder);
}

#[test]
fn no_file_names_another_server() {
    for file in FILES {
        let text = std::str::from_utf8(file.content).unwrap();
        let allowed = text.replace("http://www.w3.org/", "");
        for foreign in ["http://", "https://", "//cdn"] {
            assert!(!allowed.contains(foreign), "{} names {foreign}", file.name);
        }
    }
}

#[test]
fn text_never_becomes_markup() {
    for file in FILES {
        let text = std::str::from_utf8(file.content).unwrap();
        for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!text.contains(way), "{} uses {way}", file.name);
        }
        assert!(!text.contains("<script>") && !text.contains("style=\""), "{}", file.name);
    }
}

#[test]
fn a_known_version_is_not_sent_again() {
    let first = answer(&request("/", &[]), "");
    let tag = first.headers.iter().find(|(name, _)| *name == "ETag").unwrap().1.clone();
    assert_eq!((first.status, first.body.is_empty()), (200, false));
    let tags: [(&str, &[u8]); 1] = [("if-none-match", tag.as_bytes())];
    let second = answer(&request("/", &tags), "");
    assert_eq!((second.status, second.body.is_empty()), (304, true));
}

#[test]
fn paths_out_of_the_folder_mean_nothing() {
    for path in ["../Cargo.toml", "/etc/passwd", "main.js/", "Main.js", "index.html/"] {
        assert_eq!(answer(&request("/", &[]), path).status, 404, "{path}");
    }
}

#[test]
fn the_way_to_the_dashboard_never_leaves_the_host() {
    #[track_caller]
    fn check(prefix: &str, expected: &str) {
        let headers: [(&str, &[u8]); 1] = [("X-Forwarded-Prefix", prefix.as_bytes())];
        assert_eq!(address(&request("/", &headers), &Facts::default()), expected);
    }
    check("/pp", "/pp/dashboard/");
    check("/\\evil.test", "/dashboard/");
    check("\\\\evil.test", "/dashboard/");
    check("//evil.test", "/dashboard/");
    check("///evil.test", "/evil.test/dashboard/");
    check("https://evil.test", "/dashboard/");
    check("/a\tb", "/dashboard/");
    check("/a b", "/dashboard/");
}
