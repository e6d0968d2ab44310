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

/// The lines between the common beginning and the common end of both texts, marked `-` and `+`.
#[must_use]
pub fn lines_that_differ(expected: &str, actual: &str) -> String {
    let (before, after): (Vec<_>, Vec<_>) = (expected.lines().collect(), actual.lines().collect());
    let same = before.iter().zip(&after).take_while(|(left, right)| left == right).count();
    let room = before.len().min(after.len()) - same;
    let tail = before
        .iter()
        .rev()
        .zip(after.iter().rev())
        .take(room)
        .take_while(|(left, right)| left == right)
        .count();
    let mut text = format!("@@ line {} @@\n", same + 1);
    for line in &before[same..before.len() - tail] {
        let _ = writeln!(text, "-{line}");
    }
    for line in &after[same..after.len() - tail] {
        let _ = writeln!(text, "+{line}");
    }
    text
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
