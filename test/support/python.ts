/** Finds a Python that has pyzmq, which is how the tests reach native libzmq. */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { suite } from "uvu";

const CANDIDATES = [process.env.PYTHON, "python3", "/usr/bin/python3"];

/** How to call Python with pyzmq; undefined where there is none. */
export const python: string | undefined = CANDIDATES.find((command) =>
  command &&
  spawnSync(command, ["-c", "import zmq"], { stdio: "ignore" }).status === 0
);

/**
 * A suite that needs Python: without it its tests are skipped, but in continuous
 * integration, where it must be there, they fail.
 */
export function interopSuite(name: string): ReturnType<typeof suite> {
  const test = suite(name);
  if (python) return test;
  if (process.env.CI) {
    // Here too, because a suite's own preparation may fail before the test runs.
    console.error("there is no Python with pyzmq");
    test("finds Python with pyzmq", () => {
      throw new Error(`none of ${CANDIDATES.filter(Boolean)} has it`);
    });
  }
  const skipped = Object.assign(() => test.skip(), test);
  return skipped as unknown as typeof test;
}
