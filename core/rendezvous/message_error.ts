/** What is wrong with a message of a peer, in words that it may see. */
export class MessageError extends Error {}
