import assert from "node:assert/strict";
import type { ConfinementFacts } from "../../src/confinement/confinement-facts.js";
import { confinementOf } from "../../src/confinement/confinement.js";
import { describeConfinement } from "../../src/confinement/describe.js";

const plainHost: ConfinementFacts = {
  flatpakInfo: null,
  environment: {},
  snapYaml: null,
  cgroup: "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app.scope\n",
  containerMarkers: { containerenv: false, dockerenv: false, systemd: null },
  status: "Name:\tnode\nNoNewPrivs:\t0\nSeccomp:\t0\n",
  uidMap: "         0          0 4294967295\n",
  firstProcess: "systemd\n",
};

/** As Flatpak 1.14.10 writes it. */
const flatpakInfo = `[Application]
name=org.example.App
runtime=runtime/org.example.Platform/x86_64/1

[Instance]
instance-id=2722992045
instance-path=/home/me/.var/app/org.example.App
app-path=/home/me/.local/share/flatpak/app/org.example.App/x86_64/1/bb1d/files
branch=1
arch=x86_64
flatpak-version=1.14.10
session-bus-proxy=true

[Context]
shared=network;ipc;
sockets=wayland;pulseaudio;
devices=dri;
filesystems=/srv/data:ro;xdg-download;

[Session Bus Policy]
org.freedesktop.portal.Flatpak=talk
`;

const snapFacts: ConfinementFacts = {
  ...plainHost,
  environment: { SNAP: "/snap/editor/12", SNAP_NAME: "editor", SNAP_REVISION: "12" },
  cgroup: "0::/user.slice/snap.editor.editor-1f2e.scope\n",
  snapYaml: "name: editor\nversion: '1'\nconfinement: strict\n",
};

