//! What the API of both says of middlewares: their settings with defaults, their status and what is wrong.

use std::fmt::Write as _;

use super::api::leaves;
use super::pair::Pair;

/// Compares every middleware that a file defines, to the word. Of those named `in_other_words` only whether they
/// have errors is compared.
pub(crate) fn compare(pair: &mut Pair, in_other_words: &[&str]) {
    let (_, list) = pair.sides[1].api("/api/http/middlewares?per_page=1000");
    for object in list.as_array().expect("a list") {
        let name = object["name"].as_str().expect("a name");
        let Some(short) = name.strip_suffix("@file") else { continue };
        let texts = pair.sides.each_ref().map(|side| {
            let (_, mut value) = side.api(&format!("/api/http/middlewares/{name}"));
            if let Some(users) = value["usedBy"].as_array_mut() {
                // Traefik names a router as often as it names the middleware (27).
                users.dedup();
            }
            let mut text = String::new();
            leaves(&mut text, "", &value);
            if !in_other_words.contains(&short) {
                let _ = writeln!(text, "{}", value["error"]);
            }
            side.anonymous(&text)
        });
        pair.compare_texts(&format!("middleware {name}"), texts);
    }
}
