import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { arch } from "node:process";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "../node/gsubprocess/children.js";
import { hasProgram, needs } from "./running-init.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const machine = arch === "arm64" ? "aarch64" : "x86_64";

/** Functions that a program without allocation, stdio, a shell or other programs' help has no use for. */
const unwanted = [
  ...["malloc", "calloc", "realloc", "reallocarray", "free", "aligned_alloc", "posix_memalign", "strdup", "asprintf", "brk", "sbrk"],
  ...["fopen", "fdopen", "printf", "fprintf", "sprintf", "snprintf", "vsnprintf", "opendir", "scandir", "getline"],
  ...["system", "popen", "posix_spawn", "posix_spawnp", "execl", "execlp", "execvp", "execvpe", "wordexp", "dlopen"],
  ...["getenv", "secure_getenv", "setenv", "gets", "strcat", "sprintf", "alloca"],
];

/** What a program prints, which must succeed. */
function outputOf(program: string, words: readonly string[], cwd = root): string {
  const { status, stdout, stderr, error } = spawnSync(program, words, { cwd, encoding: "utf8", maxBuffer: 2 ** 27 });
  assert.ifError(error);
  assert.equal(status, 0, stderr);
  return stdout;
}

/** The symbols that nm lists: a type, and a name. */
function symbols(words: readonly string[]): (readonly [type: string, name: string])[] {
  return [...outputOf("nm", words).matchAll(/^[0-9a-f ]*([A-Za-z]) (\S+)$/gm)].map(([, type = "", name = ""]) => [type, name]);
}

/** The only source of gio-sandbox-calls. */
const service = "system-call-service.c";
/**
 * The sources of each program; calls that are in them for certain; how often its code looks at the canary, and in how many
 * places indirect branches may land, at least.
 */
const programs = {
  "gio-sandbox-init": {
    sources: readdirSync(join(root, "src/native")).filter((name) => name.endsWith(".c") && name !== service),
    calls: ["recvmsg", "ppoll"],
    canaries: 20,
    landings: 5,
  },
  "gio-sandbox-calls": { sources: [service, "descriptors.c", "numbers.c"], calls: ["recv", "memfd_create"], canaries: 10, landings: 1 },
};

for (const name of Object.keys(programs)) {
  for (const architecture of new Set([machine, "aarch64"])) describeAsBuilt(name, architecture);
}

for (const name of ["gio-sandbox-init", "gio-sandbox-calls"] as const) describeAsCompiled(name);

/** What can be seen in the program. */
function describeAsBuilt(name: string, architecture: string): void {
  describe(`${name} for ${architecture}, as built,`, () => {
    const program = join(root, "dist/native", architecture, name);

    before(function () {
      needs(this, hasProgram(program), program);
    });

    it("is position-independent and static: it needs no interpreter and no library", () => {
      assert.match(outputOf("readelf", ["-hW", program]), /Type:\s+DYN /);
      assert.match(outputOf("readelf", ["-hW", program]), architecture === "aarch64" ? /Machine:\s+AArch64/ : /Machine:\s+.*X86-64/);
      assert.doesNotMatch(outputOf("readelf", ["-lW", program]), /INTERP/);
      const dynamic = outputOf("readelf", ["-dW", program]);
      assert.match(dynamic, /FLAGS_1.*\bPIE\b/);
      assert.doesNotMatch(dynamic, /NEEDED|RPATH|RUNPATH/);
    });

    it("has no memory that is writable and executable, no executable stack, and relocations that are read-only", () => {
      const headers = [...outputOf("readelf", ["-lW", program]).matchAll(/^ {2}([A-Z_]+) +(?:0x\S+ +){5}([RWE ]+?) +0x/gm)];
      const flags = headers.map(([, type = "", access = ""]) => [type, access.replaceAll(" ", "")] as const);
      assert.ok(flags.filter(([type]) => type === "LOAD").length >= 3, JSON.stringify(flags));
      for (const [type, access] of flags) assert.ok(!(access.includes("W") && access.includes("E")), `${type} ${access}`);
      assert.deepEqual(flags.filter(([type]) => type === "GNU_STACK"), [["GNU_STACK", "RW"]]);
      assert.ok(flags.some(([type]) => type === "GNU_RELRO"));
      const dynamic = outputOf("readelf", ["-dW", program]);
      assert.match(dynamic, /BIND_NOW/);
      assert.doesNotMatch(dynamic, /TEXTREL/);
    });

    it("is small, and has no symbols in it", () => {
      // glibc brings its own start-up, locales and string functions along
      const most = architecture === machine && isMusl() ? 64 * 1024 : 1024 * 1024;
      assert.ok(statSync(program).size <= most, `${statSync(program).size} bytes`);
      assert.doesNotMatch(outputOf("readelf", ["-SW", program]), /\.symtab|\.debug/);
    });
  });
}

