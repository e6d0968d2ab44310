//! Which Ingresses are served: those of an IngressClass of Traefik's controller, and those without a class.

use std::collections::BTreeSet;

use portway_model::{Problem, nearest, static_config::KubernetesIngress};

use crate::{
    Index,
    api::{Body, Ingress, Kind, Object},
};

/// The controller whose IngressClasses are served.
const CONTROLLER: &str = "traefik.io/ingress-controller";

/// The annotation that named a class before `spec.ingressClassName`.
const ANNOTATION: &str = "kubernetes.io/ingress.class";

/// The class of objects without an IngressClass, where no option names another.
const DEFAULT: &str = "traefik";

/// Which Ingresses are served.
///
/// An Ingress with `spec.ingressClassName` is served when an IngressClass of that name has Traefik's controller
/// and, where the option `ingressClass` is set, is the one that it names. Another is served when its annotation
/// `kubernetes.io/ingress.class` is what the option says; where the option is empty, also when it is `traefik`.
#[derive(Debug)]
pub(crate) struct Classes<'a> {
    index: &'a Index,
    /// The option.
    wanted: &'a str,
    /// IngressClasses that are served; `None` where none may be looked up.
    served: Option<BTreeSet<&'a str>>,
}

impl<'a> Classes<'a> {
    pub(crate) fn new(index: &'a Index, options: &'a KubernetesIngress) -> Self {
        let wanted = options.objects.ingress_class.as_str();
        let hidden =
            options.disable_ingress_class_lookup || options.disable_cluster_scope_resources;
        let served = || {
            let classes = index.of(Kind::IngressClass).filter(|object| match &object.body {
                Body::IngressClass(class) => class.controller == CONTROLLER,
                _ => false,
            });
            let names = classes.map(|object| object.key.name.as_str());
            names.filter(|name| wanted.is_empty() || *name == wanted).collect()
        };
        Self { index, wanted, served: (!hidden).then(served) }
    }

    /// Whether an Ingress is served.
    pub(crate) fn serve(&self, object: &Object, ingress: &Ingress) -> bool {
        if let Some(class) = &ingress.class_name {
            return self.served.as_ref().is_some_and(|served| served.contains(class.as_str()));
        }
        let annotation = object.meta.annotations.get(ANNOTATION).map_or("", String::as_str);
        annotation == self.wanted || self.wanted.is_empty() && annotation == DEFAULT
    }

    /// Why an Ingress that is not served was probably meant to be; `None` where it is somebody else's.
    pub(crate) fn complaint(&self, ingress: &Ingress) -> Option<Problem> {
        let class = ingress.class_name.as_deref()?;
        let ours = if self.wanted.is_empty() { DEFAULT } else { self.wanted };
        let complain = |reason: String| {
            Some(Problem::warning("spec.ingressClassName", format!("not served: {reason}")))
        };
        let Some(served) = &self.served else {
            let reason = "IngressClasses are not looked up (disableClusterScopeResources, \
                          disableIngressClassLookup)";
            return complain(reason.to_owned()).filter(|_| class == ours);
        };
        match self.index.ingress_class("", class) {
            Some((_, known)) if class == ours => complain(format!(
                "IngressClass `{class}` has the controller `{}`, not `{CONTROLLER}`",
                known.controller
            )),
            None if class == ours => complain(format!(
                "there is no IngressClass `{class}`; one with `spec.controller: {CONTROLLER}` is needed"
            )),
            None => {
                let near = nearest(class, served.iter().copied())?;
                complain(format!("there is no IngressClass `{class}`; did you mean `{near}`?"))
            }
            Some(_) => None,
        }
    }
}
