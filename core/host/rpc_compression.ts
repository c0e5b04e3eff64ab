/** gzip for Connect, gRPC and gRPC-Web. */

import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";

const compress = promisify(gzip);
const decompress = promisify<Uint8Array, { maxOutputLength: number }, Uint8Array<ArrayBuffer>>(gunzip);

/** The library's own comes with its adapters for node, which take 50 ms to load. Output is limited while it arises. */
export const rpcGzip: Compression = {
  name: "gzip",
  compress: async (bytes) => await compress(bytes) as Uint8Array<ArrayBuffer>,
  decompress: async (bytes, maxBytes) => {
    if (bytes.length === 0) return new Uint8Array(0); // as an empty message is sent
    try {
      return await decompress(bytes, { maxOutputLength: maxBytes });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
        const message = `message is larger than ${maxBytes} bytes after decompression`;
        throw new ConnectError(message, Code.ResourceExhausted);
      }
      throw new ConnectError("cannot decompress the message: it is no whole gzip", Code.InvalidArgument);
    }
  },
};