describe("the confinement of a program", () => {
  it("is none on a plain host", () => {
    assert.deepEqual(confinementOf(plainHost), { kind: "host" });
    assert.match(describeConfinement({ kind: "host" }, null), /^On a plain host/);
  });

  it("is none where nothing could be read", () => {
    const nothing = { ...plainHost, cgroup: null, status: null, uidMap: null, firstProcess: null };
    assert.deepEqual(confinementOf(nothing), { kind: "host" });
  });

  describe("in a Flatpak", () => {
    it("has the application, its instance, and what it holds", () => {
      const confinement = confinementOf({ ...plainHost, flatpakInfo, environment: { container: "flatpak" } });
      assert.ok(confinement.kind === "flatpak");
      const { context, ...info } = confinement.info;
      assert.deepEqual(info, {
        appId: "org.example.App",
        instanceId: "2722992045",
        instancePath: "/home/me/.var/app/org.example.App",
        flatpakVersion: "1.14.10",
        architecture: "x86_64",
        isBuild: false,
      });
      assert.deepEqual([...context.shared], ["network", "ipc"]);
      assert.deepEqual([...context.sockets], ["wayland", "pulseaudio"]);
      assert.deepEqual([...context.devices], ["dri"]);
      assert.deepEqual(context.filesystems, ["/srv/data:ro", "xdg-download"]);
      assert.equal(context.sessionBus.get("org.freedesktop.portal.Flatpak"), "talk");
      assert.equal(confinement.isTrusted, false);
      assert.equal(
        describeConfinement(confinement, { version: 6, supportsExposedPids: true }),
        "In a Flatpak: org.example.App, instance 2722992045, Flatpak 1.14.10. Its sandbox portal has version 6.",
      );
      assert.match(
        describeConfinement(confinement, { version: 6, supportsExposedPids: false }),
        /version 6, without exposed process ids\.$/,
      );
    });

    it("is a build with build=true, instance or not", () => {
      for (const text of [
        "[Application]\nname=org.example.App\n[Instance]\nbuild=true\n",
        "[Application]\nname=org.example.App\n[Instance]\nbuild=true\ninstance-id=7\n",
      ]) {
        const confinement = confinementOf({ ...plainHost, flatpakInfo: text });
        assert.ok(confinement.kind === "flatpak" && confinement.info.isBuild);
        assert.match(describeConfinement(confinement, null), /It is a build/);
      }
    });

    it("may be a runtime without an application", () => {
      const text = "[Runtime]\nname=org.example.Platform\n[Instance]\ninstance-id=7\n";
      const confinement = confinementOf({ ...plainHost, flatpakInfo: text });
      assert.ok(confinement.kind === "flatpak" && confinement.info.appId === null);
    });

    for (const [what, addition] of [
      ["may talk to Flatpak itself", "org.freedesktop.Flatpak=talk\n"],
      ["has the whole session bus", "[Context]\nsockets=session-bus;\n"],
    ] as const) {
      it(`is told to confine nothing when it ${what}`, () => {
        const confinement = confinementOf({ ...plainHost, flatpakInfo: flatpakInfo + addition });
        assert.ok(confinement.kind === "flatpak" && confinement.isTrusted);
        assert.match(describeConfinement(confinement, null), /its own sandbox confines nothing/);
      });
    }

    for (const text of ["", "hello", "[Application]\nname=org.example.App\n", "[Other]\nkey=value\n[Instance]\ninstance-id=1\n"]) {
      it(`is not seen in ${JSON.stringify(text)}`, () => {
        assert.deepEqual(confinementOf({ ...plainHost, flatpakInfo: text }), { kind: "host" });
      });
    }
  });

  describe("in a snap", () => {
    it("is strict", () => {
      assert.deepEqual(confinementOf(snapFacts), { kind: "snap", name: "editor", revision: "12", mode: "strict" });
      assert.match(describeConfinement(confinementOf(snapFacts), null), /it cannot mount/);
    });

    for (const [snapYaml, mode] of [
      ["confinement: classic\n", "classic"],
      ["confinement: 'devmode' # for now\n", "devmode"],
      ["name: editor\n", "strict"],
      [null, null],
    ] as const) {
      it(`is ${mode ?? "unknown"} with ${JSON.stringify(snapYaml)} for its metadata`, () => {
        const confinement = confinementOf({ ...snapFacts, snapYaml });
        assert.ok(confinement.kind === "snap");
        assert.equal(confinement.mode, mode);
        assert.ok(describeConfinement(confinement, null).startsWith("In the snap editor, revision 12"));
      });
    }

    it("has the name of its instance, where there are several", () => {
      const environment = { ...snapFacts.environment, SNAP_INSTANCE_NAME: "editor_two" };
      const confinement = confinementOf({ ...snapFacts, environment });
      assert.ok(confinement.kind === "snap" && confinement.name === "editor_two");
    });

    it("is not what has a snap's variables and nothing else of it", () => {
      assert.deepEqual(confinementOf({ ...snapFacts, snapYaml: null, cgroup: plainHost.cgroup }), { kind: "host" });
    });
  });

  describe("in a container", () => {
    const markers = plainHost.containerMarkers;
    const cases: readonly (readonly [what: string, facts: Partial<ConfinementFacts>, manager: string | null])[] = [
      ["the variable “container”", { environment: { container: "oci" } }, "oci"],
      ["/run/.containerenv", { containerMarkers: { ...markers, containerenv: true } }, "podman"],
      ["/.dockerenv", { containerMarkers: { ...markers, dockerenv: true } }, "docker"],
      ["/run/systemd/container", { containerMarkers: { ...markers, systemd: "systemd-nspawn\n" } }, "systemd-nspawn"],
      ["an empty /run/systemd/container", { containerMarkers: { ...markers, systemd: "\n" } }, null],
      ["docker's control group", { cgroup: "0::/system.slice/docker-0123.scope\n" }, "docker"],
      ["docker's control group, version 1", { cgroup: "12:pids:/docker/0123\n" }, "docker"],
      ["podman's control group", { cgroup: "0::/machine.slice/libpod-0123.scope/container\n" }, "podman"],
      ["Kubernetes's control group", { cgroup: "0::/kubepods.slice/kubepods-pod1.slice/cri-1.scope\n" }, "kubernetes"],
      ["LXC's control group", { cgroup: "0::/lxc.payload.box/user.slice\n" }, "lxc"],
    ];
    for (const [what, facts, manager] of cases) {
      it(`is told by ${what}`, () => {
        const confinement = confinementOf({ ...plainHost, ...facts });
        assert.deepEqual(confinement, { kind: "container", manager });
        assert.match(describeConfinement(confinement, null), manager === null ? /^In a container:/ : /^In a container \(/);
      });
    }
  });

  it("is another sandbox where there is a namespace for one user, and no new privileges", () => {
    const facts = { ...plainHost, status: "NoNewPrivs:\t1\n", uidMap: "  1000  1000  1\n", firstProcess: "bwrap\n" };
    const confinement = confinementOf(facts);
    assert.deepEqual(confinement, { kind: "sandbox", firstProcess: "bwrap\n" });
    assert.equal(
      describeConfinement(confinement, null),
      "Inside another sandbox (of bwrap), which may forbid further namespaces.",
    );
  });

  it("is not another sandbox for a namespace or no new privileges alone", () => {
    assert.deepEqual(confinementOf({ ...plainHost, status: "NoNewPrivs:\t1\n" }), { kind: "host" });
    assert.deepEqual(confinementOf({ ...plainHost, uidMap: "  0  1000  1\n" }), { kind: "host" });
  });

  it("is shown with control characters escaped", () => {
    const confinement = confinementOf({ ...plainHost, environment: { container: "\u001b[31mred" } });
    assert.ok(!describeConfinement(confinement, null).includes("\u001b"));
  });
});
