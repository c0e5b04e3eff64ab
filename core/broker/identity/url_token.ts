/** Where existing programs put a token: they know of none, and have only the URL to give. */

/**
 * The token of `?token=`, or of userinfo in the URL, which clients send as Basic authorization (as the password, or as
 * the user when there is no password); undefined when there is neither.
 */
export function tokenInUrl({ url, headers }: { url: URL; headers: Headers }): string | undefined {
  const token = url.searchParams.get("token");
  if (token !== null && token !== "") return token;
  const basic = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(headers.get("authorization") ?? "")?.[1];
  if (basic === undefined) return undefined;
  const [user = "", ...password] = decodeBase64(basic).split(":");
  return password.join(":") || user || undefined;
}

/** Empty for what is no base64: such a caller has no token. */
function decodeBase64(text: string): string {
  try {
    return atob(text);
  } catch {
    return "";
  }
}
