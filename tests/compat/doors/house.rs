//! Entry points made at random, and the routers behind them.

use portway_testkit::process::{Setup, Source};
use portway_testkit::random::Random;

use super::options;
use super::routers;

/// Names of entry points.
pub(super) const NAMES: [&str; 4] = ["alpha", "beta", "gamma", "delta"];

/// How many routers stand behind them.
pub(super) const ROUTERS: usize = 24;

/// A set of entry points.
pub(super) struct House {
    /// What is started.
    pub(super) setup: Setup,
    /// The options of each entry point, in the order of [`NAMES`].
    pub(super) doors: Vec<Door>,
}

/// An entry point.
#[derive(Clone, Debug, Default)]
pub(super) struct Door {
    /// Its options and their values.
    pub(super) options: Vec<(&'static str, String)>,
}

impl Door {
    /// The value of an option; empty where it is not given.
    pub(super) fn value(&self, option: &str) -> &str {
        self.options.iter().find(|(name, _)| *name == option).map_or("", |(_, value)| value)
    }

    /// Whether an option is given that begins so.
    pub(super) fn has(&self, beginning: &str) -> bool {
        self.options.iter().any(|(name, _)| name.starts_with(beginning))
    }
}

impl House {
    /// Makes one.
    pub(super) fn make(random: &mut Random) -> Self {
        let doors: Vec<Door> = NAMES.iter().map(|name| options::door(random, name)).collect();
        let mut setup = Setup::web(&routers::configuration(random));
        setup.entry_points = NAMES.map(str::to_owned).to_vec();
        setup.source =
            *random.pick(&[Source::Flags, Source::Yaml, Source::Toml, Source::Environment]);
        for (name, door) in NAMES.iter().zip(&doors) {
            for (option, value) in &door.options {
                setup.flags.push(format!("--entryPoints.{name}.{option}={value}"));
            }
        }
        setup.flags.push("--log.level=ERROR".to_owned());
        Self { setup, doors }
    }

    /// How it is written.
    pub(super) fn text(&self) -> String {
        format!(
            "{:?}\n{}\n{}",
            self.setup.source,
            self.setup.flags.join("\n"),
            self.setup.files[0].1
        )
    }

    /// The entry point of this name.
    pub(super) fn door(&self, name: &str) -> &Door {
        let place = NAMES.iter().position(|one| *one == name).expect("a name");
        &self.doors[place]
    }

    /// The options of an entry point.
    pub(super) fn options_of(&self, name: &str) -> String {
        let options = self.door(name).options.iter();
        options.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }
}
