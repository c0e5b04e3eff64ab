/** `wasimoff cert`: makes certificates for development, and shows what is in any. */

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

async function show(place: string, json: boolean, signal: AbortSignal): Promise<void> {
  const certificate = await findCertificate(place, signal);
  const lines = describeCertificate(certificate, Date.now()).split("\n").map(printable);
  await printLine(json ? JSON.stringify({ schema: 1, ...certificateJson(certificate) }) : lines.join("\n"));
}
