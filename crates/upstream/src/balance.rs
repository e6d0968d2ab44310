//! Choosing one of several: servers of a load balancer, or services of a service.

mod hashed;
mod least_time;
mod rotation;
mod two_choices;

use std::{collections::HashMap, sync::Arc};

use portway_model::dynamic::{Sticky as Config, Strategy};

use self::hashed::Named;
pub(crate) use self::rotation::Rotation;
use crate::{Asking, Carried, Load, Standing, sticky::Sticky};

/// Chooses among candidates by a strategy.
#[derive(Debug)]
pub struct Balancer<T> {
    /// Those that take requests of anybody, then those that are fenced.
    candidates: Vec<Candidate<T>>,
    /// How many take requests of anybody.
    open: usize,
    /// Whether all of those are always up, so that nobody needs to ask.
    plain: bool,
    /// Whether, besides, neither the request nor what servers have to do matters.
    blind: bool,
    rule: Rule,
    sticky: Option<Box<Sticky>>,
}

/// How a balancer chooses.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// A name that no other balancer has; its state is kept under it.
    pub name: &'a str,
    /// The qualified name of the service, out of which the names of cookies are made.
    pub service: &'a str,
    /// How one is chosen.
    pub strategy: Strategy,
    /// Whether clients stay with what they got first.
    pub sticky: Option<&'a Config>,
}

/// What a balancer is made of: one of the things that it chooses among.
#[derive(Debug)]
pub struct Member<'n, T> {
    /// What is chosen.
    pub item: T,
    /// Its name: what its state is kept under, what `hrw` hashes, what a sticky cookie stands for. Traefik: a server's
    /// URL, or a service's name as it is written.
    pub name: &'n str,
    /// Its share. Those of 0 or less are left out, but for `p2c`, which knows no weights.
    pub weight: i64,
    /// Whether it only keeps the clients that it has.
    pub fenced: bool,
    /// Whether it takes requests now, as those who watch it see it; `None` where nobody does.
    pub standing: Option<Arc<Standing>>,
}

/// Something that can be chosen.
#[derive(Debug)]
pub struct Candidate<T> {
    /// What is chosen.
    pub item: T,
    /// What is known of it by those who watch it.
    pub standing: Option<Arc<Standing>>,
    /// How busy it is, where the strategy asks for that.
    pub(crate) load: Option<Arc<Load>>,
}

/// What a balancer chose.
#[derive(Debug)]
pub struct Chosen<'a, T> {
    /// What is chosen.
    pub item: &'a T,
    /// Where the request is counted while it is under way, where the strategy asks for it.
    pub load: Option<&'a Arc<Load>>,
}

/// How one is chosen, of those that are open.
#[derive(Debug)]
enum Rule {
    /// There is one at most, and no choice.
    Only,
    RoundRobin(Arc<Rotation>),
    TwoChoices,
    Hashed(Box<[Named]>),
    /// With their weights.
    LeastTime(Box<[f64]>),
}

impl Rule {
    /// The rule by which those with these names and weights are chosen, which are the first of `candidates`.
    fn compile<T>(
        balancer: &str,
        strategy: Strategy,
        names: &[(&str, u64)],
        candidates: &[Candidate<T>],
        carried: &Carried,
    ) -> Self {
        let weights = || names.iter().map(|(_, weight)| *weight as f64);
        match strategy {
            Strategy::Wrr | Strategy::Hrw if names.len() <= 1 => Self::Only,
            Strategy::Wrr => Self::RoundRobin(carried.rotation(balancer, names)),
            Strategy::P2c => Self::TwoChoices,
            Strategy::Hrw => {
                let weighed = names.iter().zip(weights());
                let named = |((name, _), weight): (&(&str, u64), f64)| Named {
                    name: (*name).into(),
                    weight,
                };
                Self::Hashed(weighed.map(named).collect())
            }
            Strategy::LeastTime => {
                let weights: Box<[f64]> = weights().collect();
                least_time::seat(candidates, &weights);
                Self::LeastTime(weights)
            }
        }
    }
}

impl<T> Candidate<T> {
    /// Whether it takes requests.
    pub fn is_up(&self) -> bool {
        self.standing.as_ref().is_none_or(|standing| standing.is_up())
    }

    fn chosen(&self) -> Chosen<'_, T> {
        Chosen { item: &self.item, load: self.load.as_ref() }
    }
}

