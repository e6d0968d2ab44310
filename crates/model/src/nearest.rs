//! The nearest known name, for error messages.

/// The name of `known` that is most like `written`, compared without case; `None` when none is near.
///
/// ```
/// assert_eq!(portway_model::nearest("enrtyPoints", ["entryPoints", "rule"]), Some("entryPoints"));
/// assert_eq!(portway_model::nearest("colour", ["entryPoints", "rule"]), None);
/// ```
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written: Vec<char> = written.to_lowercase().chars().collect();
    let mut limit = written.len().div_ceil(3).max(1);
    let (mut found, mut rows, mut other) = (None, Rows::default(), Vec::new());
    for name in known {
        other.clear();
        match name.is_ascii() {
            true => other.extend(name.chars().map(|c| c.to_ascii_lowercase())),
            false => other.extend(name.to_lowercase().chars()),
        }
        // Only a name that is nearer than those before counts.
        if let Some(distance) = rows.distance(&written, &other, limit) {
            found = Some(name);
            if distance == 0 {
                break;
            }
            limit = distance - 1;
        }
    }
    found
}

/// The rows of a table of distances, kept from one comparison to the next.
#[derive(Default)]
struct Rows {
    before: Vec<usize>,
    row: Vec<usize>,
    next: Vec<usize>,
}

impl Rows {
    /// Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`; `None` where they are more than
    /// `limit`.
    fn distance(&mut self, a: &[char], b: &[char], limit: usize) -> Option<usize> {
        // The distance is at least the difference in length; long texts cost nothing.
        if a.len().abs_diff(b.len()) > limit {
            return None;
        }
        // What both begin and end with needs no edit.
        let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        let (a, b) = (a.get(same..)?, b.get(same..)?);
        let same = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
        let (a, b) = (a.get(..a.len() - same)?, b.get(..b.len() - same)?);
        self.row.clear();
        self.row.extend(0..=b.len());
        let mut last = None;
        for (i, ch) in a.iter().enumerate() {
            self.next.clear();
            self.next.push(i + 1);
            let (mut left, mut least, mut last_other) = (i + 1, i + 1, None);
            let above = self.row.iter().zip(self.row.iter().skip(1));
            for (j, (other, (slant, above))) in b.iter().zip(above).enumerate() {
                let mut cost = (above + 1).min(left + 1).min(slant + usize::from(ch != other));
                if last_other == Some(ch)
                    && last == Some(other)
                    && let Some(swapped) = j.checked_sub(1).and_then(|at| self.before.get(at))
                {
                    cost = cost.min(swapped + 1);
                }
                self.next.push(cost);
                (left, least, last_other) = (cost, least.min(cost), Some(other));
            }
            if least > limit {
                // A swap may still skip a row, at the cost of one.
                let skipped = self.row.iter().min().is_some_and(|least| *least < limit);
                if !skipped {
                    return None;
                }
            }
            std::mem::swap(&mut self.before, &mut self.row);
            std::mem::swap(&mut self.row, &mut self.next);
            last = Some(ch);
        }
        self.row.last().copied().filter(|distance| *distance <= limit)
    }
}
