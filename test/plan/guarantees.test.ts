import assert from "node:assert/strict";
import type { Observation, Shortfalls } from "../../src/plan/guarantees.js";
import { Aspect, aspects, checkRequired, DEFAULT_REQUIRED, guaranteesOf, requiredAspects } from "../../src/plan/guarantees.js";
import { SandboxReport } from "../../src/plan/sandbox-report.js";
import { unsandboxedGuarantees } from "../../src/plan/unsandboxed-guarantees.js";
import { Backend } from "../../src/plan/choose-backend.js";
import { shortfalls } from "../../src/plan/shortfalls.js";
import { ErrorDomain, GLibError, SandboxError } from "../../src/subprocess/glib-error.js";
import { bubblewrapReport, permissions } from "./reports.js";

const isNotEnforceable =
  (...parts: readonly string[]) =>
  (error: unknown): boolean =>
    error instanceof GLibError &&
    error.matches(ErrorDomain.SANDBOX, SandboxError.NOT_ENFORCEABLE) &&
    parts.every((part) => error.message.includes(part));

describe("required guarantees", () => {
  it("are the seven aspects of which a sandbox consists, unless others are named", () => {
    assert.deepEqual([...DEFAULT_REQUIRED].sort(), [
      ...["buses", "devices", "display", "filesystem", "lifetime", "network", "privileges"],
    ]);
  });

  it("that are not enforced are refused, with each aspect, the backend and why", () => {
    const shortfalls: Shortfalls = new Map([
      ["network", { enforcement: "partial", reason: "UDP is not held back" }],
      ["ipc", { enforcement: "none", reason: "nothing holds it" }],
      ["lifetime", { enforcement: "none", reason: "nobody watches" }],
    ]);
    assert.throws(
      () => checkRequired("landlock", shortfalls, DEFAULT_REQUIRED),
      isNotEnforceable("landlock", "network (UDP is not held back)", "lifetime (nobody watches)"),
    );
    assert.throws(() => checkRequired("landlock", shortfalls, ["ipc"]), isNotEnforceable("ipc (nothing holds it)"));
    checkRequired("landlock", shortfalls, ["filesystem", "syscalls"]);
    checkRequired("landlock", shortfalls, []);
  });

  it("are put in order, each once; a word that is no aspect is refused", () => {
    assert.deepEqual(requiredAspects(["lifetime", "network", "lifetime"]), ["network", "lifetime"]);
    assert.deepEqual(requiredAspects([]), []);
    assert.throws(() => requiredAspects(["nonsense\u001b"]), /filesystem, network.*nonsense\\u\{1b\}/);
  });
});

describe("a report", () => {
  it("speaks of every aspect once, in order, and says of each how it is held", () => {
    const report = bubblewrapReport();
    assert.deepEqual(report.guarantees.map(({ aspect }) => aspect), aspects);
    for (const { mechanisms, sentences, observations } of report.guarantees) {
      assert.ok(mechanisms.length > 0 && sentences.length > 0 && observations.length > 0);
      for (const sentence of sentences) assert.match(sentence, /^.*\S[.:]?$/);
    }
    assert.equal(report.get(Aspect.NETWORK).access, "denied");
    assert.throws(() => report.get("nonsense" as Aspect), TypeError);
  });

  it("promises each thing once", () => {
    for (const report of [bubblewrapReport(), bubblewrapReport(permissions().share("network").share("ipc"))]) {
      const probes = report.guarantees.flatMap(({ observations }) => observations.map(({ probe }) => probe));
      assert.deepEqual(probes.filter((probe, index) => probes.indexOf(probe) !== index), []);
    }
  });

  it("says what is required, and refuses what is required and not enforced", () => {
    const report = bubblewrapReport();
    assert.deepEqual(
      report.guarantees.filter(({ required }) => required).map(({ aspect }) => aspect),
      requiredAspects(DEFAULT_REQUIRED),
    );
    report.checkRequired();
    const unsandboxed = (required: readonly Aspect[]): SandboxReport =>
      new SandboxReport("none", guaranteesOf(unsandboxedGuarantees(), shortfalls[Backend.NONE], required), null);
    unsandboxed([]).checkRequired();
    assert.throws(() => unsandboxed(["network"]).checkRequired(), isNotEnforceable("none", "network (there is no sandbox)"));
  });

  it("without a sandbox says that nothing is enforced", () => {
    const report = new SandboxReport("none", guaranteesOf(unsandboxedGuarantees(), shortfalls[Backend.NONE], []), null);
    assert.ok(report.guarantees.every(({ enforcement, shortfall }) => enforcement === "none" && shortfall !== null));
    assert.match(String(report), /NOT ENFORCED/);
  });

  it("is equal to another that says the same, and to no other", () => {
    assert.ok(bubblewrapReport().equals(bubblewrapReport()));
    assert.ok(!bubblewrapReport().equals(bubblewrapReport(permissions().share("network"))));
    assert.ok(!bubblewrapReport().equals(bubblewrapReport(permissions(), ["network"])));
  });

  it("is JSON that says all that it says", () => {
    const report = bubblewrapReport();
    const { backend, guarantees, filesystem } = JSON.parse(JSON.stringify(report)) as SandboxReport;
    assert.deepEqual(new SandboxReport(backend, guarantees, filesystem), report);
  });

  it("changes with permissions where they concern, and nowhere else", () => {
    const changed = (report: SandboxReport): readonly string[] =>
      aspects.filter((aspect) => JSON.stringify(report.get(aspect)) !== JSON.stringify(bubblewrapReport().get(aspect)));
    // an X server or a bus may listen on the abstract sockets that come with the network
    assert.deepEqual(changed(bubblewrapReport(permissions().share("network"))), ["filesystem", "network", "buses", "display"]);
    assert.deepEqual(changed(bubblewrapReport(permissions().share("ipc"))), ["ipc"]);
    assert.deepEqual(changed(bubblewrapReport(permissions().setLimit("open-files", 5))), ["resources"]);
    assert.deepEqual(changed(bubblewrapReport(permissions().addFilesystem("/data"))), ["filesystem"]);
  });

  it("never promises the result of a call that the filter refuses", () => {
    const report = bubblewrapReport(permissions().setSyscalls(["~socket:EACCES", "shmget:EMFILE", "unshare:ENOENT"]));
    const observed = new Map(
      report.guarantees.flatMap(({ observations }) => observations.map(({ probe, result }: Observation) => [probe, result])),
    );
    assert.equal(observed.get("connect-host-inet"), "EACCES");
    assert.equal(observed.get("socket 1"), "EACCES");
    assert.equal(observed.get("own-shared-memory"), "EMFILE");
    assert.equal(observed.get("call unshare"), "ENOENT");
  });

  it("is for people too: a table, and a picture of the file system", () => {
    const text = String(bubblewrapReport(permissions().addFilesystem("/data/in\u001b[31m:ro")));
    assert.match(text, /^network {7}denied {5}network namespace; required$/m);
    assert.match(text, /^├── data\/in\\u\{1b\}\[31m +ro {2}the host's$/m);
    assert.match(text, /^├── tmp +rw 1777 {2}its own, 256 MiB at most$/m);
    // eslint-disable-next-line no-control-regex -- that there is none is what is tested
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f]/);
    for (const line of text.split("\n")) assert.ok(line.length <= 110, line);
  });
});
