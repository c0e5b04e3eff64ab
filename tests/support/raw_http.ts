/** A visitor that writes and reads HTTP by hand. */

import { connect, type Socket } from "node:net";
import { within } from "./within.ts";

export class RawVisitor implements Disposable {
  readonly socket: Socket;
  /** Everything that came, as Latin-1. */
  text = "";
  ended = false;
  #changed = Promise.withResolvers<void>();

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    this.socket.setEncoding("latin1");
    this.socket.on("data", (chunk) => this.#change(() => this.text += chunk));
    this.socket.on("end", () => this.#change(() => this.ended = true));
    this.socket.on("error", () => {}); // a reset is an end, too
    this.socket.once("close", () => this.#change(() => this.ended = true));
  }

  /** Sends Latin-1 text. */
  send(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** Waits until what came matches. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.text);
      if (match !== null) return match;
      if (this.ended) throw new Error(`connection ended before ${pattern}: ${JSON.stringify(this.text)}`);
      await within(this.#changed.promise, `${pattern} in ${JSON.stringify(this.text.slice(-300))}`, 5_000);
    }
  }

  /** Waits for the end of what the other side sends; all of it. */
  async end(): Promise<string> {
    while (!this.ended) await within(this.#changed.promise, `end after ${JSON.stringify(this.text)}`, 5_000);
    return this.text;
  }

  #change(change: () => void): void {
    change();
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** One request on a connection of its own; everything that is answered. */
export async function ask(port: number, head: string, body = ""): Promise<string> {
  using visitor = new RawVisitor(port);
  visitor.send(`${head.replaceAll("\n", "\r\n")}\r\nConnection: close\r\n\r\n${body}`);
  return await visitor.end();
}
