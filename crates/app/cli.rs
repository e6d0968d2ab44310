//! The command line: which subcommand is meant, and its help.

use portway_model::{Diagnostic, Severity, nearest, static_config::StaticConfig};

use crate::options;

/// What to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Route requests.
    Run {
        /// The options.
        config: Box<StaticConfig>,
        /// What its user should know of them.
        warnings: Vec<Diagnostic>,
    },
    /// Print the version.
    Version {
        /// A text with fields in double braces, such as `{{.Version}}`; `None` means the default.
        format: Option<String>,
    },
    /// Ask a running Portway with these options whether it is well.
    Healthcheck(Box<StaticConfig>),
    /// Print the help.
    Help,
}

/// Why nothing can be done: one line for each reason; the exit status is [`EXIT_REFUSED`].
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) Vec<String>);

/// The exit status when options or arguments are wrong.
pub(crate) const EXIT_REFUSED: u8 = 2;

/// Reads the command line (without the program's name) and the environment.
///
/// # Errors
/// When an option is unknown or has a wrong value, a file of options cannot be read, or there is no such
/// subcommand.
pub(crate) fn parse(
    arguments: &[String],
    environment: &[(String, String)],
) -> Result<Command, Refusal> {
    let (subcommand, rest) = match arguments.split_first() {
        Some((first, rest)) if !first.starts_with('-') => (first.as_str(), rest),
        _ => ("", arguments),
    };
    let asks = |names: &[&str]| rest.iter().any(|argument| names.contains(&argument.as_str()));
    if subcommand == "help" || asks(&["--help", "-help", "-h"]) {
        return Ok(Command::Help);
    }
    match subcommand {
        "" if asks(&["--version", "-V"]) => Ok(Command::Version { format: None }),
        "" => {
            let (config, warnings) = load(rest, environment)?;
            Ok(Command::Run { config, warnings })
        }
        "healthcheck" => Ok(Command::Healthcheck(load(rest, environment)?.0)),
        "version" => version(rest),
        other => {
            let instead = match nearest(other, ["version", "healthcheck", "help"]) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "commands are `version`, `healthcheck` and `help`.".to_owned(),
            };
            let message =
                format!("there is no command `{other}`; {instead} Options begin with `--`");
            Err(Refusal(vec![message]))
        }
    }
}

fn load(
    arguments: &[String],
    environment: &[(String, String)],
) -> Result<(Box<StaticConfig>, Vec<Diagnostic>), Refusal> {
    let (config, diagnostics) = options::load(arguments, environment);
    let is_error = |diagnostic: &&Diagnostic| diagnostic.severity == Severity::Error;
    let errors: Vec<_> = diagnostics.iter().filter(is_error).map(ToString::to_string).collect();
    if errors.is_empty() { Ok((Box::new(config), diagnostics)) } else { Err(Refusal(errors)) }
}

fn version(arguments: &[String]) -> Result<Command, Refusal> {
    let text: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let format = match text.as_slice() {
        [] => None,
        ["--format" | "-format", format] => Some((*format).to_owned()),
        [one] => match one.trim_start_matches('-').split_once('=') {
            Some(("format", format)) if one.starts_with('-') => Some(format.to_owned()),
            _ => return Err(Refusal(vec![format!("version: unexpected argument `{one}`")])),
        },
        _ => return Err(Refusal(vec!["version: takes only `--format`".to_owned()])),
    };
    Ok(Command::Version { format })
}

/// What `portway version` prints.
///
/// As in Traefik, a format names fields in double braces: `{{.Version}}`, `{{.Codename}}`, `{{.OS}}`, `{{.Arch}}`.
pub(crate) fn version_text(format: Option<&str>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let Some(format) = format else {
        return format!(
            "Version:      {version}\nCompatible:   Traefik 3.7\nOS/Arch:      {os}/{arch}\n"
        );
    };
    let fields =
        [("Version", version), ("Codename", "portway"), ("OS", os), ("Os", os), ("Arch", arch)];
    let filled = fields.iter().fold(format.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{{.{name}}}}}"), value)
            .replace(&format!("{{{{ .{name} }}}}"), value)
    });
    format!("{filled}\n")
}

