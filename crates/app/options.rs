//! Finds the options: flags, environment, and the first file of options that exists.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use portway_model::{
    Diagnostic, Severity,
    options::{Source, assemble, from_environment, from_file, from_flags},
    static_config::StaticConfig,
};

/// Reads all options; flags go over the environment, which goes over the file.
///
/// With a diagnostic of [`Severity::Error`], Portway must not start.
pub(crate) fn load(
    arguments: &[String],
    environment: &[(String, String)],
) -> (StaticConfig, Vec<Diagnostic>) {
    let flags = from_flags(arguments.iter().map(String::as_str));
    let variables = environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let variables = from_environment(variables);
    let named = flags.config_file().or(variables.config_file()).map(PathBuf::from);
    let file = match named {
        Some(path) => read(&path).map_err(|fault| fault.diagnostic(&path)).map(Some),
        None => first(&places(environment)),
    };
    let (file, fault) = match file {
        Ok(file) => (file, None),
        Err(fault) => (None, Some(fault)),
    };
    let (config, mut diagnostics) = assemble(file.into_iter().chain([variables, flags]));
    diagnostics.splice(0..0, fault);
    (config, diagnostics)
}

/// Why a file of options is not used.
enum Fault {
    Unreadable(io::Error),
    Unparsed(Diagnostic),
}

impl Fault {
    fn diagnostic(self, path: &Path) -> Diagnostic {
        match self {
            Self::Unparsed(diagnostic) => diagnostic,
            Self::Unreadable(error) => Diagnostic {
                severity: Severity::Error,
                object: format!("file {}", path.display()),
                field: String::new(),
                message: format!("cannot be read: {error}"),
                place: None,
            },
        }
    }
}

fn read(path: &Path) -> Result<Source, Fault> {
    let text = fs::read_to_string(path).map_err(Fault::Unreadable)?;
    from_file(&path.display().to_string(), &text).map_err(Fault::Unparsed)
}

/// The first of these files that exists. One that exists and cannot be used is an error: to pass over it would
/// start Portway with other options than its user wrote.
fn first(places: &[PathBuf]) -> Result<Option<Source>, Diagnostic> {
    for path in places {
        match read(path) {
            Ok(source) => return Ok(Some(source)),
            // In a folder that may not be entered nobody can tell whether there is such a file.
            Err(Fault::Unreadable(error)) if is_absent(&error) || fs::metadata(path).is_err() => {}
            Err(fault) => return Err(fault.diagnostic(path)),
        }
    }
    Ok(None)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Where a file of options is looked for, best first: `portway` before `traefik` in the working directory, the
/// user's configuration directory, `/etc/portway` and `/etc/traefik`.
fn places(environment: &[(String, String)]) -> Vec<PathBuf> {
    let variable = |wanted: &str| {
        let found = environment.iter().find(|(name, value)| name == wanted && !value.is_empty());
        found.map(|(_, value)| PathBuf::from(value))
    };
    let home = || variable("HOME").map(|home| home.join(".config"));
    let user = variable("XDG_CONFIG_HOME").or_else(home);
    let system = ["/etc/portway", "/etc/traefik"].map(PathBuf::from);
    let directories = std::iter::once(PathBuf::from(".")).chain(user).chain(system);
    directories
        .flat_map(|directory| {
            let names = ["portway", "traefik"].into_iter();
            names.flat_map(move |name| {
                let directory = directory.clone();
                let endings = ["yml", "yaml", "toml"].into_iter();
                endings.map(move |ending| directory.join(format!("{name}.{ending}")))
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
