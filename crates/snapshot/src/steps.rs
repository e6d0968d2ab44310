//! What a request meets between its router and the service.

use std::sync::Arc;

use portway_middleware::{Chain, Middleware};

use crate::Target;

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

    /// Steps through these middlewares in this order. `aside` finds what a wrapper asks besides what follows it.
    pub(crate) fn new(
        middlewares: Vec<Arc<Middleware>>,
        aside: impl Fn(&Middleware) -> Option<Target>,
    ) -> Self {
        let mut steps = Self::default();
        let mut filters = Vec::new();
        for middleware in middlewares.into_iter().rev() {
            if !middleware.is_wrapper() {
                filters.push(middleware);
                continue;
            }
            filters.reverse();
            steps.filters = Chain::new(std::mem::take(&mut filters));
            let wrapper = Wrapper { aside: aside(&middleware), middleware, rest: steps };
            steps = Self { filters: Chain::default(), wrapper: Some(Box::new(wrapper)) };
        }
        filters.reverse();
        steps.filters = Chain::new(filters);
        steps
    }
}
