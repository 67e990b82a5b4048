import assert from "node:assert/strict";
import type { PermissionSet } from "../../src/permissions/permission-set.js";
import { SandboxPermissions } from "../../src/permissions/sandbox-permissions.js";
import { devices, limits, shares, sockets } from "../../src/permissions/vocabulary.js";
import { invalidMessage } from "./invalid.js";
import { Random } from "./random.js";

function read(text: string): PermissionSet {
  return SandboxPermissions.fromKeyFile(text).snapshot();
}

/** The permissions that applying the files, one on top of the other, gives. */
function layered(...texts: readonly string[]): PermissionSet {
  return texts.reduce((permissions, text) => permissions.applyKeyFile(text), new SandboxPermissions()).snapshot();
}

const nothing = new SandboxPermissions().snapshot();

describe("a file of permissions", () => {
  it("that is empty grants nothing", () => {
    for (const text of ["", "\n# nothing\n", "[Context]\n", "[Context]\nshared=\nsockets=\nfilesystems=\n[Limits]\n"]) {
      assert.deepEqual(read(text), nothing);
    }
  });

  it("has every word of shared, sockets and devices", () => {
    const { shared, sockets: granted, devices: given } = read(
      `[Context]\nshared=${shares.join(";")}\nsockets=${sockets.join(";")};\ndevices=${devices.join(";")};\n`,
    );
    assert.deepEqual([...shared], shares);
    assert.deepEqual([...granted], sockets.filter((socket) => socket !== "x11"));
    assert.deepEqual([...given], devices);
  });

  it("takes each of these words away with “!”, from itself and from what is below", () => {
    for (const [key, words, granted] of [
      ["shared", shares, (set: PermissionSet) => [...set.shared]],
      ["sockets", sockets.filter((socket) => socket !== "x11"), (set: PermissionSet) => [...set.sockets]],
      ["devices", devices, (set: PermissionSet) => [...set.devices]],
    ] as const) {
      const all = `[Context]\n${key}=${words.join(";")};\n`;
      for (const word of words) {
        const others = words.filter((other) => other !== word);
        assert.deepEqual(granted(layered(all, `[Context]\n${key}=!${word};\n`)), others);
        assert.deepEqual(granted(read(`[Context]\n${key}=${words.join(";")};!${word};\n`)), others);
        assert.deepEqual(granted(read(`[Context]\n${key}=!${word};${word};\n`)), [word]);
        assert.deepEqual(granted(read(`[Context]\n${key}=!${word};\n`)), []);
      }
    }
  });

  it("has one of x11 and fallback-x11: in one file the fallback, else the later", () => {
    for (const list of ["x11;fallback-x11", "fallback-x11;x11", "fallback-x11;!x11", "x11;fallback-x11;wayland;x11"]) {
      const { sockets: granted } = read(`[Context]\nsockets=${list};`);
      assert.deepEqual([granted.has("x11"), granted.has("fallback-x11")], [false, true], list);
    }
    for (const list of ["x11", "x11;!fallback-x11", "fallback-x11;!fallback-x11;x11"]) {
      const { sockets: granted } = read(`[Context]\nsockets=${list};`);
      assert.deepEqual([granted.has("x11"), granted.has("fallback-x11")], [true, false], list);
    }
    assert.deepEqual([...layered("[Context]\nsockets=fallback-x11", "[Context]\nsockets=x11").sockets], ["x11"]);
    assert.deepEqual([...layered("[Context]\nsockets=x11-try", "[Context]\nsockets=fallback-x11").optionalSockets], []);
  });

  it("lets all sockets and devices be missing with “-try”, but fallback-x11, which may be anyhow", () => {
    for (const socket of sockets.filter((word) => word !== "fallback-x11")) {
      const set = read(`[Context]\nsockets=${socket}-try;\n`);
      assert.deepEqual([[...set.sockets], [...set.optionalSockets]], [[socket], [socket]]);
      assert.deepEqual([...layered(`[Context]\nsockets=${socket}-try;`, `[Context]\nsockets=${socket};`).optionalSockets], []);
      assert.deepEqual([...layered(`[Context]\nsockets=${socket}-try;`, `[Context]\nsockets=!${socket};`).optionalSockets], []);
    }
    for (const device of devices) {
      const set = read(`[Context]\ndevices=${device}-try;\n`);
      assert.deepEqual([[...set.devices], [...set.optionalDevices]], [[device], [device]]);
    }
    assert.match(invalidMessage(() => read("[Context]\nsockets=fallback-x11-try;")), /omit “-try”/);
  });

  it("has file systems with their modes", () => {
    const set = read("[Context]\nfilesystems=/a;~/b:ro;xdg-pictures/c:create;home:rw;/d:ro-try;/e\\;f;/g\\\\:h:ro;/i\\\\\\\\j;host-fonts\n");
    assert.deepEqual(set.filesystems, [
      { path: "/a", mode: "rw" },
      { path: "~/b", mode: "ro" },
      { path: "xdg-pictures/c", mode: "create" },
      { path: "home", mode: "rw" },
      { path: "/d", mode: "ro" },
      { path: "/e;f", mode: "rw" },
      { path: "/g:h", mode: "ro" },
      { path: "/i\\j", mode: "rw" },
      { path: "host-fonts", mode: "ro" },
    ]);
    assert.deepEqual([...set.optionalFilesystems], ["/d"]);
  });

  it("takes file systems away, hides what lies in others, and forgets that when it is granted again", () => {
    assert.deepEqual(layered("[Context]\nfilesystems=/a;/b;", "[Context]\nfilesystems=!/a;").filesystems, [{ path: "/b", mode: "rw" }]);
    const hidden = read("[Context]\nfilesystems=home;!~/.ssh;!xdg-config/secret;!/a;");
    assert.deepEqual(hidden.filesystems, [{ path: "home", mode: "rw" }]);
    assert.deepEqual(hidden.hiddenPaths, ["~/.ssh", "xdg-config/secret", "/a"]);
    assert.deepEqual(layered("[Context]\nfilesystems=home;!~/.ssh;", "[Context]\nfilesystems=~/.ssh:ro;").hiddenPaths, []);
    assert.deepEqual(read("[Context]\nfilesystems=host;host-os;!host;!host-os;!host-etc;!host-fonts").hiddenPaths, []);
  });

  it("takes all file systems of the files below away with !host:reset, wherever it stands, and none of its own", () => {
    const below = "[Context]\nfilesystems=/a;host;!/b;";
    const set = layered(below, "[Context]\nfilesystems=/c;!host:reset;/d:ro;");
    assert.deepEqual(set.filesystems, [
      { path: "/c", mode: "rw" },
      { path: "/d", mode: "ro" },
    ]);
    assert.deepEqual(set.hiddenPaths, []);
    assert.deepEqual(layered(below, "[Context]\nfilesystems=host;!host:reset;").filesystems, []);
    assert.deepEqual(layered(below, "[Context]\nfilesystems=!host:reset;host:ro;").filesystems, [{ path: "host", mode: "ro" }]);
    const withDescriptor = new SandboxPermissions().addFilesystemFd(0, "ro", "/x").applyKeyFile("[Context]\nfilesystems=!host:reset;");
    assert.deepEqual(withDescriptor.snapshot().filesystemDescriptors, []);
  });

  it("has policies for both buses; none takes a name away, whatever the order", () => {
    for (const [group, bus] of [
      ["Session Bus Policy", "sessionBus"],
      ["System Bus Policy", "systemBus"],
    ] as const) {
      const set = read(`[${group}]\na.b=see\na.c.*=talk\na.d=own\na.e=none\n`);
      assert.deepEqual([...set[bus]], [["a.b", "see"], ["a.c.*", "talk"], ["a.d", "own"]]);
      assert.deepEqual([...layered(`[${group}]\na.b=own\n`, `[${group}]\na.b=see\n`)[bus]], [["a.b", "see"]]);
      assert.deepEqual([...layered(`[${group}]\na.b=own\na.c=talk\n`, `[${group}]\na.b=none\n`)[bus]], [["a.c", "talk"]]);
      for (const text of [`[${group}]\na.b.c=none\na.b.*=talk\n`, `[${group}]\na.b.*=talk\na.b.c=none\n`]) {
        assert.match(invalidMessage(() => read(text)), /^Line \d, a\.b\.c in \[S.* Bus Policy\]: “a\.b\.c” cannot be taken away while “a\.b\.\*”/);
      }
      assert.deepEqual([...layered(`[${group}]\na.b.*=talk\n`, `[${group}]\na.b.*=none\na.b.c=none\n`)[bus]], []);
    }
    assert.match(
      invalidMessage(() => read("[Session Bus Policy]\norg.freedesktop.portal.Flatpak=none\n[Context]\nfeatures=portals")),
      /Line 2, .*while “org\.freedesktop\.portal\.\*” is granted/,
    );
    assert.deepEqual(read("[System Bus Policy]\norg.freedesktop.portal.X=none\n[Context]\nfeatures=portals").portals, true);
  });

  it("has two features of our own", () => {
    const set = read("[Context]\nfeatures=portals;a11y;\n");
    assert.deepEqual([set.portals, set.a11y], [true, true]);
    const less = layered("[Context]\nfeatures=portals;a11y;", "[Context]\nfeatures=!portals;");
    assert.deepEqual([less.portals, less.a11y], [false, true]);
    assert.equal(layered("[Context]\nfeatures=a11y;", "[Context]\nfeatures=!a11y;").a11y, false);
  });

  it("sets variables, and takes them away: that counts more, as it does to Flatpak", () => {
    const set = read("[Environment]\nA=x y\nB=\nC=\\s\\ttab\\n\\\\\nD=d\n[Context]\nunset-environment=D;E;\n");
    assert.deepEqual([...set.environment], [["A", "x y"], ["B", ""], ["C", " \ttab\n\\"], ["D", null], ["E", null]]);
    assert.deepEqual([...layered("[Context]\nunset-environment=A;", "[Environment]\nA=1").environment], [["A", "1"]]);
  });

  it("has every limit, and takes each back with “default”", () => {
    const text = "[Limits]\nmemory=512M\naddress-space=1G\ncpu-time=10s\nfile-size=1K\nopen-files=64\nprocesses=8\ncore=0\ntmpfs=1M\ntimeout=30s\n";
    assert.deepEqual(Object.fromEntries(read(text).limits), {
      memory: 2 ** 29,
      "address-space": 2 ** 30,
      "cpu-time": 10,
      "file-size": 1024,
      "open-files": 64,
      processes: 8,
      core: 0,
      tmpfs: 2 ** 20,
      timeout: 30_000,
    });
    for (const limit of limits) {
      const left = [...layered(text, `[Limits]\n${limit}=default\n`).limits.keys()];
      assert.deepEqual(left, limits.filter((other) => other !== limit));
    }
  });

  it("has a filter of system calls, with an errno for it", () => {
    assert.deepEqual(read("[Syscalls]\nfilter=@system-service;ptrace:ENOSYS;\n").syscalls, {
      kind: "allow",
      entries: [
        { name: "@system-service", errno: null },
        { name: "ptrace", errno: "ENOSYS" },
      ],
      errno: "EPERM",
    });
    assert.deepEqual(read("[Syscalls]\nerrno=EACCES\nfilter=~@clock;\n").syscalls, {
      kind: "block",
      entries: [{ name: "@clock", errno: null }],
      errno: "EACCES",
    });
    assert.deepEqual(layered("[Syscalls]\nfilter=a;", "[Syscalls]\nfilter=").syscalls, { kind: "default" });
  });
});

