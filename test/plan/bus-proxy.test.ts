import assert from "node:assert/strict";
import { SandboxPermissions } from "../../src/permissions/sandbox-permissions.js";
import { addressValue, flatpakInfo, planBusProxy, sessionBusRules, systemBusRules } from "../../src/plan/bus-proxy.js";
import type { BusProxyRequest } from "../../src/plan/bus-proxy.js";
import { ErrorDomain, GLibError, SandboxError } from "../../src/subprocess/glib-error.js";

const rulesOf = (permissions: SandboxPermissions): readonly string[] | null => sessionBusRules(permissions.snapshot());

const request: BusProxyRequest = {
  host: { uid: 1000, gid: 1000, architecture: "x86_64", systemDirectories: [{ path: "/bin", linkTarget: "usr/bin" }] },
  bubblewrap: { path: "/usr/bin/bwrap", version: [0, 8, 0], options: new Set() },
  proxy: "/usr/bin/xdg-dbus-proxy",
  buses: [
    {
      proxied: { bus: "session", rules: ["--filter", "--talk=org.example.A"], target: "/run/user/1000/bus" },
      upstream: { kind: "path", descriptor: 4 },
    },
  ],
  directory: "/run/user/1000/gio-sandbox-x",
  infoDirectory: null,
  info: null,
};

function words(changes: Partial<BusProxyRequest>, index: number): string[] {
  const { descriptors } = planBusProxy({ ...request, ...changes });
  const data = descriptors.flatMap((planned) => (planned.kind === "data" ? [new TextDecoder().decode(planned.bytes)] : []));
  return (data[index] ?? "").split("\0");
}

describe("the rules of a bus", () => {
  it("are none where nothing is granted, and none where all of it is", () => {
    assert.equal(rulesOf(new SandboxPermissions()), null);
    assert.equal(rulesOf(new SandboxPermissions().addTalkName("org.example.A").addSocket("session-bus")), null);
    assert.equal(systemBusRules(new SandboxPermissions().addTalkName("org.example.A").snapshot()), null);
  });

  it("filter, and name what is granted in the proxy's words", () => {
    const permissions = new SandboxPermissions().addTalkName("org.example.A").addOwnName("org.example.B.*").addSeeName("org.example.C");
    assert.deepEqual(rulesOf(permissions), ["--filter", "--talk=org.example.A", "--own=org.example.B.*", "--see=org.example.C"]);
    const system = new SandboxPermissions().addSystemTalkName("org.example.D").snapshot();
    assert.deepEqual(systemBusRules(system), ["--filter", "--talk=org.example.D"]);
  });

  it("let portals be called and answer, and nothing else of the bus", () => {
    assert.deepEqual(rulesOf(new SandboxPermissions().allowPortals()), [
      "--filter",
      "--call=org.freedesktop.portal.*=*",
      "--broadcast=org.freedesktop.portal.*=@/org/freedesktop/portal/*",
    ]);
  });

  it("cannot be added to by what stands for a name", () => {
    const snapshot = new SandboxPermissions().snapshot();
    for (const name of ["org.example.A --talk=*", "org.example.A\0--talk=org.example.B", "*", "", "-x", "a..b"]) {
      assert.throws(
        () => sessionBusRules({ ...snapshot, sessionBus: new Map([[name, "talk"]]) }),
        (error) => error instanceof GLibError && error.matches(ErrorDomain.SANDBOX, SandboxError.INVALID_PERMISSION),
        JSON.stringify(name),
      );
    }
  });
});

describe("the plan of a bus proxy", () => {
  it("has nothing of its arguments on a command line that everybody can read", () => {
    const { argv } = planBusProxy(request);
    assert.ok(!argv.join("\n").includes("org.example"));
    assert.ok(argv.includes("--args"));
  });

  it("has the proxy in a sandbox of its own, without network or files", () => {
    const sandbox = words({}, 1);
    for (const word of ["--unshare-all", "--disable-userns", "--new-session", "--clearenv", "--cap-drop"]) {
      assert.ok(sandbox.includes(word), word);
    }
    assert.ok(!sandbox.includes("--share-net"));
    const binds = sandbox.flatMap((word, index) => (/^--(ro-)?bind(-try)?$/.test(word) ? [sandbox[index + 2]] : []));
    assert.deepEqual(binds, ["/usr", "/etc/ld.so.cache", "/run/proxy", "/run/upstream/session"]);
  });

  it("gives it the network only for a bus with an abstract name", () => {
    const [bus] = request.buses;
    assert.ok(bus);
    const buses = [{ ...bus, upstream: { kind: "abstract", name: "/tmp/dbus-X,y" } as const }];
    assert.ok(words({ buses }, 1).includes("--share-net"));
    assert.equal(words({ buses }, 0)[0], "unix:abstract=/tmp/dbus-X%2cy");
  });

  it("tells the proxy the bus, its own socket, and the rules", () => {
    const arguments_ = words({}, 0).slice(0, 4);
    assert.deepEqual(arguments_, ["unix:path=/run/upstream/session", "/run/proxy/session", "--filter", "--talk=org.example.A"]);
  });

  it("escapes what an address cannot hold", () => {
    assert.equal(addressValue("a b,c=d;ü"), "a%20b%2cc%3dd%3b%c3%bc");
  });
});

describe("the identity of a child", () => {
  it("is that of a Flatpak instance, which portals do not take for the host", () => {
    const identity = { application: "io.github.gio_sandbox.Child", instance: "12" };
    const text = new TextDecoder().decode(flatpakInfo(identity, new SandboxPermissions().share("network").snapshot()));
    assert.match(text, /^\[Application\]\nname=io\.github\.gio_sandbox\.Child\n/);
    assert.match(text, /\[Instance\]\ninstance-id=12\n/);
    assert.match(text, /shared=network;/);
  });
});
