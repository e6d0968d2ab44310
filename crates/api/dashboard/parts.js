// Pieces that several pages use.

import { h, icon } from "./dom.js";
import { STATUS, ruleParts, split } from "./format.js";

/** A status as sign and word. */
export function status(value, small = false) {
  const known = STATUS[value] ?? { word: value, icon: "alert" };
  const word = h("span", { class: small ? "hidden" : null }, known.word);
  return h("span", { class: `status ${value}`, title: small ? known.word : null }, icon(known.icon), word);
}

/** A name, its provider set apart. */
export function qualified(name) {
  const { base, provider } = split(name);
  return [h("span", { class: "base" }, base), provider && h("span", { class: "provider" }, `@${provider}`)];
}

export function address(kind, name, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value)).toString();
  const path = name === undefined ? `#/http/${kind}` : `#/http/${kind}/${encodeURIComponent(name)}`;
  return query ? `${path}?${query}` : path;
}

/** A link to an object. */
export function link(kind, name, attributes = {}) {
  return h("a", { class: "name", href: address(kind, name), "data-key": `${kind}/${name}`, ...attributes }, qualified(name));
}

/** A rule with its matchers, texts and operators told apart. */
export function rule(text) {
  if (!text) return h("span", { class: "quiet" }, "no rule");
  return h("code", { class: "rule" }, ruleParts(text).map(({ text: piece, kind }) => (kind === "plain" ? piece : h("span", { class: `rule-${kind}` }, piece))));
}

export function chip(text, kind = "") {
  return h("span", { class: `chip ${kind}` }, text);
}

/** A reason: a sentence, and what it points into (a rule with carets under it) in its own shape. */
export function reasonText(text) {
  const [sentence, ...rest] = text.split("\n");
  return [sentence, rest.length > 0 && h("pre", { class: "pointed", tabindex: "0" }, rest.join("\n"))];
}

/** Why an object does not work, or not wholly. */
export function reasons(object, consequence) {
  const errors = object.error ?? [];
  if (errors.length === 0 && object.status !== "disabled") return null;
  return h(
    "section",
    { class: `reasons ${object.status}`, "aria-label": "Reasons" },
    h("h2", {}, icon(STATUS[object.status]?.icon ?? "alert"), object.status === "disabled" ? "It does not work" : "Something has no effect"),
    errors.length > 0 && h("ul", {}, errors.map((error) => h("li", {}, reasonText(error)))),
    consequence && object.status === "disabled" && h("p", {}, consequence),
  );
}

/** A panel with a heading. */
export function panel(title, ...content) {
  return h("section", { class: "panel" }, h("h2", {}, title), content);
}

/** Facts as names and values; rows without a value are left out. */
export function facts(rows) {
  const filled = rows.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false);
  return h("dl", { class: "facts" }, filled.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** Any JSON as nested facts. */
export function settings(value) {
  if (Array.isArray(value)) {
    if (value.length === 0) return h("span", { class: "quiet" }, "none");
    return h("ul", { class: "values" }, value.map((item) => h("li", {}, settings(item))));
  }
  if (value !== null && typeof value === "object") {
    const fields = Object.entries(value);
    if (fields.length === 0) return h("span", { class: "quiet" }, "defaults");
    return h("dl", { class: "facts nested" }, fields.map(([name, inner]) => h("div", {}, h("dt", {}, name), h("dd", {}, settings(inner)))));
  }
  if (value === "") return h("span", { class: "quiet" }, "empty: the header is removed");
  return h("code", {}, String(value));
}

/** The object as the API gives it. */
export function json(object) {
  return h(
    "details",
    { class: "panel json", "data-key": "json" },
    h("summary", { "data-key": "json-summary" }, "JSON"),
    h("pre", { tabindex: "0" }, JSON.stringify(object, null, 2)),
  );
}

/** What stands where there is nothing. */
export function empty(title, text, ...more) {
  return h("div", { class: "empty" }, icon("empty"), h("p", { class: "empty-title" }, title), text && h("p", {}, text), more);
}

/** A whole page that could not be loaded. */
export function failure(error, retry) {
  return h(
    "div",
    { class: "empty failed" },
    icon("alert"),
    h("p", { class: "empty-title" }, error.status === 401 ? "Please sign in" : error.status ? `The API answered ${error.status}` : "Portway does not answer"),
    h("p", {}, error.message),
    h("button", { class: "button", type: "button", onclick: error.status === 401 ? () => location.reload() : retry }, error.status === 401 ? "Sign in" : "Try again"),
  );
}

/** Names of objects, the first of them shown. */
export function names(kind, all, first = 24) {
  const item = (name) => h("li", {}, link(kind, name));
  return [
    h("ul", { class: "names" }, all.slice(0, first).map(item)),
    all.length > first &&
      h(
        "details",
        { "data-key": `${kind}-more` },
        h("summary", { "data-key": `${kind}-more-summary` }, `${all.length - first} more`),
        h("ul", { class: "names" }, all.slice(first).map(item)),
      ),
  ];
}
