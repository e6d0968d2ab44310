// Words for what the API says.

/** The parts of `name@provider`. */
export function split(name) {
  const at = name.lastIndexOf("@");
  return at < 0 ? { base: name, provider: "" } : { base: name.slice(0, at), provider: name.slice(at + 1) };
}

/** A name as an object of a provider means it. */
export function qualify(name, provider) {
  return name.includes("@") || !provider ? name : `${name}@${provider}`;
}

const number = new Intl.NumberFormat("en");

export function count(amount) {
  return number.format(amount);
}

export function plural(amount, one, many = `${one}s`) {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

/** How long ago a moment was, in its largest unit. */
export function since(moment) {
  const seconds = Math.max(0, (Date.now() - Date.parse(moment)) / 1000);
  if (Number.isNaN(seconds)) return "";
  if (seconds < 60) return "less than a minute";
  if (seconds < 3600) return plural(Math.floor(seconds / 60), "minute");
  if (seconds < 86400) return plural(Math.floor(seconds / 3600), "hour");
  return plural(Math.floor(seconds / 86400), "day");
}

export const STATUS = {
  enabled: { word: "Working", icon: "check" },
  warning: { word: "Warning", icon: "alert" },
  disabled: { word: "Error", icon: "cross" },
};

const COMMON = new Set(["error", "status", "usedBy", "serverStatus", "name", "provider", "type"]);

/** The kind of a service or a middleware as users write it, and its settings. */
export function kindOf(object) {
  const kind = Object.keys(object).find((field) => !COMMON.has(field));
  return { kind: kind ?? "", settings: kind ? object[kind] ?? {} : {} };
}

/** The settings of a middleware in a few words. */
export function summary(object) {
  const { kind, settings } = kindOf(object);
  switch (kind) {
    case "addPrefix":
      return settings.prefix ?? "";
    case "stripPrefix":
      return (settings.prefixes ?? []).join(", ");
    case "chain":
      return (settings.middlewares ?? []).map((name) => split(name).base).join(" → ");
    case "basicAuth":
    case "digestAuth":
      return settings.usersFile ? `users of ${settings.usersFile}` : plural((settings.users ?? []).length, "user");
    case "redirectScheme":
      return `to ${settings.scheme ?? ""}${settings.port ? `:${settings.port}` : ""}${settings.permanent ? ", permanent" : ""}`;
    case "redirectRegex":
      return `to ${settings.replacement ?? ""}`;
    case "headers":
      return plural(
        Object.keys(settings.customRequestHeaders ?? {}).length + Object.keys(settings.customResponseHeaders ?? {}).length,
        "header",
      );
    case "rateLimit":
      return `${settings.average ?? 0} per ${settings.period ?? "1s"}`;
    default:
      return "";
  }
}

/** Servers of a service that take requests, and all of them; null where the service has none of its own. */
export function servers(service) {
  if (!service.loadBalancer) return null;
  const all = service.loadBalancer.servers ?? [];
  const down = all.filter((server) => service.serverStatus?.[server.url] === "DOWN").length;
  return { all: all.length, up: all.length - down };
}

/** A rule in pieces: `{ text, kind }` with kinds `matcher`, `text`, `operator` and `plain`. */
export function ruleParts(rule) {
  const pieces = rule.match(/`[^`]*`|"(?:[^"\\]|\\.)*"|&&|\|\||!|[A-Za-z]+(?=\s*\()|[^`"&|!A-Za-z]+|[A-Za-z]+|./gs) ?? [];
  return pieces.map((text, at) => {
    if (/^[`"].*[`"]$/s.test(text) && text.length > 1) return { text, kind: "text" };
    if (text === "&&" || text === "||" || text === "!") return { text, kind: "operator" };
    if (/^[A-Za-z]+$/.test(text) && /^\s*\(/.test(pieces[at + 1] ?? "")) return { text, kind: "matcher" };
    return { text, kind: "plain" };
  });
}
