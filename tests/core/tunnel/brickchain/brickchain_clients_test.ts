import { strictEqual, throws } from "node:assert/strict";
import {
  BrickchainClients,
  MAX_CLIENTS,
  MAX_LINKS_PER_CLIENT,
} from "../../../../core/tunnel/brickchain/brickchain_clients.ts";

const link = (suspect = false) => ({ suspect });

Deno.test("the newest connection of an id serves, the one before it when that ends or falls silent", () => {
  const clients = new BrickchainClients();
  const [older, newer] = [link(), link()];
  clients.add("a", older);
  clients.add("a", newer);
  strictEqual(clients.find("a"), newer);
  newer.suspect = true;
  strictEqual(clients.find("a"), older);
  older.suspect = true;
  strictEqual(clients.find("a"), newer);
  clients.remove("a", newer);
  strictEqual(clients.find("a"), older);
  clients.remove("a", older);
  strictEqual(clients.find("a"), null);
  strictEqual(clients.has("a"), false);
});

Deno.test("registering again makes a connection the newest", () => {
  const clients = new BrickchainClients();
  const [one, two] = [link(), link()];
  clients.add("a", one);
  clients.add("a", two);
  clients.add("a", one);
  strictEqual(clients.find("a"), one);
  clients.remove("a", one);
  strictEqual(clients.find("a"), two);
});

Deno.test("connections of one id and ids are bounded", () => {
  const clients = new BrickchainClients();
  const links = Array.from({ length: MAX_LINKS_PER_CLIENT + 1 }, () => link());
  for (const one of links) clients.add("id0", one);
  for (const one of links.slice(1)) clients.remove("id0", one);
  strictEqual(clients.has("id0"), false);
  for (let i = 0; i < MAX_CLIENTS; i++) clients.add(`id${i}`, link());
  throws(() => clients.add("more", link()), { code: "resource_exhausted" });
  clients.add("id5", link());
  strictEqual(clients.size, MAX_CLIENTS);
});
