// Lists of routers, services, middlewares and problems: a page of the server's at a time.

import { ask, find } from "./api.js";
import { h, icon } from "./dom.js";
import { count, kindOf, plural, servers, summary } from "./format.js";
import { chip, empty, link, rule, status } from "./parts.js";
import { problem } from "./overview.js";

const PAGE = 50;

const COLUMNS = {
  routers: [
    { title: "Status", sort: "status", cell: (one) => status(one.status, true), class: "narrow" },
    { title: "Name", sort: "name", cell: (one) => [link("routers", one.name), reason(one)], class: "main" },
    { title: "Rule", sort: "rule", cell: (one) => rule(one.rule), class: "wide" },
    { title: "Entry points", sort: "entryPoints", cell: (one) => h("span", { class: "chips" }, one.tls && h("span", { class: "chip accent", title: "Answers TLS only" }, icon("lock"), "TLS"), (one.using ?? one.entryPoints ?? []).map((name) => chip(name))) },
    { title: "Service", sort: "service", cell: (one) => one.service ?? h("span", { class: "quiet" }, "none"), class: "break" },
    { title: "Priority", sort: "priority", cell: (one) => priority(one), class: "number" },
  ],
  services: [
    { title: "Status", sort: "status", cell: (one) => status(one.status, true), class: "narrow" },
    { title: "Name", sort: "name", cell: (one) => [link("services", one.name), reason(one)], class: "main" },
    { title: "Type", sort: "type", cell: (one) => kindOf(one).kind || h("span", { class: "quiet" }, one.provider === "internal" ? "internal" : "unreadable") },
    { title: "Servers", sort: "servers", cell: serverCount },
    { title: "Used by", cell: (one) => used(one), class: "number" },
  ],
  middlewares: [
    { title: "Status", sort: "status", cell: (one) => status(one.status, true), class: "narrow" },
    { title: "Name", sort: "name", cell: (one) => [link("middlewares", one.name), reason(one)], class: "main" },
    { title: "Type", sort: "type", cell: (one) => kindOf(one).kind || h("span", { class: "quiet" }, "unreadable") },
    { title: "Settings", cell: (one) => h("span", { class: "quiet" }, summary(one)), class: "break" },
    { title: "Used by", cell: (one) => used(one), class: "number" },
  ],
};

const FILTERS = [
  ["", "All"],
  ["enabled", "Working"],
  ["warning", "Warnings"],
  ["disabled", "Errors"],
];

function reason(one) {
  const [first] = one.error ?? [];
  return first ? h("span", { class: `row-reason ${one.status}` }, first.split("\n", 1)[0]) : null;
}

function used(one) {
  const amount = (one.usedBy ?? []).length;
  return amount === 0 ? h("span", { class: "quiet" }, "no router") : plural(amount, "router");
}

function priority(one) {
  const text = one.priorityStr ?? String(one.priority ?? 0);
  return text.length > 12 ? h("span", { title: text }, "highest") : text;
}

function serverCount(one) {
  const known = servers(one);
  if (known === null) return h("span", { class: "quiet" }, "–");
  if (known.all === 0) return h("span", { class: "bad" }, "none");
  return known.up === known.all ? count(known.all) : h("span", { class: "bad" }, `${count(known.up)} of ${count(known.all)} up`);
}

/** The page of a kind of object; `route.query` holds search, filter, order and page. */
export function list(kind, title) {
  return {
    title,
    tools: (route, go) => tools(kind, title, route, go),
    async load(route) {
      const query = Object.fromEntries(route.query);
      const [page, overview] = await Promise.all([
        ask(`http/${kind}`, { search: query.search, status: query.status, sortBy: query.sortBy, direction: query.direction, page: query.page, per_page: PAGE }),
        ask("overview"),
      ]);
      return { objects: page.data, next: page.next, counts: overview.data.http[kind] };
    },
    render(data, route, go) {
      const query = Object.fromEntries(route.query);
      if (data.objects.length === 0) return nothing(title, query);
      return [table(kind, title, data.objects, query, go), pages(data, query, go, query.search ? null : amount(data.counts, query.status ?? ""))];
    },
  };
}

function tools(kind, title, route, go) {
  const search = searchBox(route, go, kind === "routers" ? "Search names and rules" : "Search names");
  const filters = FILTERS.map(([value, word]) =>
    h("button", { type: "button", class: "filter", "data-status": value, onclick: () => go({ status: value, page: "" }) }, h("span", { class: `dot ${value || "all"}`, "aria-hidden": "true" }), word, h("span", { class: "filter-count" })),
  );
  const bar = h("div", { class: "tools" }, h("h1", {}, title), search, h("div", { class: "filters", role: "group", "aria-label": "Status" }, filters));
  return {
    element: bar,
    update(current, data) {
      const chosen = current.query.get("status") ?? "";
      for (const button of filters) {
        button.setAttribute("aria-pressed", String(button.dataset.status === chosen));
        if (data) button.querySelector(".filter-count").textContent = count(amount(data.counts, button.dataset.status));
      }
      const input = search.querySelector("input");
      if (document.activeElement !== input) input.value = current.query.get("search") ?? "";
    },
  };
}

