/** Paths on their way through the Brickchain tunneling proxy, which carries them decoded (brickchain.md 2, 7.3). */

/** Path and query of a request target as the documents have them; null for a path that is not UTF-8. */
export function splitTarget(target: string): { url: string; query: string } | null {
  const end = target.indexOf("?");
  const path = end < 0 ? target : target.slice(0, end);
  const url = decodePath(path);
  return url === null ? null : { url, query: end < 0 ? "" : target.slice(end + 1) };
}

export function decodePath(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null; // a percent sign without two digits, or bytes that are no text
  }
}

/** A request target; what was an encoded slash has become one. Null for text that cannot be encoded. */
export function joinTarget(url: string, query: string): string | null {
  if (!url.isWellFormed() || /[^\x21-\x7e]/.test(query) || query.includes("#")) return null;
  const path = encodeURI(url).replace(/[?#]/g, encodeURIComponent);
  return `${path.startsWith("/") ? "" : "/"}${path}${query === "" ? "" : `?${query}`}`;
}
