//! Removal of dot segments and repeated slashes, as Go's `URL.JoinPath()` without elements does.

use crate::words;

/// Whether cleaning leaves the path as it is.
pub(super) fn is_clean(path: &[u8]) -> bool {
    let Some((b'/', segments)) = path.split_first() else { return false };
    // Nearly always nothing looks like an empty or a dot segment.
    if words::no_pair(path, |byte, next| (byte == b'/') & ((next == b'/') | (next == b'.'))) {
        return true;
    }
    // Only the last segment may be empty.
    let mut ended = false;
    segments.split(|&byte| byte == b'/').all(|segment| {
        let sound = !ended && segment != b"." && segment != b"..";
        ended = segment.is_empty();
        sound
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_paths_are_those_that_cleaning_leaves_alone() {
        let alphabet = ["/", ".", "..", "a", "/.", "//"];
        let mut paths = vec![String::new()];
        for _ in 0..5 {
            let longer = |path: &String| alphabet.map(|part| format!("{path}{part}"));
            paths.extend(paths.clone().iter().flat_map(longer));
        }
        for path in paths {
            let mut cleaned = String::new();
            clean(&path, &mut cleaned);
            let expected = path.starts_with('/') && cleaned == path;
            assert_eq!(is_clean(path.as_bytes()), expected, "{path}");
        }
    }
}