function amount(counts, status) {
  if (status === "disabled") return counts.errors;
  if (status === "warning") return counts.warnings;
  if (status === "enabled") return counts.total - counts.errors - counts.warnings;
  return counts.total;
}

function searchBox(route, go, label) {
  let timer;
  const input = h("input", { type: "search", placeholder: label, "aria-label": label, value: route.query.get("search") ?? "", autocomplete: "off", spellcheck: "false", id: "search" });
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => go({ search: input.value.trim(), page: "" }), 200);
  });
  return h("label", { class: "search" }, icon("search"), input, h("kbd", { "aria-hidden": "true" }, "/"));
}

function table(kind, title, objects, query, go) {
  const columns = COLUMNS[kind];
  const sorted = query.sortBy || "name";
  const descending = query.direction === "desc";
  const head = columns.map((column) => {
    if (!column.sort) return h("th", { scope: "col", role: "columnheader", class: column.class }, column.title);
    const current = column.sort === sorted;
    const turn = { sortBy: column.sort === "name" ? "" : column.sort, direction: current && !descending ? "desc" : "", page: "" };
    return h(
      "th",
      { scope: "col", role: "columnheader", class: column.class, "aria-sort": current ? (descending ? "descending" : "ascending") : null },
      h("button", { type: "button", class: "sort", "data-key": `sort-${column.sort}`, onclick: () => go(turn) }, column.title, h("span", { class: "arrow", "aria-hidden": "true" }, current ? (descending ? "↓" : "↑") : "")),
    );
  });
  const rows = objects.map((one) => h("tr", { role: "row", class: one.status }, columns.map((column) => h("td", { role: "cell", class: column.class, "data-title": column.title }, column.cell(one)))));
  return h("div", { class: "table-frame panel" }, h("table", { role: "table", class: kind, "aria-label": title }, h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, head)), h("tbody", { role: "rowgroup" }, rows)));
}

/** Where the page lies and the ways to its neighbours; `total` is null where nobody counted. */
function pages(data, query, go, total) {
  const page = Number(query.page || 1);
  const start = (page - 1) * PAGE + 1;
  const end = start + data.objects.length - 1;
  const more = data.next > 1;
  const text = total === null ? (page === 1 && !more ? plural(end, "result") : `${count(start)}–${count(end)}`) : `${count(start)}–${count(end)} of ${count(total)}`;
  if (page === 1 && !more) return h("p", { class: "pages quiet", "aria-live": "polite" }, text);
  return h(
    "nav",
    { class: "pages", "aria-label": "Pages" },
    h("button", { type: "button", class: "button", "data-key": "previous", disabled: page <= 1, onclick: () => go({ page: page > 2 ? page - 1 : "" }, true) }, "Previous"),
    h("span", { class: "quiet", "aria-live": "polite" }, text),
    h("button", { type: "button", class: "button", "data-key": "next", disabled: !more, onclick: () => go({ page: data.next }, true) }, "Next"),
  );
}

function nothing(title, query) {
  const what = title.toLowerCase();
  if (query.search || query.status) {
    const words = { enabled: "working", warning: "with a warning", disabled: "with an error" };
    const filter = query.status ? ` ${words[query.status] ?? query.status}` : "";
    return empty(`No ${what}${filter}${query.search ? ` named like “${query.search}”` : ""}`, null, h("p", {}, h("a", { class: "button", href: `#/http/${what}`, "data-key": "clear" }, "Show all")));
  }
  return empty(`No ${what} yet`, "They appear here as soon as a provider brings some.");
}

/** Problems that no object carries. */
export const problems = {
  title: "Source problems",
  tools(route, go) {
    const search = searchBox(route, go, "Search objects, reasons and files");
    return { element: h("div", { class: "tools" }, h("h1", {}, "Source problems"), search), update() {} };
  },
  async load(route) {
    const query = Object.fromEntries(route.query);
    const page = await find("problems", { search: query.search, page: query.page, per_page: PAGE });
    return { objects: page?.data ?? [], next: page?.next ?? 1 };
  },
  render(data, route, go) {
    const query = Object.fromEntries(route.query);
    if (data.objects.length === 0) {
      return query.search ? empty(`No problem like “${query.search}”`) : empty("No problems", "Every source was read, and every object in it was understood.");
    }
    return [h("ul", { class: "findings panel" }, data.objects.map(problem)), pages(data, query, go, null)];
  },
};
