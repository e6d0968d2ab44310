//! Golden files: what a case produced is compared with a committed file.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Compares `actual` with the file at `path`; with `UPDATE_GOLDEN` set, writes the file instead.
#[track_caller]
pub fn check(path: &Path, actual: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, actual).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return;
    }
    let expected = fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{}: {error}; UPDATE_GOLDEN=1 writes it", path.display()));
    if expected != actual {
        panic!(
            "{} differs (- file, + now); UPDATE_GOLDEN=1 accepts it\n{}",
            path.display(),
            lines_that_differ(&expected, actual)
        );
    }
}

/// The lines that only one of the texts has, marked `-` (expected) and `+` (actual), with the line
/// number of `expected` before each group.
#[must_use]
pub fn lines_that_differ(expected: &str, actual: &str) -> String {
    let (before, after): (Vec<_>, Vec<_>) = (expected.lines().collect(), actual.lines().collect());
    let common = common_lengths(&before, &after);
    let (mut left, mut right, mut equal) = (0, 0, true);
    let mut text = String::new();
    while left < before.len() || right < after.len() {
        if left < before.len() && right < after.len() && before[left] == after[right] {
            (left, right, equal) = (left + 1, right + 1, true);
            continue;
        }
        if equal {
            let _ = writeln!(text, "@@ line {} @@", left + 1);
            equal = false;
        }
        let take_left = right == after.len()
            || (left < before.len() && common[left + 1][right] >= common[left][right + 1]);
        if take_left {
            let _ = writeln!(text, "-{}", before[left]);
            left += 1;
        } else {
            let _ = writeln!(text, "+{}", after[right]);
            right += 1;
        }
    }
    text
}

/// For each pair of positions the length of the longest common rest.
fn common_lengths(before: &[&str], after: &[&str]) -> Vec<Vec<u32>> {
    let mut common = vec![vec![0; after.len() + 1]; before.len() + 1];
    for left in (0..before.len()).rev() {
        for right in (0..after.len()).rev() {
            common[left][right] = if before[left] == after[right] {
                common[left + 1][right + 1] + 1
            } else {
                common[left + 1][right].max(common[left][right + 1])
            };
        }
    }
    common
}

/// The case folders inside `folder`, sorted by name, as (name, path).
#[must_use]
pub fn cases(folder: &Path) -> Vec<(String, std::path::PathBuf)> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a folder entry").path())
        .filter(|path| path.is_dir())
        .map(|path| (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), path))
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::lines_that_differ;

    #[test]
    fn only_changed_lines_are_shown() {
        let text = lines_that_differ("a\nb\nc\nd\n", "a\nx\nc\nd\ne\n");
        assert_eq!(text, "@@ line 2 @@\n-b\n+x\n@@ line 5 @@\n+e\n");
    }

    #[test]
    fn equal_texts_show_nothing() {
        assert_eq!(lines_that_differ("a\nb\n", "a\nb\n"), "");
    }
}
