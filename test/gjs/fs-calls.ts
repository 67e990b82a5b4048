/* Calls node:fs in many ways, and writes what each gives to standard output: the same in Node and in GJS, or it should be. */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  open,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_NONBLOCK, O_DIRECTORY, O_NOFOLLOW } = constants;
const O_PATH = 0o10000000;

const directory = mkdtempSync("/tmp/gio-sandbox-fs-");
const at = (name: string): string => `${directory}/${name}`;

function tell(what: string, result: unknown): void {
  const text = JSON.stringify([result], (_key, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));
  writeSync(1, `${what}: ${text.replaceAll(directory, "DIRECTORY")}\n`);
}

function attempt(what: string, act: () => unknown): void {
  try {
    tell(what, act());
  } catch (error) {
    const { code, errno, syscall, path } = error as NodeJS.ErrnoException;
    tell(what, { code, errno, syscall, path });
  }
}

function codeOf(what: string, act: () => unknown): void {
  try {
    tell(what, act());
  } catch (error) {
    tell(what, { code: (error as NodeJS.ErrnoException).code });
  }
}

interface Described {
  readonly dev: unknown;
  readonly ino: unknown;
  readonly mode: unknown;
  readonly nlink: unknown;
  readonly uid: unknown;
  readonly gid: unknown;
  readonly rdev: unknown;
  readonly size: unknown;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isSocket(): boolean;
  isCharacterDevice(): boolean;
  isBlockDevice(): boolean;
}

function described(stats: Described | undefined): unknown {
  if (stats === undefined) return "none";
  const { dev, ino, mode, nlink, uid, gid, rdev, size } = stats;
  const kinds = [stats.isFile(), stats.isDirectory(), stats.isSymbolicLink(), stats.isSocket(), stats.isCharacterDevice()];
  // what is made for each run differs
  const isOld = stats.isCharacterDevice();
  return { ...(isOld ? { dev, ino } : { dev: typeof dev, ino: typeof ino }), mode, nlink, uid, gid, rdev, size, kinds, block: stats.isBlockDevice() };
}

