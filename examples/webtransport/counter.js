/** The page of the counter: a stream for each click, datagrams for what others do. */

const show = (id, text) => document.getElementById(id).textContent = text;

const { url, hash } = await (await fetch("server.json")).json();
const session = new WebTransport(url, {
  serverCertificateHashes: [{ algorithm: "sha-256", value: Uint8Array.fromHex(hash) }],
  protocols: ["counter.v1"],
});
session.closed.then(
  ({ closeCode, reason }) => show("state", `closed: ${closeCode} ${reason}`),
  (error) => show("state", `lost: ${error.message}`),
);
await session.ready;
show("state", `connected to ${url}`);

async function add(step) {
  const { readable, writable } = await session.createBidirectionalStream();
  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode(step));
  await writer.close();
  show("value", await new Response(readable).text());
}

for (const button of document.querySelectorAll("button")) {
  button.onclick = () => add(button.value).catch((error) => show("state", error.message));
  button.disabled = false;
}

for await (const datagram of session.datagrams.readable) {
  const { value, people } = JSON.parse(new TextDecoder().decode(datagram));
  show("value", value);
  show("people", people === 1 ? "only you are here" : `${people} are here`);
}
