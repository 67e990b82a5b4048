/** An init that is a template, and the sandboxes that it makes. */
import assert from "node:assert/strict";
import { getegid, geteuid } from "node:process";
import type { ProcessExit } from "../../src/init/decode.js";
import type { LaunchOrder, MakeOrder } from "../../src/init/encode.js";
import { encodeHello, encodeLaunch, encodeMake, encodeSignal } from "../../src/init/encode.js";
import { HelloFlag, Origin, Refusal, SignalScope, Step } from "../../src/init/protocol.js";
import { DescriptorScope } from "../../src/node/descriptor-scope.js";
import { allowAll, smallest } from "../init/samples.js";
import { fixture } from "../node/gsubprocess/children.js";
import { Call, failing } from "./filters.js";
import type { InitCommand } from "./running-init.js";
import { canStart, hasProgram, init, InitSocket, needs, Output, RunningInit, sanitizedInit } from "./running-init.js";

const testprog = fixture("testprog");
const shell = (script: string): string[] => ["/bin/sh", "-c", script];

const namespaces = [
  ...["bwrap", "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"],
  ...["--as-pid-1", "--hostname", "template", "--dev-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/run"],
];
const rights = ["CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_SETFCAP"];
/** What `HelloFlag.TEMPLATE` needs. */
const asTemplate = (missing: string | null = null, granted: readonly string[] = []): InitCommand => [
  ...namespaces,
  ...granted,
  ...["--uid", "0", "--gid", "0", "--cap-drop", "ALL"],
  ...rights.filter((right) => right !== missing).flatMap((right) => ["--cap-add", right]),
  "--",
];

const order: MakeOrder = {
  process: 1,
  hasOwnNetwork: true,
  hasOwnIpc: true,
  userMap: `${geteuid?.() ?? 0} 0 1`,
  groupMap: `${getegid?.() ?? 0} 0 1`,
  privateDirectories: [{ path: "/run", options: "mode=1777,size=65536" }],
  carried: [],
  covers: ["/proc/sys", "/proc/there-is-no-such-thing"],
  filters: [],
};

/** Has a template make a sandbox. */
async function make(template: RunningInit, parts: Partial<MakeOrder> = {}): Promise<InitSocket> {
  using scope = new DescriptorScope();
  const [ours, theirs] = scope.socketPair();
  await template.send(encodeMake({ ...order, ...parts }), [theirs]);
  return new InitSocket(scope.release(ours));
}

async function makeReady(template: RunningInit, parts: Partial<MakeOrder> = {}, flags: number = HelloFlag.SINGLE_USE): Promise<InitSocket> {
  const made = await make(template, parts);
  await made.send(encodeHello(flags));
  await made.expect("ready");
  return made;
}

/** What a command writes to its standard output in a sandbox. */
async function outputOf(made: InitSocket, parts: Partial<LaunchOrder>): Promise<string> {
  using output = new Output();
  await made.launch({ ...parts, descriptors: [{ target: 1, origin: Origin.RECEIVED, source: 0 }] }, [output.end]);
  return await output.all();
}

/** The names of the namespaces that something is in. */
const listNamespaces = "for each in cgroup ipc mnt net pid user uts; do readlink /proc/self/ns/$each; done";

for (const [name, program] of [
  ["gio-sandbox-init as a template", init],
  ["gio-sandbox-init as a template, with sanitizers", sanitizedInit],
] as const) {
  describe(name, function () {
    before(function () {
      needs(this, hasProgram(program), program);
      needs(this, canStart(asTemplate()), "a bwrap that can make namespaces");
    });
    describeTemplate([program]);
  });
}

