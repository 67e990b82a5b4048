import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { runOptionTable } from "../../src/cli/run-options.js";
import { directoryWords, wholeWords } from "../../src/permissions/filesystem.js";
import { SandboxPermissions } from "../../src/permissions/sandbox-permissions.js";
import { devices, features, foreignFeatures, limits, shares, sockets } from "../../src/permissions/vocabulary.js";

const page = readFileSync(new URL("../../docs/permissions.md", import.meta.url), "utf8");

describe("the page on permissions", () => {
  it("names every word that there is", () => {
    for (const word of [...shares, ...sockets, ...devices, ...features, ...limits, ...wholeWords, ...directoryWords]) {
      assert.match(page, new RegExp(`[\`;=]${word}[\`;=/]`), word);
    }
    for (const word of foreignFeatures) assert.ok(!page.includes(`\`${word}\``), word);
  });

  it("names every method that grants or takes away, and every option, those of the system bus by one", () => {
    const others = ["constructor", "isFrozen", "freeze", "copy", "snapshot", "toString", "equals"];
    for (const name of Object.getOwnPropertyNames(SandboxPermissions.prototype)) {
      if (!others.includes(name) && !/System(?!TalkName)/.test(name)) assert.ok(page.includes(`\`${name}(`), name);
    }
    for (const [name, { section }] of runOptionTable) {
      const isPermission = section === "Permissions" || section === "Limits";
      if (isPermission && !/^--system-(?!talk)/.test(name)) assert.match(page, new RegExp(`[\`"(> ]${name}[=\` ]`), name);
    }
  });

  it("shows a file that is one, the same as the code and the command line beside it", () => {
    const file = /```ini\n([^]*?)```/.exec(page)?.[1] ?? assert.fail();
    const expected = new SandboxPermissions().addFilesystem("/home/me/in.pdf:ro").setLimit("memory", 512 * 1024 * 1024);
    assert.ok(SandboxPermissions.fromKeyFile(file).equals(expected));
  });

  it("names every profile", () => {
    for (const file of readdirSync(new URL("../../data/profiles", import.meta.url))) {
      assert.ok(page.includes(`| \`${file.replace(/\.profile$/, "")}\` |`), file);
    }
  });
});
