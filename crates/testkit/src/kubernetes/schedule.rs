//! What can go wrong between an API server and its client, and schedules of it.

use std::time::Duration;

use crate::random::Random;

/// One thing that goes wrong, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A request is answered 429 with `Retry-After` in seconds.
    TooManyRequests {
        /// 0 or more seconds.
        retry_after: u32,
    },
    /// A request is answered 500.
    InternalError,
    /// A request is answered 503 with `Retry-After` in seconds.
    Unavailable {
        /// 0 or more seconds.
        retry_after: u32,
    },
    /// A request is answered 504.
    GatewayTimeout,
    /// A request for objects is answered 403, and for a time all for the same kind are.
    Forbidden {
        /// How long.
        lasting: Duration,
    },
    /// A request is answered 401, and for a time all are.
    Unauthorized {
        /// How long.
        lasting: Duration,
    },
    /// The connection of a request is reset instead of an answer.
    ConnectionReset,
    /// A list ends in the middle of its JSON.
    ListTruncated {
        /// True when the connection breaks there; false when the length of the response agrees with
        /// what came.
        abrupt: bool,
    },
    /// A list takes long.
    ListSlow {
        /// How long.
        by: Duration,
    },
    /// A list in pages ends early in a page whose token is too old when it is used (410).
    ContinueExpired,
    /// The items of a list (or page) come in another order.
    ListShuffled {
        /// Chooses the order.
        seed: u64,
    },
    /// A watch from a revision is refused as too old.
    WatchRefused {
        /// True for an answer 410, false for an event of type ERROR, as the real server has it.
        by_status: bool,
    },
    /// An open watch says that its revision is too old, and ends.
    WatchExpired {
        /// True when all others do so too.
        everywhere: bool,
    },
    /// An open watch ends without its last event.
    WatchDropped {
        /// True when the connection breaks, false when the response ends well.
        abrupt: bool,
        /// True when all others end too.
        everywhere: bool,
    },
    /// An open watch says nothing from now on, not even bookmarks, and does not end until the
    /// client leaves.
    WatchHung,
    /// An open watch ends in the middle of a line.
    WatchTruncated {
        /// True when the connection breaks there, false when the response ends well.
        abrupt: bool,
    },
    /// An open watch says an event twice.
    EventDuplicated,
    /// An open watch says nothing for a time and then everything.
    EventsDelayed {
        /// How long.
        by: Duration,
    },
    /// The server refuses connections for a time, and all that are open break.
    Outage {
        /// How long.
        lasting: Duration,
        /// True when what happened before its end cannot be watched afterwards.
        compacted: bool,
    },
    /// All revisions but the present one become too old, and every watch ends.
    Compaction,
    /// The last changes are undone, as when etcd is restored from a backup, and every watch ends.
    /// The next change gets a revision above all that were lost, and everything before it is too
    /// old (`etcdutl snapshot restore --bump-revision --mark-compacted`).
    Rollback {
        /// How many changes at most.
        by: u64,
    },
    /// A CustomResourceDefinition is deleted, with all objects of its kinds, and created again
    /// after a time.
    Uninstalled {
        /// How long.
        lasting: Duration,
    },
}

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Site {
    Request,
    List,
    WatchStart,
    Watch,
    Server,
}