/** What can be seen in its objects, its sources and the command that builds it. */
function describeAsCompiled(name: keyof typeof programs): void {
  describe(`${name}, as compiled,`, () => {
    const { sources, calls, canaries, landings } = programs[name];

    it("guards its stack", function () {
      if (machine === "x86_64") {
        // where the canary is, at the entry of each function that has arrays
        const code = outputOf("objdump", ["-d", "--no-show-raw-insn", join(root, "dist/native/x86_64", name)]);
        assert.ok([...code.matchAll(/%fs:0x28/g)].length >= canaries);
        assert.ok([...code.matchAll(/\bendbr64\b/g)].length >= landings, "indirect branches land where they may");
      }
      const objects = join(root, `build/native-aarch64/src/native/${name}.p`);
      needs(this, machine === "x86_64" && hasProgram(objects), "the cross-compiler for aarch64");
      const files = readdirSync(objects).filter((file) => file.endsWith(".o")).map((file) => join(objects, file));
      assert.equal(files.length, sources.length);
      const used = new Set(files.flatMap((file) => symbols(["-u", file])).map(([, symbol]) => symbol));
      assert.ok(used.has("__stack_chk_fail"));
    });

    it("calls nothing that allocates, formats, or runs a shell", () => {
      using directory = temporaryDirectory();
      outputOf("gcc", ["-c", "-Os", "-std=gnu11", "-D_GNU_SOURCE", ...sources.map((file) => join(root, "src/native", file))], directory.path);
      const objects = sources.map((file) => join(directory.path, file.replace(/\.c$/, ".o")));
      const called = symbols(["-u", ...objects]).map(([, symbol]) => symbol);
      assert.ok(calls.every((call) => called.includes(call)), "the list is one of calls");
      assert.deepEqual(called.filter((symbol) => unwanted.includes(symbol.replace(/^__(.*)_chk$/, "$1"))), []);
    });

    it("has no allocator in it, where its C library leaves that out", function () {
      needs(this, isMusl(), "musl-gcc");
      using directory = temporaryDirectory();
      const program = join(directory.path, name);
      // the very command that built it, but for the option that takes the symbols away
      const [compiler = "", ...words] = buildCommand(name).replace(/ -s /, " ").trim().split(/\s+/);
      outputOf(compiler, [...words.slice(0, -1), program], join(root, "build/native"));
      const names = symbols([program]).map(([, symbol]) => symbol);
      assert.ok(names.includes("main") && names.includes("__stack_chk_fail"));
      // musl's fork() calls this one if there is an allocator
      const others = names.filter((symbol) => symbol !== "__malloc_atfork");
      assert.deepEqual(others.filter((symbol) => /malloc|calloc|realloc|^free$|^system$|popen|^exec(l|v|ve|vp|vpe|lp|le)$/.test(symbol)), []);
    });

    it("is compiled without a warning: each is an error", () => {
      const meson = readFileSync(join(root, "src/native/meson.build"), "utf8");
      for (const flag of ["-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wvla"]) assert.ok(meson.includes(`'${flag}'`), flag);
    });
  });
}

/** The last command that makes the program. */
function buildCommand(name: keyof typeof programs): string {
  return outputOf("ninja", ["-C", "build/native", "-t", "commands", `src/native/${name}`]).trim().split("\n").at(-1) ?? "";
}

function isMusl(): boolean {
  return buildCommand("gio-sandbox-init").includes("musl-gcc");
}
