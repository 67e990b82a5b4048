/** Waiting for a child, and what cancels that. */
import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";
import GObject from "gi://GObject?version=2.0";
import System from "system";
import { callback, cancelled, F, group, inEachForm, outcome, outcomeNow, processState, sleep, soon, until } from "./trial.js";

/** Whether anybody would still hear of its being cancelled. */
function hasListener(cancellable) {
  const signal = GObject.signal_lookup("cancelled", Gio.Cancellable.$gtype);
  return GObject.signal_has_handler_pending(cancellable, signal, 0, false);
}

export const waitingScenarios = group("waiting", {
  "ends for each who waits, although another cancels": async (trial) => {
    const child = await trial.spawn(F.STDIN_PIPE, "cat");
    const cancellable = new Gio.Cancellable();
    const order = [];
    const wait = (name, method, own) =>
      outcome(() => callback(child, method, own)).then((result) => {
        order.push(name);
        return result;
      });
    const waits = [wait("first", "wait", null), wait("second", "wait", cancellable), wait("third", "wait_check", null)];
    cancellable.cancel();
    await waits[1];
    const alive = child.get_identifier() !== null;
    child.get_stdin_pipe().close(null);
    return { results: await Promise.all(waits), order, alive };
  },

  "tells those who wait in the order in which they came": async (trial) => {
    const child = await trial.spawn(F.STDIN_PIPE, "cat");
    const order = [];
    const waits = [0, 1, 2, 3].map((number) =>
      callback(child, number % 2 === 0 ? "wait" : "wait_check", null).then(() => order.push(number)),
    );
    child.get_stdin_pipe().close(null);
    await Promise.all(waits);
    return { order };
  },

  "is cancelled by a signal that was aborted already, also after the end": inEachForm(async (trial, form) => {
    const running = await trial.spawn(F.STDIN_PIPE, "cat");
    const child = await trial.spawn(0, "true");
    child.wait(null);
    return {
      running: await soon(outcome(() => form(running, "wait", cancelled()))),
      "running, check": await soon(outcome(() => form(running, "wait_check", cancelled()))),
      ended: await outcome(() => form(child, "wait", cancelled())),
      "ended, check": await outcome(() => form(child, "wait_check", cancelled())),
      uncancelled: await outcome(() => form(child, "wait", new Gio.Cancellable())),
      without: await outcome(() => form(child, "wait", null)),
    };
  }),

  "is not ended by a child that stops": async (trial) => {
    const child = await trial.shell(0, "kill -STOP $$; exit 5");
    await until(() => processState(child.get_identifier()) === "T");
    let isWaiting = true;
    const waiting = callback(child, "wait", null).finally(() => (isWaiting = false));
    await sleep(100);
    const stopped = isWaiting;
    child.send_signal(18);
    return { stopped, wait: await outcome(() => waiting), status: child.get_exit_status() };
  },

  "leaves no listener on the signal": inEachForm(async (trial, form) => {
    const cancellable = new Gio.Cancellable();
    const child = await trial.spawn(F.STDIN_PIPE | F.STDOUT_PIPE, "cat");
    const results = [
      await outcome(() => form(child, "communicate_utf8", "x", cancellable)),
      await outcome(() => form(child, "wait", cancellable)),
      await outcome(() => form(child, "wait_check", cancellable)),
    ];
    await until(() => {
      System.gc();
      return !hasListener(cancellable);
    });
    return { results };
  }),
});

/** A cancellable that is cancelled in the callback, before the result is asked for. */
function cancelledBeforeFinish(child, method, ...parameters) {
  const cancellable = new Gio.Cancellable();
  return new Promise((resolve) => {
    child[`${method}_async`](...parameters, cancellable, (_source, result) => {
      cancellable.cancel();
      resolve(outcomeNow(() => child[`${method}_finish`](result)));
    });
  });
}

/** Does something in a callback of the main loop's. */
function inCallback(work) {
  return new Promise((resolve, reject) => {
    GLib.idle_add(GLib.PRIORITY_DEFAULT, () => {
      work().then(resolve, reject);
      return GLib.SOURCE_REMOVE;
    });
  });
}

/** Counts how often a timer of the application's fires while something is done. */
async function ticksDuring(work) {
  let ticks = 0;
  const source = GLib.timeout_add(GLib.PRIORITY_DEFAULT, 10, () => {
    ticks++;
    return GLib.SOURCE_CONTINUE;
  });
  await work();
  GLib.source_remove(source);
  return ticks;
}

