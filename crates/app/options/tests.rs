use super::*;

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn shown(diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics.iter().map(ToString::to_string).collect()
}

/// A directory of its own for one test; removed when it ends.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("portway-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn files_are_looked_for_from_near_to_far() {
    let places = places(&owned(&[("XDG_CONFIG_HOME", "/x"), ("HOME", "/h")]));
    let shown: Vec<_> = places.iter().map(|path| path.display().to_string()).collect();
    assert_eq!(
        shown[..7].join(" "),
        "./portway.yml ./portway.yaml ./portway.toml ./traefik.yml ./traefik.yaml ./traefik.toml /x/portway.yml"
    );
    assert_eq!(shown[23], "/etc/traefik/traefik.toml");
    assert_eq!(super::places(&owned(&[("HOME", "/h")]))[6], Path::new("/h/.config/portway.yml"));
}

#[test]
fn the_file_that_a_flag_names_is_read_below_the_flags() {
    let directory = Directory::new("options-flag");
    let file = directory.write("own.toml", "[entryPoints.web]\naddress = \":1\"\n[ping]\n");
    let flags = [format!("--configFile={file}"), "--entryPoints.web.address=:2".to_owned()];
    let (config, diagnostics) = load(&flags, &[]);
    assert_eq!(shown(&diagnostics), [""; 0]);
    assert_eq!(config.entry_points["web"].address.port, 2);
    assert!(config.ping.is_some());
}

#[test]
fn a_file_in_the_users_directory_is_found() {
    let directory = Directory::new("options-home");
    directory.write("traefik.yml", "entryPoints: {web: {address: ':7'}}\n");
    let home = directory.0.display().to_string();
    let (config, diagnostics) = load(&[], &owned(&[("XDG_CONFIG_HOME", &home)]));
    assert_eq!(shown(&diagnostics), [""; 0]);
    assert_eq!(config.entry_points["web"].address.port, 7);
}

#[test]
fn a_file_that_cannot_be_parsed_is_named_with_its_line() {
    let directory = Directory::new("options-bad");
    let file = directory.write("bad.yml", "log:\n  level: [\n");
    let (_, diagnostics) = load(&[format!("--configFile={file}")], &[]);
    assert_eq!(diagnostics[0].severity, Severity::Error);
    assert!(diagnostics[0].to_string().ends_with(&format!("({file}:3)")), "{}", diagnostics[0]);
}

#[test]
fn a_named_file_that_does_not_exist_is_an_error() {
    let (_, diagnostics) = load(&["--configFile=/nonexistent/a.yml".to_owned()], &[]);
    assert_eq!(
        shown(&diagnostics),
        ["file /nonexistent/a.yml: cannot be read: No such file or directory (os error 2)"]
    );
}
