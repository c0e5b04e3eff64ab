/** The broker's HTTP routes: health, version, metrics, stored files, providers, tasks of existing clients. */

import { Hono } from "hono";
import { WasimoffError } from "../../errors.ts";
import { errorResponse, rpcErrorResponse } from "../../http_error.ts";
import type { FileNames } from "../../storage/file_names.ts";
import type { FileStore } from "../../storage/file_store.ts";
import { type AccessDeps, corsHeaders, requireIdentity } from "./access.ts";
import { CONFIG_PATH, configDocument, type TransportFace } from "./config_document.ts";
import { connectHandler, RPC_PATH } from "./connect_rpc.ts";
import type { HttpEnv } from "./http_env.ts";
import { RUN_PATH, runByHttp } from "./http_run.ts";
import type { RpcDeps } from "./rpc_handlers.ts";
import { downloadFile } from "./storage_download.ts";
import { deleteFile, listFiles } from "./storage_listing.ts";
import { uploadFile } from "./storage_upload.ts";

/** Largest upload unless the operator says otherwise: 1 GiB. */
export const DEFAULT_MAX_UPLOAD_BYTES = 1024 ** 3;

export interface VersionInfo {
  readonly version: string;
  /** Short commit hash, or `devel`. */
  readonly revision: string;
  /** What runs us, e.g. `deno 2.9.6`. */
  readonly runtime: string;
  /** Protocols that peers may speak, in our order of preference. */
  readonly protocols: readonly string[];
}

/** A page for Prometheus. */
export interface MetricsPage {
  readonly contentType: string;
  readonly text: string;
}

export interface HttpAppDeps extends AccessDeps, RpcDeps {
  readonly files: FileStore;
  readonly names: FileNames;
  readonly maxUploadBytes: number;
  readonly version: VersionInfo;
  /** How clients come over WebTransport. */
  transport(): TransportFace;
  /** Plain values, one for each connected provider. */
  providers(): readonly unknown[];
  metrics(): Promise<MetricsPage>;
}

/**
 * Builds the routes. Routes that are added under `/api/` later are covered by the same access rules. Give
 * what HttpEnv binds as the environment of `fetch`.
 */
export function createHttpApp(deps: HttpAppDeps): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.onError((error, { req }) => {
    if (!(error instanceof WasimoffError)) deps.logger.error("request failed", { error });
    return req.path.startsWith(RPC_PATH) ? rpcErrorResponse(error) : errorResponse(error);
  });
  app.notFound(() => errorResponse(new WasimoffError("not_found", "no such path")));
  for (const path of ["/healthz", "/metrics", "/api/*"]) {
    app.use(path, corsHeaders(deps), requireIdentity(deps));
  }
  app.get("/healthz", (context) => context.text("OK\n"));
  app.get("/api/version", (context) => context.json(versionDocument(deps.version)));
  app.get(CONFIG_PATH, (context) => configDocument(context, deps.transport()));
  app.get("/metrics", async (context) => {
    const { contentType, text } = await deps.metrics();
    return context.body(text, 200, { "content-type": contentType });
  });
  app.get("/api/providers", (context) => context.json({ schema: 1, providers: deps.providers() }));
  app.get("/api/storage", (context) => listFiles(context, deps));
  app.post("/api/storage/upload", (context) => uploadFile(context, deps));
  app.get("/api/storage/*", (context) => downloadFile(context, deps));
  app.delete("/api/storage/*", (context) => deleteFile(context, deps));
  app.all(`${RUN_PATH}*`, (context) => runByHttp(context, deps));
  app.all(`${RPC_PATH}*`, connectHandler(deps));
  return app;
}

/** `go`, `package` and `revision` are what clients of the existing broker read (wasimoff-v1 5.5). */
function versionDocument({ version, revision, runtime, protocols }: VersionInfo): Record<string, unknown> {
  return { go: "", package: "wasimoff", revision, version, runtime, protocols };
}
