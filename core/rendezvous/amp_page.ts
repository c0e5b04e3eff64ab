/** Answers inside of a page that AMP caches pass on (snowflake 3.5). */

/** Characters on a line. */
const LINE_CHARS = 32;
/** Readers take no element above 32 KiB. */
const LINES_PER_ELEMENT = Math.floor((32_768 - 1) / (LINE_CHARS + 1));

/** The first character says how the rest is written: standard base64. */
const BASE64_VERSION = "0";

// What every page must have to be taken for AMP (the boilerplate and the order are the specification's).
const HEAD = `<!doctype html>
<html amp>
<head>
<meta charset="utf-8">
<script async src="https://cdn.ampproject.org/v0.js"></script>
<link rel="canonical" href="#">
<meta name="viewport" content="width=device-width">
<style amp-boilerplate>body{-webkit-animation:-amp-start 8s steps(1,end) 0s 1 normal both;-moz-animation:-amp-start 8s steps(1,end) 0s 1 normal both;-ms-animation:-amp-start 8s steps(1,end) 0s 1 normal both;animation:-amp-start 8s steps(1,end) 0s 1 normal both}@-webkit-keyframes -amp-start{from{visibility:hidden}to{visibility:visible}}@-moz-keyframes -amp-start{from{visibility:hidden}to{visibility:visible}}@-ms-keyframes -amp-start{from{visibility:hidden}to{visibility:visible}}@-o-keyframes -amp-start{from{visibility:hidden}to{visibility:visible}}@keyframes -amp-start{from{visibility:hidden}to{visibility:visible}}</style><noscript><style amp-boilerplate>body{-webkit-animation:none;-moz-animation:none;-ms-animation:none;animation:none}</style></noscript>
</head>
<body>
`;

const TAIL = "</body>\n</html>\n";

/** A page whose `pre` elements hold the message; white space in them means nothing. */
export function ampPage(message: string): string {
  const text = BASE64_VERSION + new TextEncoder().encode(message).toBase64();
  const lines = text.match(new RegExp(`.{1,${LINE_CHARS}}`, "g")) ?? [];
  let body = "";
  for (let i = 0; i < lines.length; i += LINES_PER_ELEMENT) {
    body += `<pre>\n${lines.slice(i, i + LINES_PER_ELEMENT).join("\n")}\n</pre>\n`;
  }
  return HEAD + body + TAIL;
}
