//! The dashboard: files in the binary, and the way to them.

use crate::{Answer, Facts, RequestView};

/// What the page may do: load its own files and ask its own server, nothing else.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; object-src 'none'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'self'";

/// A file of the dashboard.
struct File {
    name: &'static str,
    content_type: &'static str,
    content: &'static [u8],
}

macro_rules! files {
    ($($name:literal: $content_type:expr,)*) => {
        &[$(File {
            name: $name,
            content_type: $content_type,
            content: include_bytes!(concat!("../dashboard/", $name)),
        }),*]
    };
}

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Every file of the dashboard; a test holds that none in the folder is left out.
const FILES: &[File] = files! {
    "index.html": HTML,
    "style.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "main.js": SCRIPT,
    "api.js": SCRIPT,
    "dom.js": SCRIPT,
    "format.js": SCRIPT,
    "parts.js": SCRIPT,
    "overview.js": SCRIPT,
    "list.js": SCRIPT,
    "detail.js": SCRIPT,
    "flow.js": SCRIPT,
};

/// The answer with a file by its path under the dashboard, `""` being the page itself.
pub(crate) fn answer(request: &RequestView<'_>, path: &str) -> Answer {
    let answer = match path {
        // One address for the page; otherwise links in it would have two meanings.
        "index.html" => Answer::redirect(301, "./"),
        path => match file(if path.is_empty() { "index.html" } else { path }) {
            Some(file) => serve(request, file),
            None => Answer::not_found(),
        },
    };
    answer.header("Content-Security-Policy", POLICY)
}

fn file(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.name == name)
}

fn serve(request: &RequestView<'_>, file: &File) -> Answer {
    let tag = format!("\"{:016x}\"", fingerprint(file.content));
    let known = request.header("If-None-Match").is_some_and(|tags| tags.contains(&tag));
    let answer = if known {
        Answer::empty(304)
    } else {
        Answer::body(file.content_type, file.content)
            .header("X-Content-Type-Options", "nosniff")
            .header("Referrer-Policy", "no-referrer")
    };
    // A browser asks each time, so that a page never meets the files of another version.
    answer.header("Cache-Control", "no-cache").header("ETag", tag)
}

/// FNV-1a: tells versions of a file apart; nothing depends on it being hard to forge.
fn fingerprint(content: &[u8]) -> u64 {
    content.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Where the dashboard is for a browser, behind the prefix that a proxy or `stripPrefix` took away.
pub(crate) fn address(request: &RequestView<'_>, facts: &Facts) -> String {
    let prefix = request.header("X-Forwarded-Prefix").filter(|prefix| is_a_path(prefix));
    let joined = format!("{}/{}/dashboard", prefix.unwrap_or_default(), facts.base());
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}/", parts.join("/"))
}

/// Whether a prefix is a plain path. Whatever a browser could read as another host is not, nor is
/// what could end the header's line.
fn is_a_path(prefix: &str) -> bool {
    let scheme = prefix.split('/').next().unwrap_or_default();
    let escapes = crate::query::unescape(prefix).is_some();
    let plain = prefix.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    plain
        && escapes
        && !scheme.contains(':')
        && (!prefix.starts_with("//") || prefix.starts_with("///"))
}

#[cfg(test)]
mod tests;