export const loopScenarios = group("in GJS", {
  "cancelled in the callback and before finish is cancelled": async (trial) => {
    const child = await trial.shell(F.STDOUT_PIPE, "echo x");
    return {
      communicate: await cancelledBeforeFinish(child, "communicate", null),
      wait: await cancelledBeforeFinish(child, "wait"),
      check: await cancelledBeforeFinish(child, "wait_check"),
    };
  },

  "a blocking call works in a callback of the main loop": (trial) =>
    inCallback(async () => {
      const child = trial.started(trial.Subprocess.new(["sh", "-c", "cat; exit 3"], F.STDIN_PIPE | F.STDOUT_PIPE));
      const output = outcomeNow(() => child.communicate_utf8("x", null));
      const results = [outcomeNow(() => child.wait(null)), outcomeNow(() => child.wait_check(null))];
      return { output, results };
    }),

  "a blocking call works in a callback that belongs to another operation": async (trial) => {
    const first = await trial.spawn(0, "true");
    return new Promise((resolve) => {
      first.wait_async(null, (_source, result) => {
        const finish = outcomeNow(() => first.wait_finish(result));
        const second = trial.started(trial.Subprocess.new(["echo", "x"], F.STDOUT_PIPE));
        resolve({ finish, output: outcomeNow(() => second.communicate_utf8(null, null)) });
      });
    });
  },

  "the application's own sources wait while a blocking call does": async (trial) => {
    const child = await trial.spawn(0, "sleep", "0.2");
    const other = await trial.shell(F.STDOUT_PIPE, "sleep 0.2; echo x");
    return {
      wait: await ticksDuring(async () => child.wait(null)),
      communicate: await ticksDuring(async () => other.communicate_utf8(null, null)),
      launch: await ticksDuring(async () => trial.started(trial.Subprocess.new(["true"], 0)).wait(null)),
    };
  },

  "the application's own sources go on during an asynchronous call": async (trial) => {
    const child = await trial.spawn(0, "sleep", "0.2");
    return { goesOn: (await ticksDuring(() => callback(child, "wait", null))) > 5 };
  },

  "an operation that ends while another blocks is told of afterwards": async (trial) => {
    const quick = await trial.shell(F.STDOUT_PIPE, "echo quick");
    const slow = await trial.spawn(0, "sleep", "0.3");
    const order = [];
    const waiting = callback(quick, "communicate_utf8", null, null).then(([, output]) => order.push(output));
    const checking = callback(quick, "wait_check", null).then(() => order.push("check"));
    slow.wait(null);
    order.push("slow");
    await Promise.all([waiting, checking]);
    return { first: order[0], rest: order.slice(1).sort() };
  },

  "an operation in another main context is told of there": async (trial) => {
    const child = await trial.spawn(0, "sleep", "0.1");
    const context = GLib.MainContext.new();
    const order = [];
    context.push_thread_default();
    child.wait_async(null, (_source, result) => order.push(outcomeNow(() => child.wait_finish(result))));
    context.pop_thread_default();
    await callback(child, "wait", null);
    await sleep(50);
    const before = order.length;
    while (order.length === 0) context.iteration(true);
    return { before, order };
  },

  "a callback comes once, from the main loop, with its process and a result": async (trial) => {
    const methods = { communicate: [null, null], communicate_utf8: [null, null], wait: [null], wait_check: [null] };
    const result = {};
    for (const [method, parameters] of Object.entries(methods)) {
      const child = await trial.spawn(0, "true");
      const calls = [];
      let isDuringCall = true;
      const returned = outcomeNow(() =>
        child[`${method}_async`](...parameters, (...given) => {
          const [source, task] = given;
          const facts = [given.length, isDuringCall, source === child, task instanceof Gio.Task, task.get_source_object() === child];
          calls.push([...facts, outcomeNow(() => child[`${method}_finish`](task))]);
        }),
      );
      isDuringCall = false;
      await until(() => calls.length > 0);
      await sleep(20);
      result[method] = [returned, calls];
    }
    return result;
  },

  "a callback may be null": async (trial) => {
    const child = await trial.spawn(F.STDOUT_PIPE, "true");
    const results = [
      outcomeNow(() => child.wait_async(null, null)),
      outcomeNow(() => child.wait_check_async(null, null)),
      outcomeNow(() => child.communicate_async(null, null, null)),
    ];
    await callback(child, "wait", null);
    return { results };
  },

  "a child is killed when the application cancels, as applications do it": async (trial) => {
    const child = await trial.spawn(F.STDOUT_PIPE, "sleep", "1000");
    const cancellable = new Gio.Cancellable();
    const id = cancellable.connect(() => child.force_exit());
    const waiting = outcome(() => callback(child, "communicate_utf8", null, cancellable));
    setTimeout(() => cancellable.cancel(), 30);
    const output = await waiting;
    cancellable.disconnect(id);
    return { output, wait: await outcome(() => callback(child, "wait", null)), signal: child.get_term_sig() };
  },

  "many children at once all come to their ends": async (trial) => {
    const numbers = Array.from({ length: 12 }, (_, number) => number);
    const children = await Promise.all(
      numbers.map((number) => trial.shell(F.STDIN_PIPE | F.STDOUT_PIPE, `cat; exit ${number}`)),
    );
    const outputs = await Promise.all(
      children.map((child, number) => outcome(() => callback(child, "communicate_utf8", `${number}`, null))),
    );
    return { outputs, statuses: children.map((child) => child.get_exit_status()) };
  },
});
