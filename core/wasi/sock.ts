/** sock_*: no guest has a socket, so all there is to say is what the descriptor is instead. */

import { ERRNO } from "./abi.ts";
import type { FunctionTable, WasiFunction } from "./function_table.ts";

const notASocket: WasiFunction = (guest, fd: number) => {
  guest.descriptors.get(fd);
  return ERRNO.NOTSOCK;
};

export const SOCK: FunctionTable = {
  sock_accept: notASocket,
  sock_recv: notASocket,
  sock_send: notASocket,
  sock_shutdown: notASocket,
};
