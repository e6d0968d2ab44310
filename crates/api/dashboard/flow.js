// A request's way as stages from left to right (from top to bottom on a phone).

import { h, icon } from "./dom.js";
import { kindOf, split, summary } from "./format.js";
import { link, qualified, rule, status } from "./parts.js";

/** Servers that are listed by themselves. */
const SHOWN = 12;

export function flow(stages) {
  return h("div", { class: "flow panel" }, stages.filter(Boolean));
}

/** A column of nodes. */
export function stage(title, nodes, kind = "") {
  return h("section", { class: `stage ${kind}`, "aria-label": title }, h("h2", {}, title), h("ol", {}, nodes.length > 0 ? nodes : h("li", { class: "node quiet" }, "none")));
}

function node(state, sign, title, ...lines) {
  return h("li", { class: `node ${state ?? ""}` }, h("div", { class: "node-head" }, icon(sign), h("span", { class: "node-title" }, title), state && state !== "enabled" && status(state, true)), lines.filter(Boolean).map((line) => h("div", { class: "node-line" }, line)));
}

/** An entry point; `missing` when the router asks for one that it does not get. */
export function entryNode(name, known, missing = false) {
  const one = known.find((entryPoint) => entryPoint.name === name);
  const title = one ? h("a", { class: "name", href: `#/entrypoints/${encodeURIComponent(name)}`, "data-key": `entry-${name}` }, name) : name;
  return node(missing ? "disabled" : "enabled", "entry", title, one ? h("code", {}, one.address) : "does not exist");
}

export function routerNodes(object) {
  return [node(object.status, object.tls ? "lock" : "router", qualified(object.name), rule(object.rule))];
}

/** A middleware with its place in the order. */
export function middlewareNode({ name, object, parts }, place) {
  if (!object) return node("disabled", "middleware", qualified(name), "does not exist");
  const { kind } = kindOf(object);
  const inner = parts.length > 0 && h("ol", { class: "inner" }, parts.map((one, at) => middlewareNode(one, at + 1)));
  const words = kind === "chain" ? "" : summary(object);
  const line = h("span", {}, h("b", {}, kind || "unreadable"), words && ` ${words}`);
  return node(object.status, "middleware", [h("span", { class: "place" }, `${place}.`), link("middlewares", name)], line, inner, firstReason(object));
}

export function serviceNode({ name, object }, alone = false) {
  if (!object) return node("disabled", "service", qualified(name), "does not exist");
  const { kind } = kindOf(object);
  const balancer = object.loadBalancer;
  const words = kind || (object.provider === "internal" ? "answered by Portway itself" : "unreadable");
  return node(
    object.status,
    "service",
    alone ? qualified(name) : link("services", name),
    h("b", {}, words),
    balancer?.serversTransport && `transport ${balancer.serversTransport}`,
    balancer?.passHostHeader === false && "servers see their own host",
    !alone && firstReason(object),
  );
}

function firstReason(object) {
  const [first] = object.error ?? [];
  return first && h("span", { class: "bad" }, first.split("\n", 1)[0]);
}

/** The servers of a load balancer. */
export function serverNodes({ object }) {
  const balancer = object?.loadBalancer;
  if (!balancer) return [h("li", { class: "node quiet" }, "none")];
  const all = balancer.servers ?? [];
  if (all.length === 0) return [node("disabled", "server", "no server", "Requests are answered with 503.")];
  const whole = all.reduce((sum, server) => sum + (server.weight ?? 1), 0);
  const one = (server) => {
    const up = object.serverStatus?.[server.url];
    const share = all.length > 1 && whole > 0 && all.some((other) => (other.weight ?? 1) !== 1) ? `${Math.round((100 * (server.weight ?? 1)) / whole)} %` : "";
    const notes = [share, server.preservePath && "keeps its path", server.fenced && "leaving"].filter(Boolean);
    return node(up === "DOWN" ? "disabled" : "enabled", "server", h("code", {}, server.url), h("span", {}, up === "DOWN" ? h("b", { class: "bad" }, "down") : up === "UP" ? h("b", { class: "good" }, "up") : h("span", { class: "quiet" }, "not in use yet"), notes.map((note) => ` · ${note}`)));
  };
  return [
    ...all.slice(0, SHOWN).map(one),
    all.length > SHOWN && h("li", { class: "more" }, h("details", { "data-key": `servers-${split(object.name).base}` }, h("summary", {}, `${all.length - SHOWN} more servers`), h("ol", { class: "inner" }, all.slice(SHOWN).map(one)))),
  ];
}

/** Services inside a service, each with its share and its servers. */
export function shareNodes({ parts }) {
  return parts.map((part) => {
    const { name, object, note } = part;
    const inner = part.parts.length > 0 ? shareNodes(part) : object?.loadBalancer ? serverNodes(part) : [];
    return node(
      object ? object.status : "disabled",
      "service",
      [link("services", name), h("span", { class: "chip accent" }, note)],
      !object && "does not exist",
      object && firstReason(object),
      inner.length > 0 && h("ol", { class: "inner" }, inner),
    );
  });
}