function withDescriptor(path: string, flags: number, use: (descriptor: number) => unknown): unknown {
  const descriptor = openSync(path, flags);
  try {
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const buffer = new Uint8Array(16);
const bytes = (length: number): number[] => [...buffer.subarray(0, length)];

attempt("constants", () => ({ O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_NONBLOCK, O_DIRECTORY, O_NOFOLLOW }));
attempt("more constants", () => [constants.F_OK, constants.R_OK, constants.W_OK, constants.X_OK]);
attempt("mkdtemp's mode", () => described(statSync(directory)));
codeOf("mkdtemp in a directory that is not there", () => mkdtempSync("/nowhere/gio-"));

attempt("writeFile", () => writeFileSync(at("file"), "Grüße\n"));
attempt("writeFile with a mode", () => writeFileSync(at("secret"), new Uint8Array([255, 0, 128]), { mode: 0o600 }));
attempt("writeFile to a directory", () => writeFileSync(directory, ""));
attempt("readFile", () => [...readFileSync(at("file"))]);
attempt("readFile as UTF-8", () => readFileSync(at("file"), "utf8"));
attempt("readFile as Latin-1", () => readFileSync(at("secret"), "latin1"));
attempt("readFile of /proc", () => readFileSync("/proc/sys/kernel/ostype", "latin1"));
attempt("readFile of /proc/self", () => readFileSync("/proc/self/cmdline").length > 0);
attempt("readFile of nothing", () => readFileSync("/nowhere", "latin1"));
attempt("readFile of a directory", () => readFileSync(directory, "latin1"));
attempt("readFile below a file", () => readFileSync(at("file/below"), "latin1"));

attempt("stat", () => described(statSync(at("file"))));
attempt("stat of a secret", () => described(statSync(at("secret"), { bigint: true })));
attempt("stat of a device", () => described(statSync("/dev/null")));
attempt("stat of a device, with bigint", () => described(statSync("/dev/null", { bigint: true })));
attempt("stat of nothing", () => statSync("/nowhere"));
attempt("stat of nothing, allowed", () => described(statSync("/nowhere", { throwIfNoEntry: false })));
attempt("stat below a file", () => statSync(at("file/below")));
attempt("stat of too long a path", () => statSync(at("x".repeat(5000))).size);
attempt("stat of too long a name", () => statSync(at("x".repeat(300))).size);
attempt("stat of an empty path", () => statSync(""));
codeOf("stat of a path with a NUL", () => statSync("/dev\0/null"));
attempt("stat of a relative path", () => statSync(".").isDirectory());
attempt("lstat of a link", () => described(lstatSync("/proc/self/exe")));
attempt("lstat of nothing, allowed", () => described(lstatSync("/nowhere", { throwIfNoEntry: false })));
attempt("lstat of nothing", () => lstatSync("/nowhere"));
attempt("fstat", () => withDescriptor(at("file"), O_RDONLY, (fd) => described(fstatSync(fd))));
attempt("fstat with bigint", () => withDescriptor("/dev/null", O_RDWR, (fd) => described(fstatSync(fd, { bigint: true }))));
attempt("fstat of a link", () => withDescriptor("/proc/self/exe", O_PATH | O_NOFOLLOW, (fd) => described(fstatSync(fd))));
attempt("fstat of what is not open", () => fstatSync(1000));
attempt("fstat is stat", () =>
  withDescriptor(at("file"), O_PATH, (fd) => fstatSync(fd, { bigint: true }).ino === statSync(at("file"), { bigint: true }).ino),
);

attempt("open of nothing", () => openSync("/nowhere", O_RDONLY));
attempt("open of what is there already", () => openSync(at("file"), O_WRONLY | O_CREAT | O_EXCL, 0o600));
attempt("open of a file as a directory", () => openSync(at("file"), O_RDONLY | O_DIRECTORY));
attempt("open of a link", () => openSync("/proc/self/exe", O_RDONLY | O_NOFOLLOW));
attempt("open of a directory to write", () => openSync(directory, O_WRONLY));
attempt("close of what is not open", () => closeSync(1000));
attempt("open of an O_PATH descriptor's place", () =>
  withDescriptor(directory, O_PATH | O_DIRECTORY, (fd) =>
    withDescriptor(`/proc/self/fd/${fd}/file`, O_RDONLY, (file) => bytes(readSync(file, buffer))),
  ),
);

attempt("read in parts", () =>
  withDescriptor(at("file"), O_RDONLY | O_NONBLOCK, (fd) => {
    const lengths = [readSync(fd, buffer, 0, 5, null), readSync(fd, buffer, 5, 11, null), readSync(fd, buffer)];
    return [lengths, bytes(8)];
  }),
);
attempt("read at a place", () =>
  withDescriptor(at("file"), O_RDONLY, (fd) => {
    const lengths = [readSync(fd, buffer, 1, 3, 2), readSync(fd, buffer, 4, 3, null), readSync(fd, buffer, 0, 4, 100)];
    return [lengths, bytes(8)];
  }),
);
attempt("read of a directory", () => withDescriptor(directory, O_RDONLY, (fd) => readSync(fd, buffer)));
attempt("write in parts and at a place", () => {
  withDescriptor(at("new"), O_RDWR | O_CREAT | O_TRUNC, (fd) => {
    const data = new TextEncoder().encode("abcdef");
    tell("lengths", [writeSync(fd, data), writeSync(fd, "ü"), writeSync(fd, data, 2, 2, 1), writeSync(fd, data, 4)]);
  });
  return readFileSync(at("new"), "utf8");
});

attempt("exists", () => [existsSync(at("file")), existsSync("/nowhere"), existsSync("/dev\0"), existsSync("/proc/self/fd/0")]);
attempt("access", () => accessSync("/bin/sh", constants.X_OK));
attempt("access of nothing", () => accessSync("/nowhere"));
attempt("access of what cannot be executed", () => accessSync(at("file"), constants.X_OK));
attempt("readlink of a descriptor", () => withDescriptor(at("file"), O_PATH, (fd) => readlinkSync(`/proc/self/fd/${fd}`)));
attempt("readlink of a file", () => readlinkSync(at("file")));
attempt("readlink of nothing", () => readlinkSync("/nowhere"));
attempt("realpath", () => realpathSync(at("../.././proc/sys//kernel/")));
attempt("realpath of a file", () => realpathSync(`${directory}//file`));
codeOf("realpath of nothing", () => realpathSync("/nowhere"));

attempt("mkdir", () => mkdirSync(at("a"), { mode: 0o700 }));
attempt("the mode of that", () => described(statSync(at("a"))));
attempt("mkdir again", () => mkdirSync(at("a")));
attempt("mkdir in nothing", () => mkdirSync(at("b/c")));
attempt("mkdir of all", () => mkdirSync(at("a/b/c/d/"), { recursive: true, mode: 0o750 }));
attempt("mkdir of all again", () => mkdirSync(at("a/b/c/d"), { recursive: true }));
attempt("the mode of what is between", () => described(statSync(at("a/b"))));
attempt("mkdir of all at a file", () => mkdirSync(at("file"), { recursive: true }));
codeOf("mkdir of all below a file", () => mkdirSync(at("file/a/b"), { recursive: true }));
attempt("readdir", () => readdirSync(directory));
attempt("readdir with types", () =>
  readdirSync(directory, { withFileTypes: true }).map((entry) => [entry.name, entry.isFile(), entry.isDirectory()]),
);
attempt("readdir of devices", () =>
  readdirSync("/dev", { withFileTypes: true }).filter((entry) => entry.isCharacterDevice()).some(({ name }) => name === "null"),
);
attempt("readdir of links", () =>
  readdirSync("/proc/self/fd", { withFileTypes: true }).slice(0, 2).map((entry) => [entry.name, entry.isSymbolicLink()]),
);
attempt("readdir of nothing", () => readdirSync("/nowhere"));
attempt("readdir of a file", () => readdirSync(at("file")));

attempt("rename", () => {
  renameSync(at("new"), at("newer"));
  return [existsSync(at("new")), existsSync(at("newer"))];
});
codeOf("rename of nothing", () => renameSync(at("new"), at("newest")));
attempt("unlink", () => unlinkSync(at("newer")));
attempt("unlink again", () => unlinkSync(at("newer")));
codeOf("unlink of a directory", () => unlinkSync(at("a")));
attempt("rmdir of what is not empty", () => rmdirSync(at("a")));
attempt("rmdir", () => rmdirSync(at("a/b/c/d")));
attempt("rmdir again", () => rmdirSync(at("a/b/c/d")));
attempt("rm of nothing", () => rmSync(at("nothing"), { force: true }));
codeOf("rm of nothing, not allowed", () => rmSync(at("nothing")));
attempt("rm of a tree", () => {
  rmSync(directory, { recursive: true });
  return existsSync(directory);
});

export const done = new Promise<void>((resolve) => {
  open("/nowhere", O_RDONLY, 0o666, (error) => {
    tell("open later of nothing", { code: error?.code, errno: error?.errno });
    open("/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0o666, (otherError, descriptor) => {
      tell("open later", [otherError, fstatSync(descriptor).isCharacterDevice()]);
      closeSync(descriptor);
      resolve();
    });
  });
});
tell("this comes", "first");
