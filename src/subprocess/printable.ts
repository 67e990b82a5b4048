/**
 * Foreign text made fit for a message to a person: control characters, line and paragraph separators and the marks that
 * reverse the direction of text are shown as `\u{…}`, a backslash as two, and what is longer than `limit` is cut.
 */
export function printable(text: string, limit = 500): string {
  const shown = text.slice(0, limit).replace(unprintable, escaped);
  return text.length > limit ? `${shown}…` : shown;
}

const unprintable = /[\\\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

function escaped(character: string): string {
  return character === "\\" ? "\\\\" : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
