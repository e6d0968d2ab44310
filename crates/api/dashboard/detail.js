// One object with everything around it: a router's whole way to its servers, a service, a middleware.

import { ApiError, ask, find, objectPath } from "./api.js";
import { h } from "./dom.js";
import { kindOf, plural, qualify, since, split } from "./format.js";
import { flow, middlewareNode, routerNodes, serverNodes, serviceNode, shareNodes, stage, entryNode } from "./flow.js";
import { chip, facts, json, names, panel, qualified, reasons, rule, settings, status } from "./parts.js";

/** Services inside services are followed this deep. */
const DEPTH = 3;

/** Middlewares of a router or a chain that are looked up. */
const LOOKED_UP = 30;

async function load(kind, name) {
  const found = await find(objectPath(kind, name));
  if (!found) throw new ApiError(404, `There is no ${kind.slice(0, -1)} ${name}. It may have been removed.`);
  return found.data;
}

/** A service with the services in it, `{ name, object, parts: [{ share, … }] }`; object is null where it does not exist. */
async function loadService(name, depth = 0) {
  const object = (await find(objectPath("services", name)))?.data ?? null;
  const { kind, settings } = object ? kindOf(object) : { kind: "", settings: {} };
  const { provider } = split(name);
  const inner = {
    weighted: () => (settings.services ?? []).map((one) => ({ name: one.name, share: one.weight ?? 1 })),
    highestRandomWeight: () => (settings.services ?? []).map((one) => ({ name: one.name, share: one.weight ?? 1 })),
    mirroring: () => [{ name: settings.service, note: "main" }, ...(settings.mirrors ?? []).map((one) => ({ name: one.name, note: `mirrors ${one.percent ?? 0} %` }))],
    failover: () => [{ name: settings.service, note: "main" }, { name: settings.fallback, note: "fallback" }],
  }[kind];
  const parts = depth < DEPTH && inner ? inner().filter((one) => one.name) : [];
  const whole = parts.reduce((sum, one) => sum + (one.share ?? 0), 0);
  const loaded = await Promise.all(parts.map((one) => loadService(qualify(one.name, provider), depth + 1)));
  return {
    name,
    object,
    parts: loaded.map((one, at) => ({
      ...one,
      note: parts[at].note ?? (whole > 0 ? `${Math.round((100 * parts[at].share) / whole)} %` : "0 %"),
    })),
  };
}

/** A middleware, and those of a chain. */
async function loadMiddleware(name, depth = 0) {
  const object = (await find(objectPath("middlewares", name)))?.data ?? null;
  const inner = depth < DEPTH ? object?.chain?.middlewares ?? [] : [];
  const { provider } = split(name);
  return {
    name,
    object,
    parts: await Promise.all(inner.slice(0, LOOKED_UP).map((one) => loadMiddleware(qualify(one, provider), depth + 1))),
  };
}

function heading(kind, object) {
  return h(
    "header",
    { class: "heading" },
    h("a", { class: "back", href: `#/http/${kind}`, "data-key": "back" }, "← ", { routers: "Routers", services: "Services", middlewares: "Middlewares" }[kind]),
    h("div", { class: "heading-row" }, h("h1", { class: "object" }, qualified(object.name)), status(object.status)),
  );
}

const router = {
  async load(route) {
    const object = await load("routers", route.name);
    const { provider } = split(object.name);
    const [service, ...middlewares] = await Promise.all([
      object.service ? loadService(qualify(object.service, provider)) : null,
      ...(object.middlewares ?? []).slice(0, LOOKED_UP).map((name) => loadMiddleware(qualify(name, provider))),
    ]);
    const entryPoints = (await ask("entrypoints", { per_page: 1000 })).data;
    return { object, service, middlewares, entryPoints };
  },
  render({ object, service, middlewares, entryPoints }) {
    const used = object.using ?? [];
    const asked = (object.entryPoints ?? []).filter((name) => !used.includes(name));
    return [
      heading("routers", object),
      reasons(object, "Requests that it claims are answered with 500; no other router gets them."),
      flow([
        stage("Entry points", [...used.map((name) => entryNode(name, entryPoints)), ...asked.map((name) => entryNode(name, entryPoints, true))]),
        stage("Router", routerNodes(object), "medium"),
        middlewares.length > 0 && stage("Middlewares", middlewares.map((one, at) => middlewareNode(one, at + 1)), "medium"),
        stage("Service", [service ? serviceNode(service) : h("li", { class: "node disabled" }, "no service")]),
        service && hasServers(service) && stage(service.parts.length > 0 ? "Services and servers" : "Servers", service.parts.length > 0 ? shareNodes(service) : serverNodes(service), "broad"),
      ]),
      panel(
        "Router",
        facts([
          ["Rule", rule(object.rule)],
          ["Priority", object.priorityStr ?? String(object.priority ?? 0)],
          ["Rule syntax", object.ruleSyntax],
          ["TLS", object.tls ? tls(object.tls) : "no: answers plain HTTP only"],
          ["Provider", object.provider],
          ["Records", records(object.observability)],
        ]),
      ),
      json(object),
    ];
  },
};

