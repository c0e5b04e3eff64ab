/** `wasimoff cert`: makes certificates for development, and shows what is in any. */

import { describeAnnounced, findAnnounced } from "./cert_announced.ts";
import { type CertNewOptions, newCertificate, newCertificateTable, trustAdvice } from "./cert_new.ts";
import { certificateJson, describeCertificate, findCertificate } from "./cert_show.ts";
import { type Call, defineCommand } from "./command.ts";
import { COMMON_FLAGS, JSON_FLAG } from "./common_flags.ts";
import { text } from "./flag_kinds.ts";
import { flag } from "./flags.ts";
import { printLine } from "./stdout.ts";
import { didYouMean } from "./suggest.ts";
import { printable } from "./printable.ts";
import { usageError } from "./usage_error.ts";

const FLAGS = {
  out: flag(text, "where a new certificate goes", { short: "o", placeholder: "DIR", default: "." }),
  caDir: flag(text, "where its authority is, or goes [that of -o]", { placeholder: "DIR", default: null }),
  ...JSON_FLAG,
  ...COMMON_FLAGS,
};

export const command = defineCommand({
  name: "cert",
  summary: "make a certificate for development, or show one",
  operands: { usage: "new NAME... | show FILE-OR-URL", min: 1, max: Infinity },
  examples: [
    "wasimoff cert new -o certs localhost 127.0.0.1 broker.lan",
    "wasimoff cert show certs/localhost.pem",
    "wasimoff cert show https://broker.lan:4080",
    "wasimoff cert show http://localhost:4080",
  ],
  flags: FLAGS,
  notes: ["An authority can sign only for the names it was made for, and names below them."],
  run: cert,
});

async function cert({ options, operands, log, signal }: Call<typeof FLAGS>): Promise<number> {
  const [action = "", ...rest] = operands;
  if (action === "new") {
    if (rest.length === 0) throw usageError('an operand is missing: give names, such as "localhost"');
    const { out, caDir } = options;
    await make({ names: rest, out, caDir: caDir ?? out, log }, options.json);
  } else if (action === "show") {
    if (rest.length !== 1) throw usageError('"cert show" takes one operand: give a file or a URL');
    await show(rest[0]!, options.json, signal);
  } else {
    throw usageError(
      `unknown action "${action}" of "cert"${didYouMean(action, ["new", "show"]) || ": give new or show"}`,
    );
  }
  return 0;
}

async function make(options: CertNewOptions, json: boolean): Promise<void> {
  const made = await newCertificate(options);
  await printLine(json ? JSON.stringify({ schema: 1, ...made }) : newCertificateTable(made));
  for (const line of trustAdvice(made)) options.log.info(line);
}

/** Over plain HTTP there is no certificate to see, but a broker says which ones it has for QUIC. */
async function show(place: string, json: boolean, signal: AbortSignal): Promise<void> {
  if (/^http:/i.test(place) && URL.canParse(place)) {
    const announced = await findAnnounced(new URL(place), signal);
    return await print(describeAnnounced(announced), json ? announced : null);
  }
  const certificate = await findCertificate(place, signal);
  await print(describeCertificate(certificate, Date.now()), json ? certificateJson(certificate) : null);
}

async function print(text: string, json: object | null): Promise<void> {
  const lines = text.split("\n").map(printable);
  await printLine(json === null ? lines.join("\n") : JSON.stringify({ schema: 1, ...json }));
}
