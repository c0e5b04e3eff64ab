/** Finds another peer that knows the same name, through the rendezvous of a wasimoff broker. Plain WebRTC otherwise. */

/** How often somebody who finds nobody asks again; the broker holds each request for 30 s. */
const MAX_TRIES = 20;

/**
 * Resolves with an open RTCDataChannel to the other peer. Choose a name that strangers do not guess. Rejects when nobody
 * comes, or when `signal` is aborted.
 * @param {string} broker for example "http://localhost:4080"
 * @param {string} name
 * @param {{ iceServers?: RTCIceServer[], signal?: AbortSignal }} [options]
 */
export async function meet(broker, name, { iceServers = [], signal } = {}) {
  const url = new URL(`rendezvous/${encodeURIComponent(name)}`, broker.replace(/\/*$/, "/"));
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const peer = new RTCPeerConnection({ iceServers });
    const channel = peer.createDataChannel("wasimoff");
    const reply = await post(url, await description(peer, await peer.createOffer()), signal);
    if (reply === null) {
      peer.close(); // nobody came: ask again with a fresh offer
      continue;
    }
    if (reply.answer !== undefined) {
      await peer.setRemoteDescription(JSON.parse(reply.answer));
      return await opened(peer, Promise.resolve(channel), signal);
    }
    // The other one was here first. Its offer counts, and ours is dropped.
    peer.close();
    return await answerOffer(url, reply, { iceServers, signal });
  }
  throw new Error(`nobody else has come to "${name}"`);
}

async function answerOffer(url, { offer, id }, { iceServers, signal }) {
  const peer = new RTCPeerConnection({ iceServers });
  const arrived = new Promise((resolve) => {
    peer.ondatachannel = ({ channel }) => resolve(channel);
  });
  await peer.setRemoteDescription(JSON.parse(offer));
  const told = await post(`${url}/${id}`, await description(peer, await peer.createAnswer()), signal);
  if (told === null) throw new Error("the other peer has left");
  return await opened(peer, arrived, signal);
}

/** The description with all candidates: the rendezvous carries one text each way and no more. */
async function description(peer, initial) {
  await peer.setLocalDescription(initial);
  if (peer.iceGatheringState !== "complete") {
    await new Promise((resolve) => {
      peer.addEventListener(
        "icegatheringstatechange",
        () => peer.iceGatheringState === "complete" && resolve(),
      );
    });
  }
  return JSON.stringify(peer.localDescription);
}

/** The broker's answer; null when there is nobody on the other side (any more). */
async function post(url, body, signal) {
  const response = await fetch(url, { method: "POST", body, signal });
  if (response.status === 404) return null;
  const reply = await response.json();
  if (!response.ok) throw new Error(reply.error ?? `HTTP ${response.status}`);
  return reply;
}

/** The channel that is promised, when it is open. Without a way between the peers it never is, and the peer says so. */
function opened(peer, promise, signal) {
  const { promise: failed, reject } = Promise.withResolvers();
  peer.onconnectionstatechange = () => {
    if (peer.connectionState === "failed") reject(new Error("there is no way to the other peer"));
  };
  signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  const open = promise.then((channel) =>
    channel.readyState === "open"
      ? channel
      : new Promise((resolve) => channel.onopen = () => resolve(channel))
  );
  return Promise.race([open, failed]);
}
