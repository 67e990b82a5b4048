/** What is known of a child, while it runs and after its end. */
import { callback, F, group, inForms, outcome, outcomeNow, processState, until } from "./trial.js";

const getters = [
  "get_status",
  "get_successful",
  "get_if_exited",
  "get_exit_status",
  "get_if_signaled",
  "get_term_sig",
];

/** What all of them give, one field each. */
function status(child) {
  return Object.fromEntries(getters.map((name) => [name, outcomeNow(() => child[name]())]));
}

/** The same for several children, and what they are checked for. */
async function statuses(trial, scripts) {
  const all = {};
  for (const [name, script] of Object.entries(scripts)) {
    const child = await trial.shell(0, script);
    const check = await outcome(() => child.wait_check(null));
    for (const [field, value] of Object.entries({ check, ...status(child) })) all[`${name} ${field}`] = value;
  }
  return all;
}

const exits = [0, 1, 2, 125, 126, 127, 128, 129, 137, 143, 255];
const signals = [1, 2, 3, 6, 9, 10, 11, 12, 13, 14, 15, 31, 64];

export const statusScenarios = group("the status of a child", {
  "is exact for every exit status": (trial) =>
    statuses(trial, Object.fromEntries(exits.map((code) => [`exit ${code}`, `exit ${code}`]))),

  "is exact for every signal that ends a process": (trial) =>
    statuses(trial, Object.fromEntries(signals.map((signal) => [`signal ${signal}`, `kill -${signal} $$; sleep 5`]))),

  "cannot be asked for before the end": async (trial) => status(await trial.spawn(0, "sleep", "1000")),

  "comes with what the child used": async (trial) => {
    const child = await trial.shell(0, "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");
    const before = outcomeNow(() => child.get_resource_usage());
    child.wait(null);
    const usage = child.get_resource_usage();
    return {
      before,
      user: usage.user_microseconds > 1000 && usage.user_microseconds < 20_000_000,
      wall: usage.wall_microseconds >= usage.user_microseconds,
      memory: usage.maximum_resident_kibibytes > 100,
    };
  },

  "is there without any call to wait": async (trial) => {
    const child = await trial.shell(0, "exit 3");
    // ours may know of the end a moment later than the system, which the identifier comes from
    await until(() => child.get_identifier() === null && outcomeNow(() => child.get_status()).error === undefined);
    return status(child);
  },
});

export const endScenarios = group("the end of a child's scope", {
  "sends a signal to nobody after the end": inForms(["callback"], async (trial) => {
    const child = await trial.spawn(0, "true");
    child.wait(null);
    const signal = outcomeNow(() => child.send_signal(9));
    const exit = outcomeNow(() => child.force_exit());
    return { signal, exit, again: outcomeNow(() => child.wait(null)), ...status(child) };
  }),

  "takes no notice of a number that is no signal": async (trial) => {
    const child = await trial.spawn(0, "sleep", "1000");
    const results = [-1, 0, 65, 1000].map((number) => outcomeNow(() => child.send_signal(number)));
    const isAlive = "RS".includes(processState(child.get_identifier()));
    child.send_signal(15);
    await callback(child, "wait", null);
    return { results, isAlive, signal: child.get_term_sig() };
  },
});

export const signalScenarios = group("in GJS", {
  "a signal reaches the child itself, which may have its own way with it": async (trial) => {
    const child = await trial.shell(F.STDOUT_PIPE, "trap 'echo caught; exit 7' USR1; echo ready; while :; do sleep 0.02; done");
    const stdout = child.get_stdout_pipe();
    stdout.read_bytes(6, null);
    child.send_signal(10);
    const output = stdout.read_bytes(100, null).get_size();
    child.wait(null);
    return { output, ...status(child) };
  },
});
