//! Services inside Portway, such as `api@internal`.

use std::{fmt, str::FromStr};

/// A service that Portway answers itself.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum InternalService {
    /// The API and, where enabled, the dashboard under `/dashboard/`.
    Api,
    /// The dashboard's files, from the root.
    Dashboard,
    /// 418 to everything; the end of routers whose middleware always answers.
    Noop,
    /// Whether this instance takes requests.
    Ping,
    /// The request as the service sees it. Portway's own.
    Whoami,
}

/// Internal services of Traefik that are known by name but not served: they close their routers.
pub const UNSERVED_INTERNAL_SERVICES: [&str; 3] =
    ["acme-http@internal", "prometheus@internal", "rest@internal"];

impl InternalService {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Api, Self::Dashboard, Self::Noop, Self::Ping, Self::Whoami];

    /// The name that users write.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Api => "api@internal",
            Self::Dashboard => "dashboard@internal",
            Self::Noop => "noop@internal",
            Self::Ping => "ping@internal",
            Self::Whoami => "whoami@internal",
        }
    }
}

impl fmt::Display for InternalService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no internal service of this name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no such internal service")]
pub struct NoSuchService;

impl FromStr for InternalService {
    type Err = NoSuchService;

    fn from_str(name: &str) -> Result<Self, NoSuchService> {
        Self::ALL.into_iter().find(|service| service.name() == name).ok_or(NoSuchService)
    }
}
