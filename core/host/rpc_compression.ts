/** gzip for Connect, gRPC and gRPC-Web. */

import type { Buffer } from "node:buffer";
import { gunzip, gzip } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";

/** The library's own comes with its adapters for node, which take 50 ms to load. Output is limited while it arises. */
export const rpcGzip: Compression = {
  name: "gzip",
  compress: (bytes) => result((done) => gzip(bytes, done)),
  decompress: async (bytes, maxBytes) => {
    if (bytes.length === 0) return new Uint8Array(0); // as an empty message is sent
    try {
      return await result((done) => gunzip(bytes, { maxOutputLength: maxBytes }, done));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
        const message = `message is larger than ${maxBytes} bytes after decompression`;
        throw new ConnectError(message, Code.ResourceExhausted);
      }
      throw new ConnectError("cannot decompress the message: it is no whole gzip", Code.InvalidArgument);
    }
  },
};

type Done = (error: Error | null, result: Buffer) => void;

function result(start: (done: Done) => void): Promise<Uint8Array<ArrayBuffer>> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
  start((error, bytes) => error === null ? resolve(bytes as Uint8Array<ArrayBuffer>) : reject(error));
  return promise;
}
