/** How bytes of HTTP/3 were refused. */

import {
  Http3Error,
  type Http3ErrorName,
  type Http3ErrorScope,
} from "../../core/webtransport/http3_error.ts";

/** Name and scope of the Http3Error that is thrown; undefined for none. Other errors go on. */
export function http3Failure(run: () => unknown): readonly [Http3ErrorName, Http3ErrorScope] | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof Http3Error) return [error.http3Name, error.scope];
    throw error;
  }
}
