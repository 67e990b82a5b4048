import { aspects } from "../plan/guarantees.js";
import { runOptionTable } from "./run-options.js";

export const mainHelp = `Usage: gio-sandbox COMMAND

Runs programs in a sandbox.

Commands:
  run        run a command in a sandbox of its own
  explain    say what a sandbox would hold, and show the files that a command would see
  check      say which kinds of sandbox work on this machine, and what to do about those that don't

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

export const explainHelp = `Usage: gio-sandbox explain [--json] [OPTION…] [[--] COMMAND [ARGUMENT…]]

Says what would hold for a command that gio-sandbox run starts with the same options: for each aspect what it could reach,
by what it is held, and what the command would observe; and below it the file system that it would see. Nothing is run.

Options:
  --json                        print it as JSON, together with what can be compared by a machine
  and those of gio-sandbox run

Aspects: ${aspects.join(", ")}.

Exit status: 0; 1 if what is required could not be enforced; 125 if the options are wrong or cannot be granted.

Examples:
  gio-sandbox explain --share=network --filesystem="$PWD:ro"
  gio-sandbox explain --json --profile=thumbnailer | jq '.guarantees[] | {aspect, access}'
`;

export const checkHelp = `Usage: gio-sandbox check [--json]

Tries which kinds of sandbox work on this machine, and says of those that don't why, and what to do about it.

Options:
  --json                        print it as JSON

Exit status: 0 if gio-sandbox can make sandboxes here, 1 if it cannot.

Example:
  gio-sandbox check || sudo apt install bubblewrap
`;

function optionLines(): string {
  return [...runOptionTable]
    .map(([name, { value, help }]) => `  ${`${name}=${value}`.padEnd(28)}  ${help}`)
    .join("\n");
}
