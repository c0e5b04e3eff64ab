/** HTTP over one kept connection, as cheap as it gets: load that costs less than what it measures. */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Requests one after the other; answers must have a Content-Length. */
export class KeepAliveHttp implements Disposable {
  readonly #connection: Deno.TcpConn;
  readonly #host: string;
  readonly #buffer = new Uint8Array(64 * 1024);

  private constructor(connection: Deno.TcpConn, host: string) {
    this.#connection = connection;
    this.#host = host;
  }

  static async connect(hostname: string, port: number): Promise<KeepAliveHttp> {
    const connection = await Deno.connect({ hostname, port });
    connection.setNoDelay(true);
    return new KeepAliveHttp(connection, `${hostname}:${port}`);
  }

  /** The body of the answer; throws for a status other than 200. */
  async post(path: string, body: string): Promise<string> {
    const bytes = encoder.encode(body);
    const head = `POST ${path} HTTP/1.1\r\nHost: ${this.#host}\r\nContent-Length: ${bytes.length}\r\n\r\n`;
    await this.#connection.write(encoder.encode(head + body));
    let filled = 0;
    for (;;) {
      const read = await this.#connection.read(this.#buffer.subarray(filled));
      if (read === null) throw new Error("the connection was closed");
      filled += read;
      const text = decoder.decode(this.#buffer.subarray(0, filled));
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) continue;
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
      if (filled < end + 4 + length) continue;
      if (!text.startsWith("HTTP/1.1 200")) throw new Error(text);
      return text.slice(end + 4);
    }
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}
