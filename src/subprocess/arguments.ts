/** Throws a TypeError unless this is an argument vector that a program can be started with. */
export function checkArguments(argv: readonly string[]): void {
  if (!Array.isArray(argv)) throw new TypeError(`Expected an array of strings as argv, but got ${typeof argv}.`);
  argv.forEach((argument: unknown, index) => {
    if (typeof argument !== "string") {
      throw new TypeError(`Expected a string as argv[${index}], but got ${typeof argument}.`);
    }
    if (argument.includes("\0")) throw new TypeError(`argv[${index}] contains a NUL.`);
  });
  if (argv[0] === undefined || argv[0] === "") {
    throw new TypeError("argv names no program: its first element is missing or empty.");
  }
}
