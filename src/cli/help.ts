import { aspects } from "../plan/guarantees.js";
import { runOptionTable, sections } from "./run-options.js";

/** The help for a command; for the program itself if there is no such command. */
export function helpText(command: string | undefined): string {
  return new Map([
    ["run", runHelp],
    ["explain", explainHelp],
    ["check", checkHelp],
  ]).get(command ?? "") ?? mainHelp;
}

/** Where the text of an option begins, and where its lines end. */
const COLUMN = 32;
const WIDTH = 120;

const mainHelp = `Usage: gio-sandbox COMMAND

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

const runHelp = `Usage: gio-sandbox run [OPTION…] [--] COMMAND [ARGUMENT…]

Runs a command in a sandbox: no network, no files of yours, no other processes, no D-Bus, no display; /usr to read, and
a private /tmp and home that end with it. Options grant more, in the words of flatpak run. Of two that speak of the same
thing, the later counts.

${sections.map(sectionHelp).join("\n\n")}
  --help                        show this help

Exit status: that of the command; 128+N if signal N ended it; 124 if it did not end within its timeout, 125 if the sandbox
could not be set up or the options are wrong, 126 if the command cannot be executed, 127 if it was not found.

Examples:
  # what an untrusted converter gets: one file to read, one directory to write to, and no more than this to use
  gio-sandbox run --limit=memory=512M --timeout=30s --filesystem="$PWD/in.png:ro" --filesystem="$PWD/out" -- \\
    convert "$PWD/in.png" "$PWD/out/o.jpg"

  # files through the shell: nothing of the file system is granted at all
  gio-sandbox run -- gdk-pixbuf-csource --help <input >output

  # a profile, and a file to read
  gio-sandbox run --profile=thumbnailer --filesystem="$PWD/in.svg:ro" -- \\
    gdk-pixbuf-thumbnailer "$PWD/in.svg" /dev/stdout >out.png

  # with the network, and a variable
  gio-sandbox run --share=network --env=LANG=C -- curl https://example.org/

  # a program with a window, fonts and settings
  gio-sandbox run --socket=wayland --socket=fallback-x11 --device=dri-try --filesystem=host-fonts \\
    --talk-name=ca.desrt.dconf -- zenity --info

  # an open descriptor
  gio-sandbox run --forward-fd=5 -- sh -c 'cat <&5' 5<notes.txt
`;

const explainHelp = `Usage: gio-sandbox explain [--json] [OPTION…] [[--] COMMAND [ARGUMENT…]]

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

const checkHelp = `Usage: gio-sandbox check [--json]

Tries which kinds of sandbox work on this machine, and says of those that don't why, and what to do about it.

Options:
  --json                        print it as JSON

Exit status: 0 if gio-sandbox can make sandboxes here, 1 if it cannot.

Example:
  gio-sandbox check || sudo apt install bubblewrap
`;

function sectionHelp(section: string): string {
  const lines = [...runOptionTable].filter(([, option]) => option.section === section);
  return [`${section}:`, ...lines.map(([name, { value, help }]) => optionHelp(`${name}=${value}`, help))].join("\n");
}

function optionHelp(usage: string, help: string): string {
  const [first = "", ...rest] = wrapped(help);
  return [`  ${usage.padEnd(COLUMN - 4)}  ${first}`.trimEnd(), ...rest.map((line) => " ".repeat(COLUMN) + line)].join("\n");
}

function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (COLUMN + line.length + word.length >= WIDTH) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
