//! Removal of dot segments and repeated slashes, as Go's `URL.JoinPath()` without elements does.

/// Whether cleaning could change the path.
pub(super) fn is_clean(path: &[u8]) -> bool {
    let mut after_slash = false;
    for &byte in path {
        match byte {
            b'/' if after_slash => return false,
            b'/' => after_slash = true,
            b'.' if after_slash => return false,
            _ => after_slash = false,
        }
    }
    path.first() == Some(&b'/')
}

/// Appends the cleaned form of an encoded path to `out`.
///
/// A path that does not begin with a slash stays relative and cannot climb above its start; the
/// empty path becomes `/`; one trailing slash is kept.
pub(super) fn clean(path: &str, out: &mut String) {
    let start = out.len();
    out.push('/');
    let root = out.len();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                let parent = out.get(root..).and_then(|kept| kept.rfind('/'));
                out.truncate(parent.map_or(root, |slash| root + slash));
            }
            segment => {
                if out.len() > root {
                    out.push('/');
                }
                out.push_str(segment);
            }
        }
    }
    let relative = !path.is_empty() && !path.starts_with('/');
    if (path.ends_with('/') || path.is_empty()) && !out.ends_with('/') {
        out.push('/');
    }
    if relative {
        // Go joins below a slash and takes that slash off again.
        out.remove(start);
        if path.ends_with('/') && out.len() == start {
            out.push('/');
        }
    }
}
