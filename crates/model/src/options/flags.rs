//! Options out of flags: `--entryPoints.web.address=:8000`.

use super::{Origin, Source, insert, settle, shorten};
use crate::{
    Severity,
    static_config::known::{self, Class, Kind},
};

/// Reads flags, without the program's name.
///
/// A flag begins with one dash or two; its name is a dotted path in any letter case, with `[0]` for a place in a
/// list. A switch or a group may stand alone and then means `true`; every other option takes its value after
/// `=` or as the next argument. Of a flag given twice the last counts.
pub fn from_flags<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Source {
    let mut source = Source::empty(Origin::Flags);
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let Some(flag) = flag_of(argument) else {
            refuse_argument(&mut source, argument);
            continue;
        };
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (flag, None),
        };
        let path = known::segments(name);
        let known = match known::classify(&path) {
            Class::Option(known) => known,
            Class::Group if value.is_none_or(super::is_true) => {
                let message = format!(
                    "`{}` says nothing by itself; give one of its options",
                    known::spell(&path)
                );
                source.report(Severity::Error, &format!("--{name}"), message);
                continue;
            }
            Class::Group => {
                let message =
                    format!("`{}` takes no value; give one of its options", known::spell(&path));
                source.report(Severity::Error, &format!("--{name}"), message);
                continue;
            }
            Class::Removed(reason) => {
                source.report(Severity::Error, &format!("--{name}"), reason.to_owned());
                continue;
            }
            Class::Unknown => {
                let message = known::unknown_option(&path);
                source.report(Severity::Error, &format!("--{name}"), message);
                continue;
            }
        };
        let value = match (value, known.kind) {
            (Some(value), _) => Some(value),
            (None, Kind::Switch | Kind::Any) => Some("true"),
            (None, Kind::Value) => arguments.next(),
        };
        let Some(value) = value else {
            let message = format!("needs a value: `--{name}=…`");
            source.report(Severity::Error, &format!("--{name}"), message);
            continue;
        };
        let path = shorten(&path, known, ".");
        let path: Vec<&str> = path.iter().map(AsRef::as_ref).collect();
        insert(&mut source.node, &path, value);
    }
    settle(&mut source.node);
    source
}

/// What follows the dashes; `None` when the argument is no flag.
fn flag_of(argument: &str) -> Option<&str> {
    let flag = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-'))?;
    (!flag.is_empty() && !flag.starts_with(['-', '='])).then_some(flag)
}

fn refuse_argument(source: &mut Source, argument: &str) {
    let message = match argument {
        "true" | "false" => format!(
            "unexpected argument `{argument}`; the value of a switch stands behind `=`: `--flag={argument}`"
        ),
        _ => format!("unexpected argument `{argument}`; options begin with `--`"),
    };
    source.report(Severity::Error, "", message);
}
