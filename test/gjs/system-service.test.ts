import assert from "node:assert/strict";
import { join } from "node:path";
import { temporaryDirectory } from "../node/gsubprocess/children.js";
import { bundled, lines } from "./running-gjs.js";

const name = "system-calls-in-gjs";

describe("system calls in GJS", function () {
  this.timeout(60_000);

  it("are had from one service that is started at first use, and again if it has died", () => {
    assert.deepEqual(lines("/bin/sh", ["-c", 'ulimit -n 102; exec gjs -m "$0"', bundled(name)]), [
      "services before the first call: 0",
      "a pipe: true",
      "a pair of sockets: true",
      'a file in memory: "/memfd:label (deleted)"',
      'a label that is too long: ["memfd_create","EINVAL"]',
      "a duplicate is no standard stream: [true,true,false]",
      'a duplicate of nothing: ["fcntl","EBADF"]',
      "is open: [true,false,false]",
      "nothing is left open: 0",
      "a service that has died is started again: true",
      "and leaves nothing open: 0",
      'pipes without end: ["pipe2","EMFILE"]',
      "leave room again when they are closed: [true,0]",
    ]);
  });

  it("are not available if the service cannot be started", () => {
    using directory = temporaryDirectory();
    const bundle = bundled(name, join(directory.path, "a/b/bundle.js"));
    assert.deepEqual(lines("gjs", ["-m", bundle]), [
      "services before the first call: 0",
      'a pipe: ["gio-sandbox-error-quark",0,"No sandbox is available"]',
    ]);
  });
});
