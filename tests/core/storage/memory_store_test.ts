import { startHash } from "../../../core/host/hash.ts";
import { MemoryStore } from "../../../core/storage/memory_store.ts";
import { testFileStore } from "../../support/file_store_contract.ts";

testFileStore("MemoryStore", (maxTotalBytes, use) => use(new MemoryStore({ maxTotalBytes, startHash })));