impl<T> Balancer<T> {
    /// Balances over `members`. State is adopted from living balancers of the same name: the position, and what is
    /// known of each member.
    pub fn compile(settings: Settings<'_>, members: Vec<Member<'_, T>>, carried: &Carried) -> Self {
        let Settings { name, strategy, .. } = settings;
        let weighs = strategy != Strategy::P2c;
        // As in Traefik, what is chosen by address knows no cookies.
        let stays = settings.sticky.filter(|_| strategy != Strategy::Hrw);
        let keeps = stays.is_some_and(|sticky| sticky.cookie.is_some());
        // Without a cookie, a fenced one has no clients to keep.
        let (mut members, fenced): (Vec<Member<'_, T>>, Vec<Member<'_, T>>) = members
            .into_iter()
            .filter(|member| (!weighs || member.weight > 0) && (keeps || !member.fenced))
            .partition(|member| !member.fenced);
        let open = members.len();
        members.extend(fenced);
        let names: Vec<(&str, u64)> = members
            .iter()
            .map(|member| (member.name, u64::try_from(member.weight).unwrap_or_default()))
            .collect();
        let loads = loads(name, strategy, &names, carried);
        let candidates: Vec<Candidate<T>> = members
            .into_iter()
            .zip(loads)
            .map(|(member, load)| Candidate { item: member.item, standing: member.standing, load })
            .collect();
        let sticky = Sticky::compile(settings.service, stays, names.iter().map(|(name, _)| *name));
        let names = names.get(..open).unwrap_or(&names);
        let rule = Rule::compile(name, strategy, names, &candidates, carried);
        let plain = candidates.iter().take(open).all(|candidate| candidate.standing.is_none());
        let blind = plain && sticky.is_none() && matches!(rule, Rule::Only | Rule::RoundRobin(_));
        Self { open, candidates, plain, blind, rule, sticky: sticky.map(Box::new) }
    }

    /// The one for a request; `None` when none takes requests. Adds the value of `Set-Cookie` that the response needs.
    #[inline]
    pub fn pick<'a>(
        &'a self,
        asking: &Asking<'_>,
        cookies: &mut Vec<&'a str>,
    ) -> Option<Chosen<'a, T>> {
        if !self.blind {
            return self.pick_asking(asking, cookies);
        }
        let index = match &self.rule {
            Rule::RoundRobin(rotation) => rotation.turn()?,
            _ => 0,
        };
        // Nobody counts requests of those who take turns.
        self.candidates.get(index).map(|candidate| Chosen { item: &candidate.item, load: None })
    }

    /// The same, with all that may matter. Apart, so that it does not slow down those whose turn it just is.
    #[inline(never)]
    fn pick_asking<'a>(
        &'a self,
        asking: &Asking<'_>,
        cookies: &mut Vec<&'a str>,
    ) -> Option<Chosen<'a, T>> {
        let Some(sticky) = &self.sticky else {
            return self.candidates.get(self.choose(asking)?).map(Candidate::chosen);
        };
        if let Some(place) = sticky.place(asking.headers)
            && let Some(candidate) = self.candidates.get(place.candidate)
            && candidate.is_up()
        {
            if place.is_old {
                cookies.extend(sticky.cookie(place.candidate));
            }
            let chosen = candidate.chosen();
            // As in Traefik, times are those of requests that had a choice.
            let counts = !matches!(self.rule, Rule::LeastTime(_));
            return Some(Chosen { load: chosen.load.filter(|_| counts), ..chosen });
        }
        let index = self.choose(asking)?;
        cookies.extend(sticky.cookie(index));
        self.candidates.get(index).map(Candidate::chosen)
    }

    /// The number of the one for a request without a past.
    fn choose(&self, asking: &Asking<'_>) -> Option<usize> {
        let open = self.candidates.get(..self.open)?;
        let usable = |index: usize| self.plain || open.get(index).is_some_and(Candidate::is_up);
        match &self.rule {
            Rule::Only => (!open.is_empty() && usable(0)).then_some(0),
            Rule::RoundRobin(rotation) => rotation.next(usable),
            Rule::TwoChoices => two_choices::pick(open, asking.random),
            Rule::Hashed(members) => hashed::pick(members, asking.client, usable),
            Rule::LeastTime(weights) => least_time::pick(open, weights),
        }
    }

    /// Whether any candidate takes requests, where somebody watches them.
    pub fn is_up(&self) -> bool {
        self.plain || self.candidates.iter().any(Candidate::is_up)
    }

    /// What is known by those who watch them of the candidates that take requests of anybody.
    pub fn standings(&self) -> Vec<Arc<Standing>> {
        let open = self.candidates.iter().take(self.open);
        open.filter_map(|candidate| candidate.standing.clone()).collect()
    }

    /// All candidates.
    pub fn candidates(&self) -> &[Candidate<T>] {
        &self.candidates
    }
}

/// What is known of how busy each of the named members is, where the strategy asks for that.
fn loads(
    balancer: &str,
    strategy: Strategy,
    names: &[(&str, u64)],
    carried: &Carried,
) -> Vec<Option<Arc<Load>>> {
    let timed = match strategy {
        Strategy::P2c => false,
        Strategy::LeastTime => true,
        Strategy::Wrr | Strategy::Hrw => return names.iter().map(|_| None).collect(),
    };
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut load = |name| {
        // One that is there twice is two.
        let number = seen.entry(name).or_default();
        *number += 1;
        Some(carried.load(&format!("{balancer} {timed} {name} {number}"), timed))
    };
    names.iter().map(|&(name, _)| load(name)).collect()
}

#[cfg(test)]
mod tests;
