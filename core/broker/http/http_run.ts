/** `POST /api/client/run/{name}`: a task by plain HTTP (wasimoff-v1 5.3). */

import { create } from "@bufbuild/protobuf";
import { httpStatus, WasimoffError } from "../../errors.ts";
import type { Logger } from "../../log.ts";
import {
  Task_Wasip1_RequestSchema,
  type Task_Wasip1_Response,
} from "../../protocol/gen/wasimoff/v1/messages_pb.ts";
import type { TasksV1 } from "../tasks_v1.ts";
import type { HttpContext } from "./http_env.ts";
import { RequestBody } from "./request_body.ts";
import { retryAfter } from "./retry_after.ts";
import { readRunHeaders } from "./run_headers.ts";
import { sniffContentType } from "./sniff_content_type.ts";
import { nameInUrl } from "./storage_path.ts";

export interface HttpRunDeps {
  readonly tasks: TasksV1;
  readonly logger: Logger;
}

export const RUN_PATH = "/api/client/run/";

/** The body is the stdin of one task: as much as its output may be. */
const MAX_STDIN_BYTES = 64 * 1024 * 1024;
/** Artifacts as base64: many clients and proxies take no longer headers. */
const MAX_ARTIFACTS_CHARS = 64 * 1024;

/** Answers with stderr and then stdout, whatever the exit status; with the text of an error otherwise. */
export async function runByHttp(context: HttpContext, { tasks, logger }: HttpRunDeps): Promise<Response> {
  if (context.req.method !== "POST") return context.text("method not allowed\n", 405, { allow: "POST" });
  try {
    using body = new RequestBody(context.req.raw, { maxBytes: MAX_STDIN_BYTES, budget: tasks.budget });
    const name = nameInUrl(context.req.url, RUN_PATH);
    const { args, env, rootfs, artifacts } = readRunHeaders(context.env.rawHeaders);
    const request = create(Task_Wasip1_RequestSchema, {
      params: {
        binary: { ref: name },
        ...{ args: [name, ...args], envs: [...env], artifacts: [...artifacts] },
        stdin: await body.bytes(),
        ...(rootfs !== null && { rootfs: { ref: rootfs } }),
      },
    });
    const { signal } = context.req.raw;
    const identity = context.get("identity");
    // The existing broker tells no address here.
    return answer(await tasks.runWasip1(request, { identity, requester: "", signal }));
  } catch (error) {
    if (error instanceof WasimoffError) return refusal(error);
    logger.error("request failed", { error });
    return refusal(new WasimoffError("internal", "request failed inside the broker: see its log"));
  }
}

function answer({ info, result }: Task_Wasip1_Response): Response {
  const headers = new Headers({
    "x-content-type-options": "nosniff",
    // The type is that of foreign bytes: a page of theirs must not act as one of ours.
    "content-security-policy": "sandbox",
  });
  headers.set("x-wasimoff-provider", headerText(info?.provider ?? ""));
  if (result.case !== "ok") {
    headers.set("x-wasimoff-result", "Error");
    headers.set("content-type", "text/plain; charset=utf-8");
    return new Response(result.value ?? "", { headers });
  }
  const { status = 0, stdout = NOTHING, stderr = NOTHING, artifacts } = result.value;
  headers.set("x-wasimoff-result", "Ok");
  headers.set("x-wasimoff-status", String(status));
  if (artifacts?.blob !== undefined) setArtifacts(headers, artifacts.blob);
  const body = new Uint8Array(stderr.length + stdout.length);
  body.set(stderr);
  body.set(stdout, stderr.length);
  headers.set("content-type", sniffContentType(body));
  return new Response(body, { headers });
}

const NOTHING = new Uint8Array(0);

function setArtifacts(headers: Headers, zip: Uint8Array): void {
  const tooLarge = zip.length * 4 / 3 > MAX_ARTIFACTS_CHARS;
  if (!tooLarge) headers.set("x-wasimoff-artifacts", zip.toBase64());
  else headers.set("x-wasimoff-artifacts-omitted", `${zip.length} bytes do not fit: use RunWasip1`);
}

/** Names come from providers: what no header can carry is percent-encoded. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, encodeURIComponent);
}

/** The existing broker answers with the plain text of the error, too, but always with the status 500. */
function refusal({ code, message }: WasimoffError): Response {
  const headers = { "content-type": "text/plain; charset=utf-8", ...retryAfter(code) };
  return new Response(`${message}\n`, { status: httpStatus(code), headers });
}
