/** gzip for Connect, gRPC and gRPC-Web. */

import { Code, ConnectError } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";
import type { Compression } from "@connectrpc/connect/protocol";

/** Output beyond the limit of a message ends it; input that is no gzip is its sender's fault, not ours. */
export const rpcGzip: Compression = {
  name: compressionGzip.name,
  compress: (bytes) => compressionGzip.compress(bytes),
  decompress: (bytes, maxBytes) =>
    compressionGzip.decompress(bytes, maxBytes).catch((error) => {
      const { code } = ConnectError.from(error);
      if (code === Code.ResourceExhausted) throw error;
      throw new ConnectError("cannot decompress the message: it is no whole gzip", Code.InvalidArgument);
    }),
};
