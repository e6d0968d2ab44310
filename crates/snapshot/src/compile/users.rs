//! Which routers use a service or a middleware.

use portway_model::{
    InternalService, Names,
    dynamic::Middleware,
    name::{provider, qualify},
    runtime::{MiddlewareInfo, RouterInfo, Runtime, ServiceInfo},
};

/// Notes in services and middlewares that the router `name` refers to them.
pub(crate) fn refer(name: &str, info: &RouterInfo, runtime: &mut Runtime) {
    let service = qualify(&info.router.service, provider(name));
    if service == InternalService::Whoami.name() && !runtime.services.contains_key(&service) {
        runtime.services.insert(service.as_str(), ServiceInfo::default());
    }
    let name = known(name, &runtime.routers);
    if let Some(info) = runtime.services.get_mut(&service) {
        info.used_by.add(name.clone());
    }
    for middleware in &info.middlewares {
        let Some(info) = runtime.middlewares.get_mut(middleware) else { continue };
        if info.used_by.is_empty() {
            show_members(middleware, info);
        }
        info.used_by.add(name.clone());
    }
}

/// Takes back what [`refer`] noted.
pub(crate) fn forget(name: &str, info: &RouterInfo, runtime: &mut Runtime) {
    let service = qualify(&info.router.service, provider(name));
    if let Some(info) = runtime.services.get_mut(&service) {
        info.used_by.remove(name);
        if info.used_by.is_empty() && service == InternalService::Whoami.name() {
            runtime.services.remove(&service);
        }
    }
    for middleware in &info.middlewares {
        if let Some(info) = runtime.middlewares.get_mut(middleware) {
            info.used_by.remove(name);
        }
    }
}

/// The name as it is kept already, so that it is kept once.
fn known<T>(name: &str, names: &Names<T>) -> std::sync::Arc<str> {
    names.get_key_value(name).map_or_else(|| name.into(), |(name, _)| name.clone())
}

/// A chain that a router or a service uses shows its members' qualified names, as in Traefik.
pub(crate) fn show_members(name: &str, info: &mut MiddlewareInfo) {
    if !matches!(*info.middleware, Middleware::Chain(_)) {
        return;
    }
    if let Middleware::Chain(chain) = std::sync::Arc::make_mut(&mut info.middleware) {
        for member in &mut chain.middlewares {
            *member = qualify(member, provider(name));
        }
    }
}