describe("an error in a file of permissions", () => {
  it("names the line and the key", () => {
    const wrong: readonly (readonly [string, string])[] = [
      ["[Contexts]\n", "Line 1: there is no group [Contexts]"],
      ["# x\n[Context]\n\nsharing=network", "Line 4, sharing in [Context]: there is no such key"],
      ["[Context]\nshared[de]=network", "Line 2, shared[de] in [Context]: there is no such key"],
      ["[Context]\nshared=network;all", "Line 2, shared in [Context]: Expected network or ipc as something to share, but got “all”"],
      ["[Context]\nshared=!all", "Line 2, shared in [Context]: Expected network or ipc as something to share, but got “all”"],
      ["[Context]\nshared=network; ipc", "Line 2, shared in [Context]: Expected network or ipc as something to share, but got “ ipc”"],
      ["[Context]\nshared=;", "Line 2, shared in [Context]: Expected network or ipc as something to share, but got “”"],
      ["[Context]\nfeatures=devel", "Line 2, features in [Context]: not offered here. “devel” is a feature of Flatpak's: [Syscalls] says what may be called"],
      ["[Context]\nfeatures=magic", "Line 2, features in [Context]: Expected portals or a11y as a feature, but got “magic”"],
      ["[Context]\nfeatures=!magic", "Line 2, features in [Context]: Expected portals or a11y as a feature, but got “magic”"],
      ["[Context]\npersistent=.x", "Line 2, persistent in [Context]: not offered here. A sandbox has no files of its own that stay: grant a directory with filesystems"],
      ["[Context]\nunset-environment=A;=", "Line 2, unset-environment in [Context]: Expected the name of a variable, but got “=”"],
      ["[Context]\nfilesystems=!/a:ro", "Line 2, filesystems in [Context]: No mode can stand behind what is taken away, but got “ro”"],
      ["[Context]\nfilesystems=!/a:reset", "Line 2, filesystems in [Context]: No mode can stand behind what is taken away, but got “reset”"],
      ["[Context]\nfilesystems=/a:x", "Line 2, filesystems in [Context]: Expected one of ro, rw, create, ro-try, rw-try behind “/a”, but got “x”"],
      ["[Context]\nfilesystems=/a:", "Line 2, filesystems in [Context]: Expected one of ro, rw, create, ro-try, rw-try behind “/a”, but got “”"],
      ["[Context]\nfilesystems=/a\\q", "Line 2, filesystems in [Context]: “\\q” is no escape: a backslash is written “\\\\”"],
      ["[Context]\nfilesystems=!!/a", "Line 2, filesystems in [Context]: Expected an absolute path, ~/…, home, host,"],
      ["[Session Bus Policy]\na.b=call", "Line 2, a.b in [Session Bus Policy]: Expected one of none, see, talk, own as a policy, but got “call”"],
      ["[Session Bus Policy]\na.b=talk ", "Line 2, a.b in [Session Bus Policy]: Expected one of none, see, talk, own as a policy, but got “talk ”"],
      ["[System Bus Policy]\na=talk", "Line 2, a in [System Bus Policy]: Expected a name on the bus,"],
      ["[System Bus Policy]\n*=none", "Line 2, * in [System Bus Policy]: Expected a name on the bus,"],
      ["[Environment]\nA B=1", "Line 2, A B in [Environment]: Expected the name of a variable, but got “A B”"],
      ["[Environment]\nA[de]=1", "Line 2, A[de] in [Environment]: Expected the name of a variable, but got “A[de]”"],
      ["[Environment]\nA=\\", "Line 2, A in [Environment]: a backslash stands at the end"],
      ["[Limits]\nspeed=1", "Line 2, speed in [Limits]: Expected one of memory,"],
      ["[Limits]\nmemory=much", "Line 2, memory in [Limits]: Expected a size such as 512M as the limit “memory”, but got “much”"],
      ["[Limits]\nmemory=0", "Line 2, memory in [Limits]: Expected a whole number of at least 1 as the limit “memory”, but got 0"],
      ["[Syscalls]\nallow=a", "Line 2, allow in [Syscalls]: there is no such key"],
      ["[Syscalls]\nerrno=EPERM", "Line 2, errno in [Syscalls]: errno belongs to a filter, and there is none in this file"],
      ["[Syscalls]\nfilter=a\nerrno=EFOO", "Line 3, errno in [Syscalls]: Expected an error such as EPERM, but got “EFOO”"],
      ["[Syscalls]\nfilter=a;~b", "Line 2, filter in [Syscalls]: Expected a system call or a group such as @network-io, but got “~b”"],
      ["[Policy tracker3]\nx=y", "Line 1: [Policy tracker3] is Flatpak's, and is not offered here"],
      ["[USB Devices]\nx=y", "Line 1: [USB Devices] is Flatpak's, and is not offered here"],
      ["[a\u001b]", "Line 1: “a\\u{1b}” is no name of a group"],
      ["[a\u202eb]", "Line 1: there is no group [a\\u{202e}b]"],
    ];
    for (const [text, message] of wrong) {
      const got = invalidMessage(() => read(text));
      assert.equal(got.slice(0, message.length), message, text);
    }
  });

  it("names each line at which a word can be wrong, in each list", () => {
    for (const key of ["shared", "sockets", "devices", "filesystems", "features"]) {
      for (const word of ["no such word", "!no such word", "x11-try-try", "ro", "\u0001", "constructor"]) {
        const message = invalidMessage(() => read(`[Context]\n#\n${key}=${word};\n`));
        assert.match(message, new RegExp(`^Line 3, ${key} in \\[Context\\]: `));
        // eslint-disable-next-line no-control-regex -- what must not be in a message
        assert.doesNotMatch(message, /[\x00-\x1f]/);
      }
    }
  });

  it("leaves the permissions as they were", () => {
    const permissions = new SandboxPermissions().share("ipc").addFilesystem("/a");
    const before = permissions.copy();
    invalidMessage(() => permissions.applyKeyFile("[Context]\nshared=network;\nfilesystems=!/a;/b;\n[Limits]\nmemory=lots\n"));
    assert.ok(permissions.equals(before));
  });
});

