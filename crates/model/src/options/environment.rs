//! Options out of the environment: `TRAEFIK_ENTRYPOINTS_WEB_ADDRESS=:8000`.

use super::{Origin, Source, insert, merge, settle, shorten};
use crate::{
    Severity, nearest,
    static_config::known::{self, Class},
};

/// Reads the variables that begin with `TRAEFIK_` and `PORTWAY_`; of one option that both name, Portway's counts.
///
/// The rest of a name is the option's path with `_` between its parts, a number for a place in a list. Names that
/// users choose become lower-case and so cannot have a `_`.
///
/// Two kinds of variables are no options: those that Kubernetes sets for Services named `traefik…` or `portway…`
/// are passed over; those whose first part is no option and like none are passed over with a warning, as Traefik
/// passes over them in silence.
pub fn from_environment<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Source {
    let mut sorted: Vec<(&str, &str)> = variables.into_iter().collect();
    sorted.sort_unstable();
    let mut traefik = Source::empty(Origin::Environment);
    let mut portway = Source::empty(Origin::Environment);
    for (name, value) in sorted {
        if let Some(rest) = name.strip_prefix("TRAEFIK_") {
            read(&mut traefik, name, rest, value);
        } else if let Some(rest) = name.strip_prefix("PORTWAY_") {
            read(&mut portway, name, rest, value);
        }
    }
    settle(&mut traefik.node);
    settle(&mut portway.node);
    traefik.diagnostics.append(&mut portway.diagnostics);
    Source { node: merge(traefik.node, portway.node), ..traefik }
}

fn read(source: &mut Source, name: &str, rest: &str, value: &str) {
    let lower = rest.to_ascii_lowercase();
    let parts: Vec<String> = lower.split('_').map(str::to_owned).collect();
    let bracketed: Vec<String> = parts.iter().map(|part| bracket(part)).collect();
    let written = |parts: &'_ [String]| -> Class {
        known::classify(&parts.iter().map(String::as_str).collect::<Vec<_>>())
    };
    // A number is a place in a list where there is one, and a name elsewhere.
    let (path, class) = match written(&parts) {
        Class::Unknown => (bracketed, written),
        _ => (parts, written),
    };
    let class = class(&path);
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let severity = Severity::Error;
    match class {
        Class::Option(known) => {
            let path = shorten(&path, known, "_");
            let path: Vec<&str> = path.iter().map(AsRef::as_ref).collect();
            insert(&mut source.node, &path, value);
        }
        _ if is_service_link(rest) => {}
        Class::Group if value.is_empty() => {}
        Class::Group => {
            let message =
                format!("`{}` takes no value; give one of its options", known::spell(&path));
            source.report(severity, name, message);
        }
        Class::Removed(reason) => source.report(severity, name, reason.to_owned()),
        Class::Unknown => unknown(source, name, &path),
    }
}

fn unknown(source: &mut Source, name: &str, path: &[&str]) {
    let first = path.first().copied().unwrap_or_default();
    let group = matches!(known::classify(&[first]), Class::Group | Class::Option(_));
    let tops = || known::all().iter().filter_map(|known| known.path.split('.').next());
    if group || nearest(first, tops()).is_some() {
        source.report(Severity::Error, name, known::unknown_option(path));
    } else {
        let message = format!("is passed over: there is no option `{first}`");
        source.report(Severity::Warning, name, message);
    }
}

fn bracket(part: &str) -> String {
    let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if digits { format!("[{part}]") } else { part.to_owned() }
}

/// Whether the end of a name is that of a variable which Kubernetes or Docker sets for a service:
/// `…_SERVICE_HOST`, `…_SERVICE_PORT[_NAME]`, `…_PORT[_80_TCP[_ADDR|_PORT|_PROTO]]`.
fn is_service_link(rest: &str) -> bool {
    let padded = format!("_{rest}");
    if padded.ends_with("_SERVICE_HOST")
        || padded.ends_with("_PORT")
        || padded.contains("_SERVICE_PORT")
    {
        return true;
    }
    let Some((_, port)) = padded.split_once("_PORT_") else { return false };
    let mut parts = port.split('_');
    let number =
        parts.next().is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let protocol = matches!(parts.next(), Some("TCP" | "UDP" | "SCTP"));
    let tail = matches!(parts.next(), None | Some("ADDR" | "PORT" | "PROTO"));
    number && protocol && tail && parts.next().is_none()
}
