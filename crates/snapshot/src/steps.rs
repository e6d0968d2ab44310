//! What a request meets between its router and the service.

use std::sync::Arc;

use portway_middleware::{Chain, Middleware};

use crate::{Target, compile::Member};

/// What a request meets between its router and the service: filters, then the router's target, or a wrapper around
/// more steps.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    /// What sees the request on its way in, and the response on its way out.
    pub filters: Chain,
    /// What stands around the rest; `None` where the target follows.
    pub wrapper: Option<Box<Wrapper>>,
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
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.filters.is_empty() && self.wrapper.is_none()
    }

    /// Steps through these middlewares in this order. `find` finds a service by its qualified name.
    ///
    /// # Errors
    /// With the reason why a service cannot be used that a wrapper asks besides what follows it.
    pub(crate) fn new(
        members: Vec<Member>,
        mut find: impl FnMut(&str) -> Result<Target, String>,
    ) -> Result<Self, String> {
        let mut steps = Self::default();
        let mut filters = Vec::new();
        for Member { middleware, aside } in members.into_iter().rev() {
            if !middleware.is_wrapper() {
                filters.push(middleware);
                continue;
            }
            filters.reverse();
            steps.filters = Chain::new(std::mem::take(&mut filters));
            let aside = aside.map(|service| find(&service)).transpose()?;
            let wrapper = Wrapper { middleware, aside, rest: steps };
            steps = Self { filters: Chain::default(), wrapper: Some(Box::new(wrapper)) };
        }
        filters.reverse();
        steps.filters = Chain::new(filters);
        Ok(steps)
    }
}