describe("the metadata of a Flatpak application", () => {
  // made by hand from flatpak-metadata(5), in the way of applications that are published
  const editor = `[Application]
name=org.example.Editor
runtime=org.gnome.Platform/x86_64/45
sdk=org.gnome.Sdk/x86_64/45
base=app/org.example.BaseApp/x86_64/stable
command=editor-2.10
required-flatpak=1.4.4;1.6.0;
tags=stable;

[Context]
shared=network;ipc;
sockets=x11;wayland;fallback-x11;
devices=dri;
filesystems=xdg-config/Editor;xdg-config/gtk-3.0;xdg-run/gvfs;xdg-run/gvfsd;host;/tmp;xdg-pictures:ro;
persistent=.editor;

[Session Bus Policy]
org.gtk.vfs.*=talk
org.freedesktop.FileManager1=talk

[Environment]
GIO_EXTRA_MODULES=/app/lib/gio/modules
PATH=/app/bin:/usr/bin

[Extension org.example.Editor.Plugin]
directory=extensions
add-ld-path=lib
merge-dirs=lib/editor/2.0;share/editor/2.0;
subdirectories=true
no-autodownload=true

[Extension org.example.Editor.Locale]
directory=share/runtime/locale
autodelete=true
locale-subset=true

[Build]
built-extensions=org.example.Editor.Debug;org.example.Editor.Locale;
`;

  const browser = `[Application]
name=org.example.Browser
runtime=org.freedesktop.Platform/x86_64/23.08
command=browser

[Context]
shared=network;ipc;
sockets=x11;wayland;pulseaudio;fallback-x11;pcsc;cups;
devices=all;
features=devel;!bluetooth;per-app-dev-shm;
filesystems=xdg-download;/run/.heim_org.h5l.kcm-socket;xdg-run/speech-dispatcher:ro;!~/.ssh;
persistent=.browser;
unset-environment=LD_PRELOAD;

[Session Bus Policy]
org.a11y.Bus=talk
org.freedesktop.FileManager1=talk
org.freedesktop.Notifications=talk
org.gtk.vfs.*=talk
org.example.browser.*=own
org.mpris.MediaPlayer2.browser.*=own

[System Bus Policy]
org.freedesktop.NetworkManager=talk

[Policy tracker3]
dbus:org.freedesktop.Tracker3.Miner.Files=tracker:Documents;

[Environment]
GTK_PATH=/app/lib/gtkmodules

[Extra Data]
uri=https://example.org/browser.tar
size=1
checksum=00
`;

  const game = `[Application]
name=org.example.Game
runtime=org.freedesktop.Platform/x86_64/22.08
sdk=org.freedesktop.Sdk/x86_64/22.08
command=game

[Context]
shared=ipc;network;
sockets=x11;pulseaudio;
devices=dri;input;
features=multiarch;

[USB Devices]
enumerable-devices=all

[Extension org.freedesktop.Platform.GL32]
directory=lib/i386-linux-gnu/GL
version=1.4
versions=22.08;1.4
subdirectories=true
no-autodownload=true
download-if=active-gl-driver
enable-if=active-gl-driver
`;

  const terminal = `[Application]
name=org.example.Terminal
runtime=org.gnome.Platform/x86_64/45
command=terminal

[Context]
sockets=fallback-x11;wayland;ssh-auth;gpg-agent;session-bus;system-bus;
shared=ipc;
filesystems=host:rw;host-os:ro;host-etc:ro;xdg-run/gnupg:create;~/.config/terminal:create;
devices=all;shm;kvm;

[Session Bus Policy]
org.freedesktop.Flatpak=talk
org.gnome.SettingsDaemon.Color=see
`;

  it("is read: an editor of pictures", () => {
    const set = read(editor);
    assert.deepEqual([...set.shared], ["network", "ipc"]);
    assert.deepEqual([...set.sockets], ["wayland", "fallback-x11"]);
    assert.deepEqual(set.filesystems.at(-1), { path: "xdg-pictures", mode: "ro" });
    assert.deepEqual(set.filesystems.map(({ path }) => path), [
      ...["xdg-config/Editor", "xdg-config/gtk-3.0", "xdg-run/gvfs", "xdg-run/gvfsd", "host", "/tmp", "xdg-pictures"],
    ]);
    assert.equal(set.sessionBus.get("org.gtk.vfs.*"), "talk");
    assert.equal(set.environment.get("PATH"), "/app/bin:/usr/bin");
  });

  it("is read: a browser, without the features and files that there are none of here", () => {
    const set = read(browser);
    assert.deepEqual([...set.devices], ["all"]);
    assert.deepEqual(set.hiddenPaths, ["~/.ssh"]);
    assert.equal(set.sessionBus.get("org.mpris.MediaPlayer2.browser.*"), "own");
    assert.deepEqual([...set.systemBus], [["org.freedesktop.NetworkManager", "talk"]]);
    assert.equal(set.environment.get("LD_PRELOAD"), null);
    assert.deepEqual([set.portals, set.a11y, set.syscalls.kind], [false, false, "default"]);
  });

  it("is read: a game, and a terminal for the host", () => {
    assert.deepEqual([...read(game).devices], ["dri", "input"]);
    const set = read(terminal);
    assert.deepEqual([...set.devices], ["all", "shm", "kvm"]);
    assert.deepEqual(set.filesystems[0], { path: "host", mode: "rw" });
    assert.deepEqual(set.filesystems.at(-1), { path: "~/.config/terminal", mode: "create" });
    assert.equal(set.sessionBus.get("org.freedesktop.Flatpak"), "talk");
  });

  it("takes what the host lacks for no error, as Flatpak does", () => {
    const set = read(browser);
    assert.deepEqual([...set.optionalSockets], ["wayland", "pulseaudio", "pcsc", "cups"]);
    assert.deepEqual([...set.optionalDevices], ["all"]);
    assert.deepEqual([...set.optionalFilesystems], set.filesystems.map(({ path }) => path));
    assert.ok(!read(terminal).optionalFilesystems.has("~/.config/terminal"));
    assert.ok(read("[Runtime]\nname=x\n[Context]\nsockets=x11").optionalSockets.has("x11"));
    assert.ok(read("[Instance]\ninstance-id=1\n[Context]\nsockets=x11").optionalSockets.has("x11"));
  });

  it("is refused all the same for a word that Flatpak does not have", () => {
    for (const group of ["Context]\nsockets=x12", "Context]\nfeatures=x", "Context]\nfoo=x", "Foo]\nx=y", "Session Bus Policy]\na.b=x"]) {
      invalidMessage(() => read(`[Application]\nname=x\n\n[${group}\n`));
    }
  });

  it("is written as permissions that stand for themselves", () => {
    for (const text of [editor, browser, game, terminal]) {
      const permissions = SandboxPermissions.fromKeyFile(text);
      const written = permissions.toKeyFile();
      assert.doesNotMatch(written, /Application|persistent|devel/);
      assert.ok(SandboxPermissions.fromKeyFile(written).equals(permissions));
      assert.equal(SandboxPermissions.fromKeyFile(written).toKeyFile(), written);
    }
  });
});