/// What `portway --help` prints.
pub(crate) const HELP: &str = "\
portway: a Traefik-compatible edge router

Usage:
  portway [options]               route requests until SIGTERM
  portway healthcheck [options]   ask a running Portway with these options whether it is well
  portway version [--format F]    print the version
  portway help                    print this

Options are Traefik's, in any letter case, from three places. What stands first wins, option by option:
  1. flags:        --entryPoints.web.address=:8000
  2. environment:  PORTWAY_ENTRYPOINTS_WEB_ADDRESS=:8000, or TRAEFIK_…
  3. one file:     --configFile=portway.yml, or the first of portway.{yml,yaml,toml} and
                   traefik.{yml,yaml,toml} in ., $XDG_CONFIG_HOME, /etc/portway, /etc/traefik

The most used:
  --entryPoints.<name>.address=[host]:port          listen there
  --entryPoints.<name>.http.tls                     its routers answer TLS
  --entryPoints.<name>.http.redirections.entryPoint.to=<name>
                                                    redirect its requests to another entry point
  --providers.file.directory=DIR                    routes from Traefik's YAML and TOML files in DIR
  --providers.file.filename=FILE                    the same from one file
  --providers.kubernetesManifests.directory=DIR     routes from Kubernetes objects in YAML files in DIR
  --api.insecure                                    API and dashboard, without a password, on :8080
  --ping                                            /ping on :8080; the health check asks it
  --log.level=INFO                                  tell more than errors
  --accessLog                                       print a line for each request
  --errorPages                                      errors as HTML or JSON, as the client asks
  --proxyStatus                                     responses say what went wrong (RFC 9209)

Examples:
  portway --entryPoints.web.address=:8000 --providers.file.directory=routes --accessLog
  portway --configFile=/etc/portway/portway.yml --log.level=DEBUG
  portway healthcheck --ping

Exit status: 0 stopped by a signal, or well; 1 cannot run, or not well; 2 an option is wrong.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Command, Vec<String>> {
        let arguments: Vec<String> =
            arguments.iter().map(|&argument| argument.to_owned()).collect();
        parse(&arguments, &[]).map_err(|Refusal(lines)| lines)
    }

    #[test]
    fn subcommands_are_told_apart() {
        assert!(matches!(parsed(&["--ping"]), Ok(Command::Run { .. })));
        assert!(matches!(parsed(&["version"]), Ok(Command::Version { format: None })));
        assert!(matches!(parsed(&["--version"]), Ok(Command::Version { .. })));
        assert!(matches!(parsed(&["--ping", "--help"]), Ok(Command::Help)));
        assert!(matches!(parsed(&["help"]), Ok(Command::Help)));
        let Ok(Command::Healthcheck(config)) = parsed(&["healthcheck", "--ping"]) else {
            panic!("no health check");
        };
        assert!(config.ping.is_some());
    }

    #[test]
    fn an_unknown_option_or_command_is_refused() {
        assert_eq!(
            parsed(&["--ping", "--pong"]).unwrap_err(),
            ["flags, --pong: unknown option; did you mean `ping`?"]
        );
        assert_eq!(
            parsed(&["healthchek"]).unwrap_err(),
            [
                "there is no command `healthchek`; did you mean `healthcheck`? Options begin with `--`"
            ]
        );
        assert_eq!(parsed(&["version", "-v"]).unwrap_err(), ["version: unexpected argument `-v`"]);
    }

    #[test]
    fn the_format_of_the_version_has_fields() {
        let Ok(Command::Version { format }) =
            parsed(&["version", "--format={{.Version}} {{ .OS }}"])
        else {
            panic!("no version");
        };
        let expected = format!("{} {}\n", env!("CARGO_PKG_VERSION"), std::env::consts::OS);
        assert_eq!(version_text(format.as_deref()), expected);
    }
}
