//! The nearest known name, for error messages.

/// The name of `known` that is most like `written`, compared without case; `None` when none is near.
///
/// ```
/// assert_eq!(portway_model::nearest("enrtyPoints", ["entryPoints", "rule"]), Some("entryPoints"));
/// assert_eq!(portway_model::nearest("colour", ["entryPoints", "rule"]), None);
/// ```
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    let length = written.chars().count();
    let limit = length.div_ceil(3).max(1);
    known
        .into_iter()
        // The distance is at least the difference in length; long texts cost nothing.
        .filter(|name| name.chars().count().abs_diff(length) <= limit)
        .map(|name| (distance(&written, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut last = None;
    for (i, ch) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, other) in b.iter().enumerate() {
            let at =
                |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX - 1);
            let mut cost = (at(&row, j + 1) + 1)
                .min(at(&next, j) + 1)
                .min(at(&row, j) + usize::from(ch != *other));
            let swapped = j > 0 && last == Some(*other) && b.get(j - 1) == Some(&ch);
            if swapped {
                cost = cost.min(at(&before, j - 1) + 1);
            }
            next.push(cost);
        }
        before = row;
        row = next;
        last = Some(ch);
    }
    row.last().copied().unwrap_or_default()
}
