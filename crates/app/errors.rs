//! What clients are told of errors: reads templates.

use std::{fs::File, io::Read as _, sync::Arc};

use anyhow::{Context as _, Result, bail};
use portway_model::static_config::StaticConfig;
use portway_proxy::{ErrorPages, ProxyStatus};

/// Bytes of a template, at most: every error is as long.
const MAX_TEMPLATE: u64 = 256 * 1024;

/// The forms of errors, if they are wanted.
///
/// # Errors
/// When a template cannot be read or used; the message names the option.
pub(crate) fn pages(config: &StaticConfig) -> Result<Option<Arc<ErrorPages>>> {
    let Some(pages) = &config.error_pages else { return Ok(None) };
    let html = template(&pages.html).with_context(|| format!("errorPages.html: {}", pages.html))?;
    let json = template(&pages.json).with_context(|| format!("errorPages.json: {}", pages.json))?;
    Ok(Some(Arc::new(ErrorPages::compile(html.as_deref(), json.as_deref())?)))
}

/// What responses say of what went wrong, if that is wanted.
///
/// # Errors
/// When the name cannot stand in a field.
pub(crate) fn proxy_status(config: &StaticConfig) -> Result<Option<Arc<ProxyStatus>>> {
    let compiled = config.proxy_status.as_ref().map(|status| ProxyStatus::compile(&status.name));
    Ok(compiled.transpose()?.map(Arc::new))
}

/// The text of a file; `None` where none is named.
fn template(path: &str) -> Result<Option<String>> {
    if path.is_empty() {
        return Ok(None);
    }
    let mut text = String::new();
    let length = File::open(path)?.take(MAX_TEMPLATE + 1).read_to_string(&mut text)?;
    if length as u64 > MAX_TEMPLATE {
        bail!("is longer than {} KiB", MAX_TEMPLATE / 1024);
    }
    Ok(Some(text))
}
