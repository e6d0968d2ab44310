// The page itself: which part is shown, and keeping it fresh.

import { ask } from "./api.js";
import { h, replace } from "./dom.js";
import { count } from "./format.js";
import { about, details } from "./detail.js";
import { list, problems } from "./list.js";
import * as overview from "./overview.js";
import { failure } from "./parts.js";

/** How often the page asks again, in milliseconds. */
const PERIOD = 5000;

const content = document.getElementById("content");
const banner = document.getElementById("banner");
const footer = document.getElementById("footer");
const nav = document.getElementById("nav");
const live = document.getElementById("live");
const liveText = document.getElementById("live-text");

const lists = {
  routers: list("routers", "Routers"),
  services: list("services", "Services"),
  middlewares: list("middlewares", "Middlewares"),
};

const SECTIONS = [
  ["overview", "#/", "Overview"],
  ["routers", "#/http/routers", "Routers"],
  ["services", "#/http/services", "Services"],
  ["middlewares", "#/http/middlewares", "Middlewares"],
];

/** The part of the page that the address after `#` means. */
function readRoute() {
  const [path, query = ""] = location.hash.replace(/^#/, "").split("?", 2);
  const segments = path.split("/").filter(Boolean).map(decode);
  const route = { section: "overview", name: "", title: "Overview", query: new URLSearchParams(query), path };
  if (segments[0] === "problems") return { ...route, section: "problems", title: problems.title, view: problems };
  if (segments[0] === "entrypoints" && segments[1]) return { ...route, name: segments[1], title: segments[1], view: details.entrypoints };
  const kind = segments[0] === "http" ? segments[1] : "";
  if (!Object.hasOwn(lists, kind)) return { ...route, view: overview };
  const view = segments[2] ? details[kind] : lists[kind];
  return { ...route, section: kind, name: segments[2] ?? "", title: segments[2] ?? lists[kind].title, view };
}

function decode(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** What is shown now; an answer for what was shown before is dropped. */
let shown = { route: readRoute(), tools: null, body: null, data: null, json: "" };

/** Changes search, filter, order or page of a list. */
function go(changes, isStep = false) {
  const query = new URLSearchParams(shown.route.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "" || value === undefined) query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  const hash = `#${shown.route.path}${text ? `?${text}` : ""}`;
  // Typing in the search box makes no history; pages do.
  if (isStep) history.pushState(null, "", hash);
  else history.replaceState(null, "", hash);
  shown.route = readRoute();
  shown.tools?.update(shown.route, shown.data);
  if (isStep) window.scrollTo({ top: 0 });
  refresh();
}

/** Shows another part of the page. */
function open() {
  const route = readRoute();
  const sameList = shown.tools && shown.route.view === route.view && shown.route.name === route.name;
  if (sameList) {
    shown.route = route;
    shown.tools.update(route, shown.data);
    refresh();
    return;
  }
  const body = h("div", { class: "body" }, h("p", { class: "quiet" }, "Loading…"));
  const tools = route.view.tools?.(route, go) ?? null;
  shown = { route, tools, body, data: null, json: "" };
  tools?.update(route, null);
  content.replaceChildren(...[tools?.element, body].filter(Boolean));
  window.scrollTo({ top: 0 });
  renderNav(null);
  setTitle();
  refresh();
}

let name = "Portway";

function setTitle() {
  document.title = shown.route.section === "overview" && !shown.route.name ? name : `${shown.route.title} · ${name}`;
}

function renderNav(counts) {
  replace(
    nav,
    SECTIONS.map(([section, href, title]) => {
      const total = counts?.[section]?.total;
      const errors = counts?.[section]?.errors ?? 0;
      return h(
        "a",
        { href, "data-key": section, "aria-current": section === shown.route.section ? "page" : null },
        title,
        total !== undefined && h("span", { class: `nav-count ${errors > 0 ? "disabled" : ""}`, title: errors > 0 ? `${count(errors)} with errors` : null }, count(total)),
      );
    }),
  );
}

let busy = null;

/** After a refusal nothing is asked by itself: a browser would show its sign-in dialogue again and again. */
let signedOut = false;

/** Asks for what is shown and draws it where it has changed. */
async function refresh() {
  clearTimeout(timer);
  const asked = shown;
  const route = shown.route;
  const turn = {};
  busy = turn;
  const isCurrent = () => asked === shown && route === shown.route && busy === turn;
  try {
    const [data, version, whole] = await Promise.all([route.view.load(route), ask("version"), ask("overview")]);
    if (!isCurrent()) return;
    const json = JSON.stringify([route.query.toString(), data]);
    if (json !== asked.json) {
      asked.json = json;
      asked.data = data;
      replace(asked.body, route.view.render(data, route, go));
    }
    asked.tools?.update(route, data);
    renderNav(whole.data.http);
    replace(footer, about(version.data, whole.data));
    rename(version.data.dashboardName);
    setTitle();
    banner.replaceChildren();
    signedOut = false;
    liveText.textContent = isLive() ? "Live" : "Paused";
    live.classList.remove("failed");
  } catch (error) {
    if (!isCurrent()) return;
    console.warn(`The dashboard could not be refreshed: ${error.message}`);
    fail(error);
  } finally {
    if (busy === turn) schedule();
  }
}

/** Shows a failure: in place of what is missing, or above what was shown last. */
function fail(error) {
  live.classList.add("failed");
  signedOut = error.status === 401;
  if (isLive()) liveText.textContent = signedOut ? "Signed out" : "Retrying";
  if (shown.data === null || error.status === 404 || error.status === 400) {
    shown.data = null;
    shown.json = "";
    replace(shown.body, failure(error, refresh));
    banner.replaceChildren();
    return;
  }
  const text = error.status ? `The API answered ${error.status}: ${error.message}` : error.message;
  banner.replaceChildren(h("p", {}, `${text} What you see may be out of date.`, error.status === 401 && h("button", { class: "button", type: "button", onclick: () => location.reload() }, "Sign in")));
}

function rename(given) {
  name = given ? `${given} · Portway` : "Portway";
  document.getElementById("brand").textContent = given || "Portway";
}

let timer;

const isLive = () => live.getAttribute("aria-pressed") === "true";

function schedule() {
  clearTimeout(timer);
  if (isLive() && !signedOut && document.visibilityState === "visible") timer = setTimeout(refresh, PERIOD);
}

live.addEventListener("click", () => {
  live.setAttribute("aria-pressed", String(!isLive()));
  liveText.textContent = isLive() ? "Live" : "Paused";
  if (isLive()) refresh();
  else schedule();
});

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && isLive() && !signedOut) refresh();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^(input|textarea|select)$/i.test(document.activeElement?.tagName ?? "")) return;
  const search = document.getElementById("search");
  if (!search) return;
  event.preventDefault();
  search.focus();
});

window.addEventListener("hashchange", open);
window.addEventListener("popstate", () => {
  if (readRoute().path === shown.route.path) open();
});

// The links of the page itself use the hash too.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  content.focus();
});

open();