describe("permissions that are written and read again", () => {
  const names = ["a.b", "a.b.*", "org.x-y.Z", "org.freedesktop.portal.Foo"];
  const paths = [
    ...["/a", "/a:b", "/a;b", "/a\\b", "/a\\:ro", "/ a ", "/a\nb", "/[x]=#", "/ä😀", "/a:ro", "/!x", "/\u001b", "/\t", "~/b", "home"],
    ...["host", "host-os", "xdg-run/x", "xdg-music", "xdg-data/ y;"],
  ];
  const values = ["", " ", "\t x \t", "a;b", "\\", "\\s", "a\nb\r", "ä😀", "\u001b[0m", "x\f", "[a]\nb=c", "\u202e"];

  function randomPermissions(random: Random): SandboxPermissions {
    const permissions = new SandboxPermissions();
    const steps: (() => unknown)[] = [
      () => permissions.share(random.of(shares)),
      () => permissions.unshare(random.of(shares)),
      () => permissions.addSocket(random.of(sockets)),
      () => permissions.addSocket(`${random.of(["x11", "wayland", "cups"] as const)}-try`),
      () => permissions.removeSocket(random.of(sockets)),
      () => permissions.addDevice(random.of(devices)),
      () => permissions.addDevice(`${random.of(devices)}-try`),
      () => permissions.removeDevice(random.of(devices)),
      () => permissions.addFilesystem(`${random.of(paths)}:${random.of(["ro", "rw", "create", "ro-try", "rw-try"])}`),
      () => permissions.addFilesystem(random.of(["host-fonts", "host-fonts:ro-try"])),
      () => permissions.removeFilesystem(random.of(paths)),
      () => permissions.addTalkName(random.of(names)),
      () => permissions.addSeeName(random.of(names)),
      () => permissions.addOwnName(random.of(names)),
      () => permissions.addSystemTalkName(random.of(names)),
      () => permissions.addSystemSeeName(random.of(names)),
      () => permissions.addSystemOwnName(random.of(names)),
      () => permissions.allowPortals(),
      () => permissions.allowA11y(),
      () => permissions.setEnv(random.of(["A", "_b1", "unset"]), random.of(values)),
      () => permissions.unsetEnv(random.of(["A", "C"])),
      () => permissions.setLimit(random.of(limits), 1 + random.below(2 ** 31)),
      () => permissions.setSyscalls(random.of([["a"], ["~@b:ENOSYS", "c"], []]), random.of(["EPERM", "ENOSYS"])),
    ];
    for (const step of random.some(steps, 25)) step();
    return permissions;
  }

  it("are equal, for 5000 random ones, and the text is the same", () => {
    const random = new Random(4);
    const texts = new Set<string>();
    for (let round = 0; round < 5000; round++) {
      const permissions = randomPermissions(random);
      const text = permissions.toKeyFile();
      const again = SandboxPermissions.fromKeyFile(text);
      assert.ok(again.equals(permissions), text);
      assert.equal(again.toKeyFile(), text);
      assert.deepEqual(comparable(again.snapshot()), comparable(permissions.snapshot()), text);
      texts.add(text);
    }
    assert.ok(texts.size > 4500);
  });

  it("change nothing when they are applied to themselves", () => {
    const random = new Random(5);
    for (let round = 0; round < 1000; round++) {
      const permissions = randomPermissions(random);
      assert.ok(permissions.copy().applyKeyFile(permissions.toKeyFile()).equals(permissions));
    }
  });

  /** With everything that has no order in one. */
  function comparable(set: PermissionSet): unknown {
    const sorted = (values: Iterable<unknown>): unknown[] => [...values].map((value) => JSON.stringify(value)).sort();
    return Object.fromEntries(
      Object.entries(set).map(([key, value]: [string, unknown]) => [key, isIterable(value) ? sorted(value) : value]),
    );
  }

  function isIterable(value: unknown): value is Iterable<unknown> {
    return typeof value === "object" && value !== null && Symbol.iterator in value;
  }
});
