import communicating from "./scenarios/communicating.js";
import face from "./scenarios/face.js";
import { launcherScenarios, subprocessScenarios } from "./scenarios/launcher.js";
import sandboxed, { cancelledLaunches } from "./scenarios/sandboxed.js";
import { endScenarios, signalScenarios, statusScenarios } from "./scenarios/status.js";
import streams from "./scenarios/streams.js";
import upstream from "./scenarios/upstream.js";
import { loopScenarios, waitingScenarios } from "./scenarios/waiting.js";

/** All scenarios by their names: functions that take a `Trial` and give plain data, one field for each thing observed. */
export const scenarios = new Map([
  ...statusScenarios,
  ...waitingScenarios,
  ...cancelledLaunches,
  ...communicating,
  ...streams,
  ...launcherScenarios,
  ...subprocessScenarios,
  ...endScenarios,
  ...upstream,
  ...face,
  ...loopScenarios,
  ...signalScenarios,
  ...sandboxed,
]);
