// The first page: does everything work, and what does not.

import { ask, find } from "./api.js";
import { h, icon } from "./dom.js";
import { count, plural } from "./format.js";
import { address, chip, empty, link, reasonText, status } from "./parts.js";

const KINDS = [
  ["routers", "Routers", "router"],
  ["services", "Services", "service"],
  ["middlewares", "Middlewares", "middleware"],
];

/** How many objects of each kind and status are asked for. */
const ASKED = 100;

/** How many different reasons are listed of each, and how many names of objects beside one. */
const REASONS = 5;
const NAMES = 6;
const PROBLEMS = 5;

export async function load() {
  const [overview, entryPoints, problems] = await Promise.all([
    ask("overview"),
    ask("entrypoints", { per_page: 1000 }),
    find("problems", { per_page: PROBLEMS }),
  ]);
  const wanted = KINDS.flatMap(([kind]) => {
    const counts = overview.data.http[kind];
    return [
      counts.errors > 0 && { kind, status: "disabled" },
      counts.warnings > 0 && { kind, status: "warning" },
    ].filter(Boolean);
  });
  const lists = await Promise.all(wanted.map(({ kind, status }) => ask(`http/${kind}`, { status, per_page: ASKED })));
  return {
    overview: overview.data,
    entryPoints: entryPoints.data,
    problems: problems?.data ?? [],
    attention: wanted.map((one, at) => ({ ...one, objects: lists[at].data })),
  };
}

export function render(data) {
  const sum = (field) => KINDS.reduce((total, [kind]) => total + data.overview.http[kind][field], 0);
  const [errors, warnings] = [sum("errors"), sum("warnings")];
  return [
    headline(sum("total"), errors, warnings, data.problems.length),
    h("div", { class: "cards" }, KINDS.map(([kind, title, sign]) => card(kind, title, sign, data.overview.http[kind]))),
    data.problems.length > 0 && problems(data),
    data.attention.length > 0 && attention(data.attention, data.overview.http),
    h(
      "section",
      { "aria-label": "Entry points" },
      h("h2", { class: "section" }, "Entry points"),
      data.entryPoints.length > 0
        ? h("div", { class: "entry-points" }, data.entryPoints.map(entryPoint))
        : empty("No entry points", "Portway listens nowhere: set entryPoints.<name>.address."),
    ),
  ];
}

function headline(total, errors, warnings, problems) {
  const parts = [errors > 0 && plural(errors, "error"), warnings > 0 && plural(warnings, "warning"), problems > 0 && "source problems"];
  const said = parts.filter(Boolean);
  if (total === 0 && said.length === 0) return words("quiet", "empty", "Nothing is routed yet", "No provider has brought a router.");
  const state = errors > 0 || problems > 0 ? "disabled" : warnings > 0 ? "warning" : "enabled";
  if (state === "enabled") return words(state, "check", "Everything works", "No errors, no warnings.");
  return words(state, "alert", "Some things need attention", `${said.join(", ")}. The rest works.`);
}

function words(state, sign, title, text) {
  return h("div", { class: `headline ${state}` }, icon(sign), h("div", {}, h("h1", {}, title), h("p", {}, text)));
}

function card(kind, title, sign, counts) {
  const working = counts.total - counts.errors - counts.warnings;
  const parts = [
    ["enabled", "working", working],
    ["warning", counts.warnings === 1 ? "warning" : "warnings", counts.warnings],
    ["disabled", counts.errors === 1 ? "error" : "errors", counts.errors],
  ];
  const bar = h("div", { class: "bar", "aria-hidden": "true" });
  for (const [state, , amount] of parts) {
    if (amount === 0) continue;
    const part = h("span", { class: state });
    part.style.flexGrow = amount;
    bar.append(part);
  }
  return h(
    "section",
    { class: "card", "aria-label": title },
    h("a", { class: "card-main", href: address(kind), "data-key": `card-${kind}` }, icon(sign), h("span", { class: "card-title" }, title), h("span", { class: "card-total" }, count(counts.total))),
    bar,
    h(
      "ul",
      { class: "legend" },
      parts.map(([state, word, amount]) => h("li", { class: amount === 0 ? "none" : state }, amount > 0 ? h("a", { href: address(kind, undefined, { status: state }), "data-key": `card-${kind}-${state}` }, `${count(amount)} ${word}`) : `0 ${word}`)),
    ),
  );
}

