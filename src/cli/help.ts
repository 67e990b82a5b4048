import { runOptionTable } from "./run-options.js";

export const mainHelp = `Usage: gio-sandbox COMMAND

Runs programs in a sandbox.

Commands:
  run        run a command in a sandbox of its own

Options:
  --help     show this help, or that of a command: gio-sandbox run --help
  --version  show the version

Example:
  gio-sandbox run --filesystem="$PWD/photo.jpg:ro" -- file "$PWD/photo.jpg"
`;

export const runHelp = `Usage: gio-sandbox run [OPTION…] [--] COMMAND [ARGUMENT…]

Runs a command in a sandbox: no network, no files of yours, no other processes, no D-Bus, no display; /usr to read, and
a private /tmp and home that end with it. Options grant more.

Options:
${optionLines()}
  --help                        show this help

Exit status: that of the command; 128+N if signal N ended it; 125 if the sandbox could not be set up or the options are
wrong, 126 if the command cannot be executed, 127 if it was not found.

Examples:
  # what an untrusted converter gets: one file to read, one directory to write to
  gio-sandbox run --filesystem="$PWD/in.png:ro" --filesystem="$PWD/out" -- convert "$PWD/in.png" "$PWD/out/o.jpg"

  # files through the shell: nothing of the file system is granted at all
  gio-sandbox run -- gdk-pixbuf-csource --help <input >output

  # with the network, and a variable
  gio-sandbox run --share=network --env=LANG=C -- curl https://example.org/

  # an open descriptor
  gio-sandbox run --forward-fd=5 -- sh -c 'cat <&5' 5<notes.txt
`;

function optionLines(): string {
  return [...runOptionTable]
    .map(([name, { value, help }]) => `  ${`${name}=${value}`.padEnd(28)}  ${help}`)
    .join("\n");
}
