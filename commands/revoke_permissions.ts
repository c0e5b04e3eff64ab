/** Gives up every permission, for processes that run strangers' programs. */

const REVOKED = ["run", "read", "write", "net", "env", "sys", "ffi", "import"] as const;

/** In the compiled binary they are baked in; nothing brings them back, and nobody is asked. */
export function revokePermissions(): void {
  for (const name of REVOKED) Deno.permissions.revokeSync({ name });
}