impl Fault {
    /// The name under which it is counted; those of [`Fault::NAMES`].
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::TooManyRequests { .. } => "too many requests",
            Self::InternalError => "internal error",
            Self::Unavailable { .. } => "unavailable",
            Self::GatewayTimeout => "gateway timeout",
            Self::Forbidden { .. } => "forbidden",
            Self::Unauthorized { .. } => "unauthorized",
            Self::ConnectionReset => "connection reset",
            Self::ListTruncated { .. } => "list truncated",
            Self::ListSlow { .. } => "list slow",
            Self::ContinueExpired => "continue expired",
            Self::ListShuffled { .. } => "list shuffled",
            Self::WatchRefused { .. } => "watch refused",
            Self::WatchExpired { .. } => "watch expired",
            Self::WatchDropped { .. } => "watch dropped",
            Self::WatchHung => "watch hung",
            Self::WatchTruncated { .. } => "watch truncated",
            Self::EventDuplicated => "event duplicated",
            Self::EventsDelayed { .. } => "events delayed",
            Self::Outage { .. } => "outage",
            Self::Compaction => "compaction",
            Self::Rollback { .. } => "rollback",
            Self::Uninstalled { .. } => "uninstalled",
        }
    }

    /// The names of all kinds of faults.
    pub const NAMES: [&'static str; 22] = [
        "too many requests",
        "internal error",
        "unavailable",
        "gateway timeout",
        "forbidden",
        "unauthorized",
        "connection reset",
        "list truncated",
        "list slow",
        "continue expired",
        "list shuffled",
        "watch refused",
        "watch expired",
        "watch dropped",
        "watch hung",
        "watch truncated",
        "event duplicated",
        "events delayed",
        "outage",
        "compaction",
        "rollback",
        "uninstalled",
    ];

    pub(super) fn site(&self) -> Site {
        match self {
            Self::TooManyRequests { .. }
            | Self::InternalError
            | Self::Unavailable { .. }
            | Self::GatewayTimeout
            | Self::Forbidden { .. }
            | Self::Unauthorized { .. }
            | Self::ConnectionReset => Site::Request,
            Self::ListTruncated { .. }
            | Self::ListSlow { .. }
            | Self::ContinueExpired
            | Self::ListShuffled { .. } => Site::List,
            Self::WatchRefused { .. } => Site::WatchStart,
            Self::WatchExpired { .. }
            | Self::WatchDropped { .. }
            | Self::WatchHung
            | Self::WatchTruncated { .. }
            | Self::EventDuplicated
            | Self::EventsDelayed { .. } => Site::Watch,
            Self::Outage { .. }
            | Self::Compaction
            | Self::Rollback { .. }
            | Self::Uninstalled { .. } => Site::Server,
        }
    }

    /// A fault of kind `index` of [`Fault::NAMES`], with details by chance.
    fn by_chance(index: usize, random: &mut Random) -> Self {
        let retry_after = u32::from(random.once_in(8));
        let short = Duration::from_millis(10 + random.below(50) as u64);
        let flag = random.once_in(2);
        match index {
            0 => Self::TooManyRequests { retry_after },
            1 => Self::InternalError,
            2 => Self::Unavailable { retry_after },
            3 => Self::GatewayTimeout,
            4 => Self::Forbidden { lasting: short },
            5 => Self::Unauthorized { lasting: short },
            6 => Self::ConnectionReset,
            7 => Self::ListTruncated { abrupt: flag },
            8 => Self::ListSlow { by: short },
            9 => Self::ContinueExpired,
            10 => Self::ListShuffled { seed: random.bits() },
            11 => Self::WatchRefused { by_status: flag },
            12 => Self::WatchExpired { everywhere: flag },
            13 => Self::WatchDropped { abrupt: flag, everywhere: random.once_in(2) },
            14 => Self::WatchHung,
            15 => Self::WatchTruncated { abrupt: flag },
            16 => Self::EventDuplicated,
            17 => Self::EventsDelayed { by: short },
            18 => Self::Outage { lasting: short, compacted: flag },
            19 => Self::Compaction,
            20 => Self::Rollback { by: 1 + random.below(8) as u64 },
            _ => Self::Uninstalled { lasting: short },
        }
    }
}

/// A plan of faults. The server is healthy again when all have occurred.
///
/// A plan is the same for the same seed; which request or watch a fault strikes depends on what the
/// client does meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub(super) faults: Vec<Fault>,
    /// How many may wait for their victim at the same time; at least 1.
    pub(super) overlap: usize,
    pub(super) seed: u64,
}

impl Schedule {
    /// No faults.
    #[must_use]
    pub fn none() -> Self {
        Self::of(Vec::new())
    }

    /// These faults, one after the other.
    #[must_use]
    pub fn of(faults: Vec<Fault>) -> Self {
        Self { faults, overlap: 1, seed: 0 }
    }

    /// 6 to 14 faults of any kinds, of which up to three may meet.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let count = 6 + random.below(9);
        let faults = (0..count)
            .map(|_| Fault::by_chance(random.below(Fault::NAMES.len()), &mut random))
            .collect();
        Self { faults, overlap: 1 + random.below(3), seed }
    }

    /// The same without the faults that `refused` names; for a client that cannot meet them, as one
    /// that does not ask for pages cannot meet an expired token.
    #[must_use]
    pub fn without(mut self, refused: &[&str]) -> Self {
        self.faults.retain(|fault| !refused.contains(&fault.name()));
        self
    }

    /// The faults in order.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Fault, Schedule};
    use crate::random::Random;

    #[test]
    fn a_seed_names_one_schedule() {
        assert_eq!(Schedule::seeded(7), Schedule::seeded(7));
        assert_ne!(Schedule::seeded(7), Schedule::seeded(8));
    }

    #[test]
    fn seeds_reach_every_kind_of_fault() {
        let names: BTreeSet<_> = (0..100)
            .flat_map(|seed| Schedule::seeded(seed).faults)
            .map(|fault| fault.name())
            .collect();
        assert_eq!(names, BTreeSet::from(Fault::NAMES));
    }

    #[test]
    fn names_stand_where_chance_looks_for_them() {
        for (index, name) in Fault::NAMES.into_iter().enumerate() {
            assert_eq!(Fault::by_chance(index, &mut Random::new(1)).name(), name);
        }
    }
}
