/** Puts a local proxy that writes down what passes between an HTTP tunnel and its service. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { pipePair } from "../byte_pipe.ts";
import type { ByteDuplex } from "../byte_stream.ts";
import { endToEndHeaders } from "../tunnel/end_to_end_headers.ts";
import type { ExchangeLog } from "../tunnel/exchange_log.ts";
import type { ReachService } from "../tunnel/tunnel_client.ts";
import { DuplexSocket } from "./duplex_socket.ts";
import { ForwardedRequest, type ForwardOptions } from "./forwarded_request.ts";
import { ServiceAgent } from "./service_agent.ts";
import { switchOver } from "./splice.ts";
import { upgradeAnswer } from "./upgrade_answer.ts";
import { writeFailure } from "./write_failure.ts";

/** Larger than what brokers let through, who add headers of their own. */
const MAX_HEADER_BYTES = 64 * 1024;
/** The broker in front has shorter limits, whose pages visitors should see. */
const SILENCE_MS = 600_000;

/** Reaches a service so that `log` hears of each request. */
export function inspectingReach(reach: ReachService, log: ExchangeLog): ReachService {
  const agents = new WeakMap<object, ServiceAgent>();
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: 0, requestTimeout: 0 });
  // A server that does not listen hangs up after each answer, on bytes that are still on their way.
  Object.defineProperty(server, "listening", { value: true });
  const forward = (
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    switched?: ForwardOptions["switched"],
  ) =>
    forwardRecorded(incoming, outgoing, {
      agent: agents.get(incoming.socket)!,
      log,
      ...(switched === undefined ? {} : { switched }),
    });
  server.on("request", (incoming, outgoing) => forward(incoming, outgoing));
  server.on("checkContinue", (incoming, outgoing) => forward(incoming, outgoing));
  server.on("upgrade", (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    const outgoing = upgradeAnswer(incoming, socket);
    forward(incoming, outgoing, (...switched) => switchOver({ socket, outgoing, head }, ...switched));
  });
  return async (visitor, signal) => {
    // Reached before the visitor is told so; further connections only when this one is used up.
    let first: ByteDuplex | null = await reach(visitor, signal);
    const [ours, theirs] = pipePair();
    const socket = new DuplexSocket(ours);
    const agent = new ServiceAgent(() => {
      const ready = first;
      first = null;
      return ready === null ? reach(visitor, new AbortController().signal) : Promise.resolve(ready);
    });
    agents.set(socket, agent);
    socket.once("close", () => {
      agent.destroy();
      if (first !== null) new DuplexSocket(first).destroy();
    });
    server.emit("connection", socket);
    return theirs;
  };
}

interface RecordedOptions extends Pick<ForwardOptions, "agent" | "switched"> {
  readonly log: ExchangeLog;
}

function forwardRecorded(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { agent, log, switched }: RecordedOptions,
): void {
  const { method = "", url: target = "", rawHeaders } = incoming;
  const recording = log.begin({ method, target, headers: rawHeaders });
  new ForwardedRequest(incoming, outgoing, {
    agent,
    path: target,
    headers: endToEndHeaders(rawHeaders),
    silenceMs: SILENCE_MS,
    fail: (failure) => {
      recording.answer(failure.status, failure.title, []);
      writeFailure(incoming, outgoing, failure);
    },
    onAnswer: ({ statusCode = 0, statusMessage = "", rawHeaders }) =>
      recording.answer(statusCode, statusMessage, rawHeaders),
    onBody: (chunk) => recording.answerBody(chunk),
    onRequestBody: (chunk) => recording.requestBody(chunk),
    ...(switched === undefined ? {} : {
      switched: (answer, service, head) => {
        service.once("close", () => recording.ended());
        switched(answer, service, head);
      },
    }),
  });
  outgoing.once("close", () => recording.ended());
}
