// The API of the server that this page came from.

/** An answer that is no success. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// Relative, so that it works behind any prefix; without credentials, which `fetch` refuses in an address.
const base = new URL("../api/", document.baseURI);
base.username = "";
base.password = "";
base.hash = "";
base.search = "";

/** How long an answer may take, in milliseconds: time enough for a browser's sign-in dialogue. */
const PATIENCE = 60000;

/** Asks for a path under `/api/`; gives the JSON and the number of the next page. */
export async function ask(path, parameters = {}) {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== "" && value !== undefined && value !== null) url.searchParams.set(name, value);
  }
  let response;
  try {
    response = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  } catch (error) {
    throw new ApiError(0, error.name === "TimeoutError" ? "No answer within a minute." : "No answer.");
  }
  const text = await response.text();
  if (!response.ok) throw new ApiError(response.status, explain(response.status, text));
  try {
    return { data: JSON.parse(text), next: Number(response.headers.get("X-Next-Page") ?? 1) };
  } catch {
    throw new ApiError(response.status, "The answer is no JSON: another server answers at this address.");
  }
}

/** As `ask`, but nothing where the API has no such thing. */
export async function find(path, parameters) {
  try {
    return await ask(path, parameters);
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

/** The path of an object; the name is one segment whatever is in it. */
export function objectPath(kind, name) {
  return `http/${kind}/${encodeURIComponent(name)}`;
}

function explain(status, text) {
  let message = "";
  try {
    message = JSON.parse(text).message ?? "";
  } catch {
    message = "";
  }
  if (message) return message;
  if (status === 401) return "The session is not signed in any more.";
  if (status === 403) return "This address may not see the API.";
  if (status === 404) return "There is no API at this address.";
  if (status >= 500) return "The server could not answer.";
  return text.trim().slice(0, 200);
}