function describeTemplate(command: InitCommand): void {
  const start = (missing: string | null = null): Promise<RunningInit> =>
    RunningInit.greeted(command, HelloFlag.TEMPLATE, { prefix: asTemplate(missing) });

  it("makes sandboxes, and says when each has begun and ended", async () => {
    await using template = await start();
    for (let process = 1; process < 5; process++) {
      const made = await makeReady(template, { process });
      assert.equal((await template.expect("started")).process, process);
      await made.launch({ argv: [testprog, "exit", "7"] });
      await made.expect("started");
      assert.equal((await made.expect("exited")).status, 7 << 8);
      const exit: ProcessExit = await template.expect("exited");
      assert.deepEqual([exit.process, exit.status], [process, 0]);
      await template.expect("empty");
    }
  });

  it("gives each namespaces of its own", async () => {
    await using template = await start();
    // they stay, since a namespace's number may be another's when it has gone
    const sandboxes = [await makeReady(template, { process: 1 }, 0), await makeReady(template, { process: 2 }, 0)];
    const lists: string[][] = [];
    for (const made of sandboxes) lists.push((await outputOf(made, { argv: shell(listNamespaces) })).trim().split("\n"));
    const [one = [], other = []] = lists;
    assert.equal(one.length, 7);
    one.forEach((namespace, index) => assert.notEqual(namespace, other[index]));
  });

  it("shares the network and IPC with those that are to share them", async () => {
    await using template = await start();
    const lists: string[][] = [];
    for (const process of [1, 2]) {
      const made = await makeReady(template, { process, hasOwnNetwork: false, hasOwnIpc: false }, 0);
      lists.push((await outputOf(made, { argv: shell(listNamespaces) })).trim().split("\n"));
    }
    const [one = [], other = []] = lists;
    assert.deepEqual(one.map((namespace, index) => namespace === other[index]), [false, true, false, true, false, false, false]);
  });

  it("gives each its own processes, an empty private directory, a host name and a loopback device that works", async () => {
    await using template = await start();
    for (const process of [1, 2]) {
      const made = await makeReady(template, { process });
      const script = "ls -A /run; echo $$; stat -f -c %b /run; hostname; ip -o -4 address; echo >/run/mine";
      const seen = await outputOf(made, { argv: shell(script), environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] });
      assert.match(seen, /^2\n16\ntemplate\n1: lo +inet 127\.0\.0\.1\/8 .*\n$/);
    }
  });

  it("leaves no right, no way to one, and no other user namespace", async () => {
    await using template = await start();
    const made = await makeReady(template);
    const script = [
      ...["grep -E '^(Cap|NoNewPrivs)' /proc/self/status", "cat /proc/self/uid_map /proc/self/setgroups"],
      ...["unshare --user true 2>&1; mount -t tmpfs none /run 2>&1; umount /proc 2>&1", "echo 1 2>&1 >/proc/sys/kernel/core_pattern"],
    ];
    const seen = await outputOf(made, { argv: shell(script.join("; ")), searchPath: "/usr/bin:/bin", environment: ["PATH=/usr/bin:/bin"] });
    assert.equal([...seen.matchAll(/^Cap\w+:\t0{16}$/gm)].length, 5, seen);
    assert.match(seen, /^NoNewPrivs:\t1$/m);
    assert.match(seen, new RegExp(`^ +${geteuid?.() ?? 0} +0 +1\\ndeny$`, "m"));
    assert.match(seen, /unshare failed: No space left on device/);
    assert.match(seen, /mount: .*(?:permission denied|must be superuser)/i);
    assert.match(seen, /umount: .*(?:permission denied|must be superuser|not permitted)/i);
    assert.match(seen, /core_pattern: (?:Read-only file system|Permission denied)/);
  });

  it("has the filter hold for the sandbox's init as well", async () => {
    await using template = await start();
    const made = await makeReady(template, { filters: [allowAll, failing(Call.uname, 1)] });
    const seen = await outputOf(made, { argv: shell("grep Seccomp_filters /proc/1/status /proc/self/status") });
    assert.deepEqual([...seen.matchAll(/:\t(\d+)$/gm)].map(([, count]) => count), ["2", "2"]);
  });

  it("makes sandboxes that nothing of the template's can be reached from", async () => {
    await using template = await start();
    await makeReady(template, { process: 1 });
    const made = await makeReady(template, { process: 2 });
    assert.equal(await outputOf(made, { argv: [fixture("hostile"), "attack-init"] }), "");
    assert.equal((await made.expect("started")).pid, 2);
    assert.equal((await made.expect("exited")).status, 0);
  });

  it("takes along what is mounted in the template's private directories, a directory and a file, with all below it", async () => {
    const granted = ["--bind", "/usr/share", "/run/a/share", "--ro-bind", "/etc", "/run/a/share/man", "--ro-bind", "/etc/passwd", "/run/a/b/users"];
    await using template = await RunningInit.greeted(command, HelloFlag.TEMPLATE, { prefix: asTemplate(null, granted) });
    for (const process of [1, 2]) {
      const made = await makeReady(template, { process, carried: ["/run/a/share", "/run/a/b/users"] });
      const script = "ls -A /run/a /run/a/b; cmp /run/a/b/users /etc/passwd && cmp /run/a/share/man/fstab /etc/fstab && test -d /run/a/share/doc && echo >/run/mine && echo well; stat -c %a /run/a /run/a/b";
      assert.equal(await outputOf(made, { argv: shell(script) }), "/run/a:\nb\nshare\n\n/run/a/b:\nusers\nwell\n755\n755\n");
    }
  });

  it("ends a sandbox that is to be killed, or whose launcher has gone, and no other", async () => {
    await using template = await start();
    const forEver = encodeLaunch({ ...smallest, argv: [testprog, "sleep-forever"] });
    const [killed, closed, other] = [await makeReady(template, { process: 1 }), await makeReady(template, { process: 2 }), await makeReady(template, { process: 3 })];
    for (const made of [killed, closed, other]) {
      await made.send(forEver);
      await made.expect("started");
    }
    for (let count = 0; count < 3; count++) await template.expect("started");
    await template.send(encodeSignal(1, 9, SignalScope.PROCESS));
    const first = await template.expect("exited");
    assert.deepEqual([first.process, first.status], [1, 9]);
    assert.deepEqual(await killed.rest(), []);
    closed.close();
    const second = await template.expect("exited");
    assert.deepEqual([second.process, second.status], [2, 0]);
    assert.equal(await other.soon(50), null);
    template.close();
    assert.deepEqual(await other.rest(), []);
  });

  it("makes many at once", async () => {
    await using template = await start();
    const sandboxes = await Promise.all(Array.from({ length: 40 }, (_, index) => makeReady(template, { process: index + 1 })));
    await Promise.all(
      sandboxes.map(async (made, index) => {
        await made.launch({ argv: [testprog, "exit", String(index)] });
        await made.expect("started");
        assert.equal((await made.expect("exited")).status, index << 8);
      }),
    );
  });

  it("says why a sandbox could not be set up, in which step, and that it has ended", async () => {
    const cases: readonly (readonly [Partial<MakeOrder>, step: Step, errno: number, detail: number])[] = [
      [{ privateDirectories: [...order.privateDirectories, { path: "/nowhere", options: "" }] }, Step.PRIVATE, 2, 1],
      [{ privateDirectories: [{ path: "/run", options: "size=nonsense" }] }, Step.PRIVATE, 22, 0],
      [{ carried: ["/run", "/nowhere"] }, Step.CARRIED, 2, 1],
      [{ carried: ["/etc"] }, Step.CARRIED, 22, 0],
      [{ covers: ["/proc/sys", "/proc/self/status/no-directory"] }, Step.COVER, 20, 1],
      [{ userMap: "0 12345 1" }, Step.USER, 1, 0],
      [{ groupMap: "nonsense" }, Step.USER, 22, 0],
      [{ filters: [allowAll, new Uint8Array(8)] }, Step.FILTER, 22, 1],
    ];
    await using template = await start();
    for (const [index, [parts, step, errno, detail]] of cases.entries()) {
      const made = await make(template, { ...parts, process: index + 1 });
      assert.deepEqual(await made.rest(), [{ type: "failed", process: 0, step, errno, detail }]);
      await template.expect("started");
      assert.equal((await template.expect("exited")).status, 1 << 8);
      await template.expect("empty");
    }
    // and goes on
    await makeReady(template, { process: 99 });
  });

  for (const [missing, step] of [
    ["CAP_NET_ADMIN", Step.NETWORK],
    ["CAP_SETFCAP", Step.USER],
  ] as const) {
    it(`says what could not be set up without ${missing}`, async () => {
      await using template = await start(missing);
      const made = await make(template);
      assert.deepEqual(await made.rest(), [{ type: "failed", process: 0, step, errno: 1, detail: 0 }]);
    });
  }

  it("says that there could be no namespaces without CAP_SYS_ADMIN", async () => {
    await using template = await start("CAP_SYS_ADMIN");
    const made = await make(template);
    assert.deepEqual(await made.rest(), []);
    assert.deepEqual(await template.expect("failed"), { type: "failed", process: 1, step: Step.FORK, errno: 1, detail: 0 });
  });

  it("refuses launches, a number that a living sandbox has, and a sandbox without a socket or with two", async () => {
    using scope = new DescriptorScope();
    const pair = scope.socketPair();
    const cases: readonly (readonly [Uint8Array, readonly number[], Refusal])[] = [
      [encodeLaunch(smallest), [], Refusal.UNKNOWN_FRAME],
      [encodeMake(order), [], Refusal.MALFORMED],
      [encodeMake(order), pair, Refusal.MALFORMED],
      [encodeMake({ ...order, process: 5 }), [pair[0]], Refusal.PROCESS_NUMBER],
    ];
    for (const [bytes, descriptors, reason] of cases) {
      await using template = await start();
      const living = await makeReady(template, { process: 5 });
      await template.expect("started");
      await template.send(bytes, descriptors);
      assert.deepEqual(await template.rest(), [{ type: "refused", reason }]);
      assert.deepEqual(await living.rest(), [], "all that it has made ends with it");
    }
  });
}