/** Objects that need attention, those of one reason together. */
function attention(groups, counts) {
  const rows = groups.flatMap(({ kind, status: state, objects }) => {
    const reasons = new Map();
    for (const object of objects) {
      const reason = object.error?.[0] ?? "";
      reasons.set(reason, [...(reasons.get(reason) ?? []), object]);
    }
    const total = counts[kind][state === "disabled" ? "errors" : "warnings"];
    const shown = [...reasons].slice(0, REASONS).map(([reason, same]) => finding(kind, state, reason, same));
    if (reasons.size <= REASONS && total === objects.length) return shown;
    const all = `All ${count(total)} ${kind} ${state === "disabled" ? "with errors" : "with warnings"}`;
    return [...shown, h("li", { class: "finding" }, h("a", { href: address(kind, undefined, { status: state }), "data-key": `all-${kind}-${state}` }, all))];
  });
  return h("section", { "aria-label": "Needs attention" }, h("h2", { class: "section" }, "Needs attention"), h("ul", { class: "findings panel" }, rows));
}

function finding(kind, state, reason, objects) {
  const word = objects.length === 1 ? kind.slice(0, -1) : kind;
  const names = objects.slice(0, NAMES).map((object) => link(kind, object.name));
  return h(
    "li",
    { class: "finding" },
    status(state, true),
    h(
      "div",
      {},
      h("p", { class: "finding-name" }, h("span", { class: "kind" }, word), names, objects.length > NAMES && h("span", { class: "quiet" }, `and ${count(objects.length - NAMES)} more`)),
      reason && h("div", { class: "finding-reason" }, reasonText(reason)),
    ),
  );
}

function problems(data) {
  return h(
    "section",
    { "aria-label": "Source problems" },
    h("h2", { class: "section" }, "Source problems"),
    h("ul", { class: "findings panel" }, data.problems.map(problem)),
    h("p", {}, h("a", { href: "#/problems", "data-key": "all-problems" }, "All source problems")),
  );
}

/** A problem that no object carries. */
export function problem(one) {
  const place = one.place ? `${one.place.file}${one.place.line ? `:${one.place.line}` : ""}` : "";
  return h(
    "li",
    { class: "finding" },
    status(one.severity === "warning" ? "warning" : "disabled", true),
    h(
      "div",
      {},
      h("p", { class: "finding-name" }, h("span", { class: "base" }, one.object), one.field && h("code", {}, one.field)),
      h("div", { class: "finding-reason" }, reasonText(one.message)),
      place && h("p", { class: "finding-place" }, h("code", {}, place)),
    ),
  );
}

function entryPoint(one) {
  const redirect = one.http?.redirections?.entryPoint;
  return h(
    "a",
    { class: "card entry-point", href: `#/entrypoints/${encodeURIComponent(one.name)}`, "data-key": `entry-${one.name}` },
    h("span", { class: "entry-name" }, icon("entry"), one.name),
    h("code", { class: "entry-address" }, one.address ?? ""),
    h(
      "span",
      { class: "chips" },
      one.asDefault && chip("default"),
      one.http?.tls && chip("TLS", "accent"),
      one.http3 && chip("HTTP/3", "accent"),
      redirect && chip(`redirects to ${redirect.to}`),
      (one.http?.middlewares ?? []).length > 0 && chip(plural(one.http.middlewares.length, "middleware")),
    ),
  );
}
