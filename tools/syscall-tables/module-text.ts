export interface ModuleContent {
  /** Lines of the comment in front. */
  readonly comment: readonly string[];
  /** Of the constant. */
  readonly name: string;
  /** Properties, each a string of words. */
  readonly entries: readonly (readonly [key: string, words: readonly string[]])[];
}

/** A module with one constant: an object of long strings, broken into lines. */
export function moduleText({ comment, name, entries }: ModuleContent): string {
  return [
    "/**",
    ...comment.map((line) => ` * ${line}`.trimEnd()),
    " */",
    `export const ${name} = {`,
    ...entries.flatMap(([key, words]) => property(/^\w+$/.test(key) ? key : JSON.stringify(key), words)),
    "} as const;",
    "",
  ].join("\n");
}

const WIDTH = 120;

function property(key: string, words: readonly string[]): string[] {
  const whole = `  ${key}: "${words.join(" ")}",`;
  if (whole.length <= WIDTH) return [whole];
  const lines = brokenInto(words.join(" ").split(" "), WIDTH - '    "" +'.length - 1);
  const last = lines.length - 1;
  return [`  ${key}:`, ...lines.map((line, index) => (index < last ? `    "${line} " +` : `    "${line}",`))];
}

function brokenInto(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
