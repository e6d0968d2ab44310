//! What Portway says of itself.

use std::process::Command;

use portway_model::options::from_flags;

use super::Call;

fn help() -> String {
    let output = Call::new().run(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_help_is_short_and_fits_a_screen() {
    let help = help();
    assert!(help.lines().count() <= 45, "{} lines", help.lines().count());
    let long: Vec<_> = help.lines().filter(|line| line.chars().count() > 110).collect();
    assert!(long.is_empty(), "{long:#?}");
    for arguments in [["help"], ["-h"], ["-help"]] {
        assert_eq!(String::from_utf8(Call::new().run(&arguments).stdout).unwrap(), help);
    }
}

#[test]
fn every_option_in_the_help_exists() {
    let help = help();
    let words = help.split_whitespace().filter(|word| word.starts_with("--"));
    let words: Vec<String> = words
        .filter(|word| *word != "--format")
        .map(|word| word.replace("<name>", "web"))
        .collect();
    assert!(words.len() >= 15, "{words:?}");
    let source = from_flags(words.iter().map(String::as_str));
    assert!(source.diagnostics.is_empty(), "{:#?}", source.diagnostics);
}

#[test]
fn a_reader_that_stops_reading_is_no_fault() {
    let call = Call::new();
    let binary = call.command(&[]).get_program().to_owned();
    let output = Command::new("sh")
        .args(["-c", "{ sleep 0.2; \"$0\" --help; echo status $? >&2; } | true"])
        .arg(binary)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "status 0\n");
}

#[test]
fn the_version_is_that_of_the_package() {
    let output = Call::new().run(&["version"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let expected = format!(
        "Version:      {}\nCompatible:   Traefik 3.7\nOS/Arch:      {os}/{arch}\n",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(text, expected);
    Call::new().refused(&["version", "--fromat=x"], &["version: unexpected argument `--fromat=x`"]);
}

#[test]
fn the_health_check_says_what_to_do() {
    let fails = |arguments: &[&str], line: &str| {
        let output = Call::new().run(arguments);
        assert_eq!(String::from_utf8_lossy(&output.stderr), format!("{line}\n"));
        assert_eq!(output.status.code(), Some(1));
    };
    fails(
        &["healthcheck"],
        "Error calling healthcheck: please enable `ping` to use the health check",
    );
    let port = portway_testkit::process::free_port();
    fails(
        &["healthcheck", "--ping", &format!("--entryPoints.traefik.address=127.0.0.1:{port}")],
        &format!(
            "Error calling healthcheck: HEAD http://127.0.0.1:{port}/ping: nobody listens there \
             (Connection refused (os error 111)); is Portway running, with these options?"
        ),
    );
}
