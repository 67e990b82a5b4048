import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { parseBusAddress, percentEncoded, wellKnownBusAddress } from "../../../src/node/bus/address.js";
import { GLibError } from "../../../src/subprocess/glib-error.js";

function summary(address: string): string[] {
  return parseBusAddress(address).map((entry) =>
    entry.kind === "unusable" ? `unusable: ${entry.reason}` : `${entry.kind} ${Buffer.from(entry.name).toString()}`,
  );
}

function refuses(address: string, words: RegExp): void {
  assert.throws(
    () => parseBusAddress(address),
    (error) => error instanceof GLibError && error.domain === "g-io-error-quark" && error.code === 13
      && words.test(error.message),
  );
}

describe("a bus address", () => {
  it("names a socket by its path or by an abstract name", () => {
    assert.deepEqual(summary("unix:path=/run/user/1000/bus"), ["path /run/user/1000/bus"]);
    assert.deepEqual(summary("unix:abstract=/tmp/dbus-x"), ["abstract /tmp/dbus-x"]);
  });

  it("may have any byte written with a percent sign", () => {
    assert.deepEqual(summary("unix:path=/a%20b/%c3%a9%2C%3b"), ["path /a b/é,;"]);
    const [entry] = parseBusAddress("unix:path=/%ff");
    assert.ok(entry?.kind === "path");
    assert.deepEqual([...entry.name], [0x2f, 0xff]);
  });

  it("may have colons and equals signs in a value", () => {
    assert.deepEqual(summary("unix:path=/a:b=c"), ["path /a:b=c"]);
  });

  it("is a list, and the order stays", () => {
    assert.deepEqual(summary("unix:path=/a;unix:abstract=b;;unix:path=/c"), ["path /a", "abstract b", "path /c"]);
  });

  it("carries the server's id", () => {
    const [entry] = parseBusAddress("unix:path=/a,guid=0123456789ABCDEF0123456789abcdef");
    assert.ok(entry?.kind === "path");
    assert.equal(entry.guid, "0123456789abcdef0123456789abcdef");
  });

  it("of another transport is passed over, with the reason", () => {
    assert.deepEqual(summary("tcp:host=localhost,port=1;unix:path=/a"), [
      "unusable: the transport tcp is not supported",
      "path /a",
    ]);
    assert.deepEqual(summary("autolaunch:"), ["unusable: the transport autolaunch is not supported"]);
  });

  it("that only a server can use is passed over: dir, tmpdir, runtime", () => {
    for (const key of ["dir", "tmpdir", "runtime"]) {
      assert.deepEqual(summary(`unix:${key}=x`), [
        `unusable: ${key} is for servers: a client needs path or abstract`,
      ]);
    }
  });

  it("with a name that no socket can have is passed over", () => {
    assert.deepEqual(summary(`unix:path=/${"x".repeat(106)}`), [`path /${"x".repeat(106)}`]);
    assert.deepEqual(summary(`unix:path=/${"x".repeat(107)}`), ["unusable: its name is longer than 107 bytes"]);
  });

  it("is refused when it is none", () => {
    refuses("", /it is empty/);
    refuses(";", /it is empty/);
    refuses("/run/bus", /TRANSPORT:KEY=VALUE/);
    refuses(":path=/a", /TRANSPORT:KEY=VALUE/);
    refuses("unix:", /needs path or abstract/);
    refuses("unix:path", /not KEY=VALUE/);
    refuses("unix:path=", /is empty/);
    refuses("unix:path=/a,path=/b", /path is there twice/);
    refuses("unix:path=/a,abstract=b", /exclude each other/);
    refuses("unix:path=/a%2", /hexadecimal/);
    refuses("unix:path=/a%zz", /hexadecimal/);
    refuses("unix:path=/a%00", /NUL/);
    refuses("unix:path=/a,guid=12", /32 hexadecimal digits/);
    refuses("x".repeat(65537), /longer than 65536/);
  });

  it("is shown in an error without its control characters", () => {
    refuses("\u001b[31m", /^“\\u\{1b\}\[31m” is not/);
  });
});

describe("the address of a well-known bus", () => {
  it("is what DBUS_SESSION_BUS_ADDRESS says", () => {
    const environment = { DBUS_SESSION_BUS_ADDRESS: "unix:path=/a", XDG_RUNTIME_DIR: "/run/user/1" };
    assert.equal(wellKnownBusAddress("session", environment), "unix:path=/a");
  });

  it("else is the socket in XDG_RUNTIME_DIR", () => {
    const environment = { DBUS_SESSION_BUS_ADDRESS: "", XDG_RUNTIME_DIR: "/run/a b" };
    assert.equal(wellKnownBusAddress("session", environment), "unix:path=/run/a%20b/bus");
  });

  it("cannot be told without both", () => {
    assert.throws(() => wellKnownBusAddress("session", {}), /neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR/);
  });

  it("of the system is in DBUS_SYSTEM_BUS_ADDRESS, else at its usual place", () => {
    assert.equal(wellKnownBusAddress("system", { DBUS_SYSTEM_BUS_ADDRESS: "unix:abstract=s" }), "unix:abstract=s");
    assert.equal(wellKnownBusAddress("system", {}), "unix:path=/var/run/dbus/system_bus_socket");
  });
});

describe("percent-encoding", () => {
  it("is undone by parsing", () => {
    const path = "/tmp/é ,;%=:*\\'\"";
    assert.deepEqual(summary(`unix:path=${percentEncoded(path)}`), [`path ${path}`]);
  });
});
