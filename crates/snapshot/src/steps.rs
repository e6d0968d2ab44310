//! What a request meets between its router and the service.

use std::sync::Arc;

use portway_middleware::{Chain, Middleware};

use crate::{
    Target,
    compile::{Aside, Member},
};

/// What a request meets on its way to a target.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    /// What sees the request on its way in, and the response on its way out.
    pub filters: Chain,
    /// What follows them.
    pub then: Then,
}

/// What follows filters.
#[derive(Clone, Debug)]
pub enum Then {
    /// The end of the way.
    Target(Target),
    /// What stands around the rest of it.
    Wrapper(Box<Wrapper>),
}

impl Default for Then {
    fn default() -> Self {
        Self::Target(Target::Closed)
    }
}

/// A middleware that calls what follows it zero or more times.
#[derive(Clone, Debug)]
pub struct Wrapper {
    /// Its settings and state.
    pub middleware: Arc<Middleware>,
    /// What it asks besides what follows it; `None` where nothing.
    pub aside: Option<Target>,
    /// What follows it.
    pub rest: Steps,
}

impl Steps {
    /// The target, where nothing stands before it.
    pub fn bare_target(&self) -> Option<&Target> {
        match &self.then {
            Then::Target(target) if self.filters.is_empty() => Some(target),
            _ => None,
        }
    }

    /// The end of the way.
    pub fn target(&self) -> &Target {
        let mut steps = self;
        loop {
            match &steps.then {
                Then::Target(target) => return target,
                Then::Wrapper(wrapper) => steps = &wrapper.rest,
            }
        }
    }

    /// Steps through these middlewares, in this order, to `target`. `find` finds a service by its qualified name.
    ///
    /// # Errors
    /// With the reason why a service cannot be used that a wrapper asks besides what follows it.
    pub(crate) fn new(
        members: Vec<Member>,
        target: Target,
        mut find: impl FnMut(&str) -> Result<Target, String>,
    ) -> Result<Self, String> {
        let mut steps = Self { filters: Chain::default(), then: Then::Target(target) };
        let mut filters = Vec::new();
        for Member { middleware, aside } in members.into_iter().rev() {
            if !middleware.is_wrapper() {
                filters.push(middleware);
                continue;
            }
            filters.reverse();
            steps.filters = Chain::new(std::mem::take(&mut filters));
            let aside = match aside {
                None => None,
                Some(Aside::Named(service)) => Some(find(&service)?),
                Some(Aside::Own(service)) => Some(Target::Service(service)),
            };
            let wrapper = Wrapper { middleware, aside, rest: steps };
            steps = Self { filters: Chain::default(), then: Then::Wrapper(Box::new(wrapper)) };
        }
        filters.reverse();
        steps.filters = Chain::new(filters);
        Ok(steps)
    }
}
