// A command that ends with all that it has started.

import { spawn } from "node:child_process";
import process from "node:process";
import { root } from "./bundle.mjs";

/** Runs a command for so long at most: whether it ended well, and all that it printed. */
export function run(command, args, limitMs) {
  return new Promise((resolve) => {
    let text = "";
    let late = false;
    let settled = false;
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, so that what a test has started ends with it.
      detached: true,
    });
    const kill = () => {
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // There is nothing left to end.
      }
    };
    const timer = setTimeout(() => {
      late = true;
      text += `\nstill running after ${limitMs / 1000} s\n`;
      kill();
    }, limitMs);
    const finish = (ok) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      resolve({ ok: ok && !late, text });
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk) => text += chunk);
    }
    child.on("error", (error) => {
      text += `${error.message}\n`;
      finish(false);
    });
    child.on("exit", (code, signal) => {
      if (signal !== null && !late) text += `\nended by ${signal}\n`;
      // Also closes the pipes that a process left behind would hold open.
      kill();
      child.on("close", () => finish(code === 0));
    });
  });
}