function tls(settings) {
  const domains = (settings.domains ?? []).flatMap((domain) => [domain.main, ...(domain.sans ?? [])]);
  return h(
    "span",
    { class: "chips" },
    chip(`options ${settings.options || "default"}`, "accent"),
    settings.certResolver && chip(`resolver ${settings.certResolver}`),
    domains.map((domain) => chip(domain)),
  );
}

function records(observability) {
  if (!observability) return null;
  const words = [
    ["accessLogs", "access log"],
    ["metrics", "metrics"],
    ["tracing", "traces"],
  ];
  const kept = words.filter(([field]) => observability[field]).map(([, word]) => word);
  return kept.length > 0 ? kept.join(", ") : "none";
}

/** Whether anything comes after a service: Portway answers internal ones itself. */
function hasServers({ object }) {
  return object !== null && kindOf(object).kind !== "";
}

const service = {
  async load(route) {
    const object = await load("services", route.name);
    return { object, service: await loadService(object.name) };
  },
  render({ object, service: loaded }) {
    const { kind, settings: configured } = kindOf(object);
    const { servers: listed, services: shares, ...rest } = configured;
    return [
      heading("services", object),
      reasons(object, "Routers that use it answer 500."),
      flow([
        stage("Service", [serviceNode(loaded, true)]),
        hasServers(loaded) && stage(loaded.parts.length > 0 ? "Services and servers" : "Servers", loaded.parts.length > 0 ? shareNodes(loaded) : serverNodes(loaded), "broad"),
      ]),
      usedBy(object),
      kind ? panel(kind, settings(rest)) : panel("Internal", h("p", {}, "Portway answers requests to this service itself.")),
      json(object),
    ];
  },
};

const middleware = {
  async load(route) {
    const object = await load("middlewares", route.name);
    return { object, chain: object.chain ? await loadMiddleware(object.name) : null };
  },
  render({ object, chain }) {
    const { kind, settings: configured } = kindOf(object);
    return [
      heading("middlewares", object),
      reasons(object, "Routers that use it answer 500."),
      chain && flow([stage("In this order", chain.parts.map((one, at) => middlewareNode(one, at + 1)))]),
      panel(kind || "Middleware", kind ? settings(configured) : h("p", {}, "Nothing in it could be read.")),
      usedBy(object),
      json(object),
    ];
  },
};

function usedBy(object) {
  const all = object.usedBy ?? [];
  if (all.length === 0) return panel("Used by", h("p", { class: "quiet" }, "No router uses it."));
  return panel(`Used by ${plural(all.length, "router")}`, names("routers", all));
}

const entryPoint = {
  async load(route) {
    const found = await find(`entrypoints/${encodeURIComponent(route.name)}`);
    if (!found) throw new ApiError(404, `There is no entry point ${route.name}.`);
    return { object: found.data };
  },
  render({ object }) {
    const { name, ...rest } = object;
    return [
      h("header", { class: "heading" }, h("a", { class: "back", href: "#/", "data-key": "back" }, "← Overview"), h("div", { class: "heading-row" }, h("h1", { class: "object" }, name), h("code", { class: "entry-address" }, object.address ?? ""))),
      panel("Settings", settings(rest)),
      json(object),
    ];
  },
};

export const details = { routers: router, services: service, middlewares: middleware, entrypoints: entryPoint };

/** What the foot of every page says of the process. */
export function about(version, overview) {
  const features = [overview.features?.accessLog && "access log", overview.features?.metrics, overview.features?.tracing].filter(Boolean);
  return [
    h("span", {}, `Portway ${version.Version}`),
    version.startDate && h("span", { title: version.startDate }, `up for ${since(version.startDate)}`),
    h("span", {}, (overview.providers ?? []).length > 0 ? `Providers: ${overview.providers.join(", ")}` : "No providers"),
    features.length > 0 && h("span", {}, `Records: ${features.join(", ")}`),
  ];
}
