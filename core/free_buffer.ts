/** Gives memory back without waiting for the garbage collector, which large buffers keep busy. */

/** Views of the buffer are empty from now on: whoever still has one sees no bytes, and never those of others. */
export function freeBuffer(buffer: ArrayBufferLike): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}
