/** The page that a visitor of a tunnel gets when there is no answer of the service. */

export interface TunnelFailure {
  /** HTTP status. */
  readonly status: number;
  /** A few words. */
  readonly title: string;
  /** What to do, for people; one sentence. */
  readonly detail: string;
}

export interface ErrorPage {
  readonly contentType: string;
  readonly text: string;
}

/** HTML for who asks for it, else one line of text. */
export function errorPage({ status, title, detail }: TunnelFailure, accept: string): ErrorPage {
  if (!/\btext\/html\b/i.test(accept)) {
    return { contentType: "text/plain; charset=utf-8", text: `${status} ${title}: ${detail}\n` };
  }
  const text = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${status} ${escapeHtml(title)}</title>
<style>${STYLE}</style>
<main>
<p>${status}</p>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(detail)}</p>
</main>
<footer>wasimoff tunnel</footer>
</html>
`;
  return { contentType: "text/html; charset=utf-8", text };
}

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; grid-template-rows: 1fr auto; place-items: center;
  background: light-dark(#f6f5f2, #16171a); color: light-dark(#26282c, #dcdde0); }
main { max-width: 34rem; padding: 2rem 1.5rem; }
main p:first-child { margin: 0; font: 600 .95rem ui-monospace, monospace; color: light-dark(#b4471f, #f09a6c); }
h1 { margin: .2rem 0 .6rem; font-size: 1.7rem; line-height: 1.25; }
footer { padding: 1.5rem; font-size: .85rem; opacity: .6; }
`;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A text as content or attribute of HTML. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);
}
