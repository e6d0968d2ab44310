//! The files of a folder and its folders.

use std::{collections::BTreeMap, fs, path::Path};

use super::source::{State, Text, read_texts};
use crate::{material::read_file, stamp::Stamp};

/// Bytes of one file, at most.
const MAX_FILE: u64 = 16 << 20;
/// Folders inside one another, at most: a link may lead back to where it stands.
const MAX_DEPTH: usize = 32;

/// What was read, by path.
type Texts = BTreeMap<String, (Text, Option<Stamp>)>;

/// Reads the `.yaml`, `.yml` and `.json` files of a folder and its folders, in the order of their paths; names
/// that begin with a dot are left out (editors and mounted ConfigMaps keep their own things under those).
///
/// What cannot be read keeps what `previous` has of it.
pub fn read_directory(directory: &Path, previous: &State) -> State {
    let mut texts = BTreeMap::new();
    walk(directory, previous, 0, &mut texts);
    let stamps: BTreeMap<_, _> =
        texts.iter().filter_map(|(path, (_, stamp))| Some((path.clone(), (*stamp)?))).collect();
    let texts = texts.into_iter().map(|(path, (text, _))| (path, text)).collect();
    read_texts(texts, previous).stamped(stamps)
}

fn walk(folder: &Path, previous: &State, depth: usize, texts: &mut Texts) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return unreadable(folder, &error.to_string(), previous, texts),
    };
    for entry in entries {
        let path = match entry {
            Ok(entry) => entry.path(),
            Err(error) => return unreadable(folder, &error.to_string(), previous, texts),
        };
        if path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b".")) {
            continue;
        }
        if path.is_dir() {
            if depth < MAX_DEPTH {
                walk(&path, previous, depth + 1, texts);
            }
        } else if is_manifest(&path)
            && let Some((text, stamp)) = read_text(&path, previous)
        {
            texts.insert(path.display().to_string(), (text, stamp));
        }
    }
}

/// Reports a folder that cannot be read, and keeps the files that it had.
fn unreadable(folder: &Path, reason: &str, previous: &State, texts: &mut Texts) {
    let kept = previous.files().filter(|file| Path::new(file).starts_with(folder));
    texts.extend(kept.map(|file| (file.to_owned(), (Text::Unchanged, None))));
    texts.insert(folder.display().to_string(), (Text::Unreadable(reason.to_owned()), None));
}

fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| ["yaml", "yml", "json"].contains(&extension))
}

/// The text of a file, or that it is as it was, with its stamp; `None` when it has gone meanwhile.
fn read_text(path: &Path, previous: &State) -> Option<(Text, Option<Stamp>)> {
    if let known @ Some(_) = previous.stamp(&path.display().to_string())
        && Stamp::of(path) == known
    {
        return Some((Text::Unchanged, known));
    }
    Some(match read_file(path, MAX_FILE) {
        Ok((bytes, stamp)) => match String::from_utf8(bytes) {
            Ok(text) => (Text::Read(text), stamp),
            Err(error) => {
                let place = error.utf8_error().valid_up_to();
                (Text::Unreadable(format!("not UTF-8 at byte {place}")), None)
            }
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !path.is_symlink() => {
            return None;
        }
        Err(error) => (Text::Unreadable(error.to_string()), None),
    })
}
