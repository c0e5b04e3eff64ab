/** One exchange of an HTTP tunnel as a piece of a page. */

import { escapeHtml } from "../tunnel/error_page.ts";
import type { Exchange, RecordedMessage } from "../tunnel/exchange_log.ts";

/** HTML that shows it; everything in it that came from elsewhere is escaped. */
export function inspectFragment(exchange: Exchange): string {
  const { id, method, target, request, answer, startedAt } = exchange;
  const status = answer === null ? "…" : String(answer.status);
  const kind = answer === null ? "open" : `s${Math.floor(answer.status / 100)}`;
  return `<details id="x${id}"><summary><b>${escapeHtml(method)}</b><span>${escapeHtml(target)}</span>` +
    `<em class="${kind}">${status}</em><small>${took(exchange)}</small></summary>` +
    `<p>${new Date(startedAt).toISOString()}</p>` +
    section("Request", request) +
    (answer === null ? "" : section(`Answer: ${answer.status} ${answer.reason}`, answer)) +
    `</details>`;
}

function took({ tookMs }: Exchange): string {
  if (tookMs === null) return "";
  return tookMs < 10_000 ? `${Math.round(tookMs)} ms` : `${(tookMs / 1_000).toFixed(1)} s`;
}

function section(title: string, message: RecordedMessage): string {
  const rows: string[] = [];
  for (let i = 0; i < message.headers.length; i += 2) {
    const [name, value] = [message.headers[i]!, message.headers[i + 1]!];
    rows.push(`<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`);
  }
  return `<h2>${escapeHtml(title)}</h2><table>${rows.join("")}</table>${body(message)}`;
}

function body({ body, bodyBytes }: RecordedMessage): string {
  if (bodyBytes === 0) return "";
  const shown = body.reduce((sum, { length }) => sum + length, 0);
  const text = printable(body);
  const more = shown < bodyBytes && text !== null ? `, the first ${shown} shown` : "";
  const kind = text === null ? " of what is no text" : "";
  return `<p>${bodyBytes} bytes${kind}${more}</p>${text === null ? "" : `<pre>${escapeHtml(text)}</pre>`}`;
}

/** null for what is no text. */
function printable(chunks: readonly Uint8Array[]): string | null {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    // The end may be cut within a character: it is not flushed.
    const text = chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("");
    // deno-lint-ignore no-control-regex -- these are what makes it no text
    return /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}
