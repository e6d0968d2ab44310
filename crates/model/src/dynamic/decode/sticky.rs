//! Stickiness out of a tree.

use crate::{
    Fields, Node, Problem,
    dynamic::{Cookie, Sticky, sticky::SAME_SITE},
    nearest,
};

/// Reads `sticky`.
pub fn sticky(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Box<Sticky> {
    let mut fields = Fields::open(node, path, problems);
    let cookie = fields.section("cookie", |node, path, problems| {
        let mut fields = Fields::open(node, path, problems);
        let cookie = cookie(&mut fields);
        fields.close();
        cookie
    });
    fields.close();
    Box::new(Sticky { cookie })
}

/// Reads the fields of `sticky.cookie`, which are open. What a browser would not understand is left out with a
/// warning, as Traefik leaves it out.
pub fn cookie(fields: &mut Fields<'_>) -> Cookie {
    let cookie = Cookie {
        name: fields.string("name"),
        secure: fields.boolean("secure").unwrap_or_default(),
        http_only: fields.boolean("httpOnly").unwrap_or_default(),
        same_site: fields.string("sameSite"),
        max_age: fields.integer("maxAge").unwrap_or_default(),
        path: match fields.node("path") {
            Some(_) => fields.string("path"),
            None => Cookie::default().path,
        },
        domain: fields.string("domain"),
    };
    if !cookie.same_site.is_empty() && cookie.same_site_policy().is_none() {
        let written = &cookie.same_site;
        let near = nearest(written, SAME_SITE).map(str::to_lowercase);
        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        let message =
            format!("`{written}` is none of `none`, `lax`, `strict` and has no effect{near}");
        fields.report("sameSite", Problem::warning, message);
    }
    if !cookie.domain.is_empty() && cookie.usable_domain().is_none() {
        let message = format!("`{}` is no domain and has no effect", cookie.domain);
        fields.report("domain", Problem::warning, message);
    }
    cookie
}
