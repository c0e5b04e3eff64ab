/** Text of peers and guests on its way to a terminal. */

// deno-lint-ignore no-control-regex -- control characters are what must not reach the terminal
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** The text on one line, with control and direction characters written as `\xNN` so that they do nothing. */
export function printable(text: string): string {
  return text.replace(CONTROL, (character) => {
    if (character === "\n") return "\\n";
    const code = character.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
  });
}
