//! One static configuration, given by flags, by a file or by the environment.

use std::fmt::Write as _;

use crate::folder::Folder;

/// Where a process reads its static configuration.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Source {
    /// Flags, as they are written.
    #[default]
    Flags,
    /// A file of YAML.
    Yaml,
    /// A file of TOML.
    Toml,
    /// Environment variables.
    Environment,
}

/// Options that hold lists; a flag has them with commas.
const LISTS: [&str; 4] = ["trustedIPs", "connection", "middlewares", "sans"];

/// Options that are switched on by their name alone.
const PARTS: [&str; 4] = ["tls", "proxyProtocol", "ping", "accessLog"];

impl Source {
    /// The flags and the variables that say what `flags` say.
    pub(super) fn write(
        self,
        flags: Vec<String>,
        folder: &Folder,
    ) -> (Vec<String>, Vec<(String, String)>) {
        let (name, text) = match self {
            Self::Flags => return (flags, Vec::new()),
            Self::Environment => return (Vec::new(), options(&flags).map(variable).collect()),
            Self::Yaml => ("static.yml", yaml(&flags)),
            Self::Toml => ("static.toml", toml(&flags)),
        };
        let path = folder.write(name, text);
        (vec![format!("--configFile={}", path.display())], Vec::new())
    }
}

/// The options that flags set: paths and values.
fn options(flags: &[String]) -> impl Iterator<Item = (&str, &str)> {
    let options = || {
        flags.iter().map(|flag| {
            let option = flag.trim_start_matches('-');
            option.split_once('=').unwrap_or((option, "true"))
        })
    };
    // A part that has options of its own needs not be switched on.
    let has_more = move |path: &str| {
        let inside = format!("{path}.");
        options().any(|(other, _)| other.starts_with(&inside))
    };
    options().filter(move |(path, _)| !has_more(path))
}

fn variable((path, value): (&str, &str)) -> (String, String) {
    let name = path.replace('[', ".").replace(']', "").replace('.', "_");
    (format!("TRAEFIK_{}", name.to_uppercase()), value.to_owned())
}

/// A line for each part of each path; paths that share a beginning stand together.
fn yaml(flags: &[String]) -> String {
    let mut sorted: Vec<(Vec<&str>, &str)> =
        options(flags).map(|(path, value)| (path.split('.').collect(), value)).collect();
    sorted.sort();
    let mut text = String::new();
    let mut open: Vec<&str> = Vec::new();
    for (path, value) in sorted {
        let (last, parents) = path.split_last().expect("a path");
        let same = open.iter().zip(parents).take_while(|(left, right)| left == right).count();
        // Each element of a list is named by its place, in a name of its own.
        for (depth, part) in parents.iter().enumerate().skip(same) {
            match part.split_once('[') {
                None => writeln!(text, "{}{part}:", "  ".repeat(depth)),
                Some((list, "0]")) => {
                    writeln!(text, "{0}{list}:\n{0} -", "  ".repeat(depth))
                }
                Some(_) => writeln!(text, "{} -", "  ".repeat(depth)),
            }
            .expect("a text");
        }
        let _ = writeln!(text, "{}{last}: {}", "  ".repeat(parents.len()), literal(last, value));
        open = parents.to_vec();
    }
    text
}

/// A line of dotted keys for each option; lists of tables have headers.
fn toml(flags: &[String]) -> String {
    let (mut plain, mut tables) = (String::new(), String::new());
    let mut open = String::new();
    for (path, value) in options(flags) {
        let last = path.rsplit('.').next().unwrap_or(path);
        match path.split_once('[').and_then(|(list, rest)| Some((list, rest.split_once("].")?))) {
            None => {
                let _ = writeln!(plain, "{path} = {}", literal(last, value));
            }
            Some((list, (place, field))) => {
                let table = format!("{list}[{place}]");
                if table != open {
                    let _ = writeln!(tables, "[[{list}]]");
                    open = table;
                }
                let _ = writeln!(tables, "{field} = {}", literal(last, value));
            }
        }
    }
    plain + &tables
}

/// A value as both kinds of file have it.
fn literal(name: &str, value: &str) -> String {
    let quoted = |text: &str| format!("\"{text}\"");
    if LISTS.contains(&name) {
        let members: Vec<_> = value.split(',').filter(|one| !one.is_empty()).map(quoted).collect();
        return format!("[{}]", members.join(", "));
    }
    match value {
        "true" if PARTS.contains(&name) => "{}".to_owned(),
        "true" | "false" => value.to_owned(),
        _ if value.parse::<i64>().is_ok() => value.to_owned(),
        _ => quoted(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags() -> Vec<String> {
        [
            "--ping=true",
            "--entryPoints.a.address=:1",
            "--entryPoints.a.http.tls=true",
            "--entryPoints.b.http.tls=true",
            "--entryPoints.b.http.tls.domains[0].main=x.test",
            "--entryPoints.b.http.tls.domains[0].sans=y.test,z.test",
            "--entryPoints.b.http.tls.domains[1].main=v.test",
            "--entryPoints.b.http2.maxConcurrentStreams=5",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    #[test]
    fn yaml_says_what_the_flags_say() {
        let expected = "entryPoints:\n  a:\n    address: \":1\"\n    http:\n      tls: {}\n  b:\n    http:\n      \
                        tls:\n        domains:\n         -\n          main: \"x.test\"\n          sans: [\"y.test\", \"z.test\"]\n         \
                        -\n          main: \"v.test\"\n    http2:\n      maxConcurrentStreams: 5\nping: {}\n";
        assert_eq!(yaml(&flags()), expected);
    }

    #[test]
    fn toml_says_what_the_flags_say() {
        let expected = "ping = {}\nentryPoints.a.address = \":1\"\nentryPoints.a.http.tls = {}\n\
                        entryPoints.b.http2.maxConcurrentStreams = 5\n[[entryPoints.b.http.tls.domains]]\nmain = \"x.test\"\n\
                        sans = [\"y.test\", \"z.test\"]\n[[entryPoints.b.http.tls.domains]]\nmain = \"v.test\"\n";
        assert_eq!(toml(&flags()), expected);
    }

    #[test]
    fn variables_are_named_after_the_flags() {
        let flags = flags();
        let variables: Vec<_> = options(&flags).map(variable).collect();
        let domain =
            ("TRAEFIK_ENTRYPOINTS_B_HTTP_TLS_DOMAINS_0_MAIN".to_owned(), "x.test".to_owned());
        assert!(variables.contains(&domain), "{variables:?}");
        assert_eq!(variables.len(), 7);
    }
}
