//! The names of internal services.

/// A service that Portway answers itself.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Internal {
    /// The API and, where enabled, the dashboard under `/dashboard/`.
    Api,
    /// The dashboard's files, from the root.
    Dashboard,
    /// Whether the process serves.
    Ping,
    /// 418 to everything; the end of routers whose middleware always answers.
    Noop,
    /// The request as the service sees it. Portway's own.
    Whoami,
}

impl Internal {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Api, Self::Dashboard, Self::Ping, Self::Noop, Self::Whoami];

    /// Internal services of Traefik that are known by name but not served: they close their routers.
    pub const UNSERVED: [&str; 3] = ["acme-http@internal", "prometheus@internal", "rest@internal"];

    /// The name that users write.
    pub fn name(self) -> &'static str {
        match self {
            Self::Api => "api@internal",
            Self::Dashboard => "dashboard@internal",
            Self::Ping => "ping@internal",
            Self::Noop => "noop@internal",
            Self::Whoami => "whoami@internal",
        }
    }

    /// The service of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }
}
