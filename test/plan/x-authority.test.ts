import assert from "node:assert/strict";
import { authorityFor, parseAuthority, writeAuthority, XFamily } from "../../src/plan/x-authority.js";
import type { XAuthorityEntry } from "../../src/plan/x-authority.js";
import { displaySocket, parseDisplay } from "../../src/plan/x-display.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function entry(overrides: Partial<XAuthorityEntry> = {}): XAuthorityEntry {
  const usual = { family: XFamily.LOCAL, address: bytes("host"), number: bytes("7"), name: bytes("MIT-MAGIC-COOKIE-1") };
  return { ...usual, data: bytes("0123456789abcdef"), ...overrides };
}

const display = { host: null, number: "7" };

function cookieOf(entries: readonly XAuthorityEntry[]): string | null {
  const file = authorityFor(display, writeAuthority(entries), "host");
  if (file === null) return null;
  const [only, ...others] = parseAuthority(file);
  assert.deepEqual(others, []);
  assert.equal(only?.family, XFamily.WILD);
  return new TextDecoder().decode(only.data);
}

describe("an authority file for one display", () => {
  it("has the cookie of that display and nothing else", () => {
    const entries = [entry({ number: bytes("8"), data: bytes("other display") }), entry(), entry({ data: bytes("later") })];
    assert.equal(cookieOf(entries), "0123456789abcdef");
  });

  it("takes an entry for every display, and one for every host", () => {
    assert.equal(cookieOf([entry({ number: bytes("") })]), "0123456789abcdef");
    assert.equal(cookieOf([entry({ family: XFamily.WILD, address: bytes("") })]), "0123456789abcdef");
  });

  it("does not have those of other hosts, of other methods, or what is too long for a cookie", () => {
    assert.equal(cookieOf([entry({ address: bytes("elsewhere") })]), null);
    assert.equal(cookieOf([entry({ name: bytes("XDM-AUTHORIZATION-1") })]), null);
    assert.equal(cookieOf([entry({ data: new Uint8Array(257) })]), null);
    assert.equal(cookieOf([]), null);
  });

  it("is read up to where it is cut off, wherever that is", () => {
    const whole = writeAuthority([entry(), entry({ number: bytes("8") })]);
    const first = writeAuthority([entry()]).length;
    for (let length = 0; length < whole.length; length++) {
      assert.equal(parseAuthority(whole.subarray(0, length)).length, length < first ? 0 : 1, String(length));
    }
  });

  it("cannot have a string that its format has no length for", () => {
    assert.throws(() => writeAuthority([entry({ data: new Uint8Array(65536) })]), RangeError);
  });
});

describe("the name of an X display", () => {
  it("is read in each of its forms", () => {
    const forms = { ":0": [null, "0"], ":07.1": [null, "7"], "unix:3": [null, "3"], "unix/host:3": [null, "3"], "local/h:2.0": [null, "2"] };
    for (const [text, [host, number]] of Object.entries(forms)) assert.deepEqual(parseDisplay(text), { host, number }, text);
    assert.deepEqual(parseDisplay("localhost:10.0"), { host: "localhost", number: "10" });
    assert.deepEqual(parseDisplay("tcp/far.example:1"), { host: "far.example", number: "1" });
    assert.deepEqual(parseDisplay("[::1]:1"), { host: "[::1]", number: "1" });
  });

  it("is refused when it is none, and cannot name another path", () => {
    for (const text of ["", "0", ":", ":x", ":0.x", ":999999", ":../../etc/passwd", ":0\n", "/tmp/socket:0"]) {
      assert.equal(parseDisplay(text), null, text);
    }
    assert.equal(displaySocket({ host: null, number: "7" }), "/tmp/.X11-unix/X7");
  });
});
