// `workshop emulator` as the tests need it: a process, its address, its journal.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const workshop = process.env.WORKSHOP_BIN;
export const models = JSON.parse(process.env.CLIENTS_MODELS);

/** An emulator on a free port; `settings` is the text of its settings file. */
export class Emulator {
  static async start({ settings = "", paced = false } = {}) {
    const one = new Emulator();
    one.folder = mkdtempSync(join(tmpdir(), "workshop-"));
    const file = join(one.folder, "settings.toml");
    writeFileSync(file, settings);
    const args = ["emulator", "--addr", "127.0.0.1:0", "--json", "--config", file];
    if (!paced) args.push("--no-latency");
    one.process = spawn(workshop, args, { cwd: one.folder, stdio: ["ignore", "pipe", "inherit"] });
    one.entries = [];
    const lines = createInterface({ input: one.process.stdout });
    const [ready] = await once(lines, "line");
    lines.on("line", (line) => {
      one.entries.push(JSON.parse(line));
      one.process.emit("entry");
    });
    one.url = JSON.parse(ready).emulator;
    one.env = JSON.parse(
      execFileSync(workshop, ["env", "--shell", "json", "--emulator-addr", one.url.replace("http://", "")], {
        cwd: one.folder,
        encoding: "utf8",
      }),
    );
    return one;
  }

  /** The journal's entries, once there are as many. */
  async requests(count) {
    const late = AbortSignal.timeout(20_000);
    while (this.entries.length < count) await once(this.process, "entry", { signal: late });
    return this.entries;
  }

  /** A client finds it by the printed variables and nothing else. */
  use() {
    for (const name of Object.keys(process.env)) if (/^(AWS|ANTHROPIC)_/.test(name)) delete process.env[name];
    // No file of the machine decides what is tested.
    const files = { AWS_CONFIG_FILE: "/dev/null", AWS_SHARED_CREDENTIALS_FILE: "/dev/null" };
    Object.assign(process.env, this.env, files);
    return this;
  }

  async stop() {
    const ended = once(this.process, "exit");
    this.process.kill();
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs `body` with an emulator of its own, which the printed variables name meanwhile. */
export async function withEmulator(options, shared, body) {
  const own = await Emulator.start(options);
  try {
    return await body(own.use());
  } finally {
    shared.use();
    await own.stop();
  }
}

/** A behaviour that this client does not have. */
export const notApplicable = (behaviour, reason) => test(`${behaviour}: n.a.`, { skip: reason }, () => assert.fail());

/** Text of at least so many tokens, different for each subject: what a cache can keep. */
export function longText(tokens, about) {
  const sentence = (n) => `A sentence about ${about}, number ${n}, says what the one before it left out. `;
  return Array.from({ length: Math.ceil((tokens * 6) / sentence(0).length) }, (_, n) => sentence(n)).join("");
}

export const weather = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer", minimum: 1 } },
  required: ["city", "days"],
};

export function assertWeather(input) {
  assert.deepEqual(Object.keys(input).sort(), ["city", "days"]);
  assert.equal(typeof input.city, "string");
  assert.ok(Number.isInteger(input.days) && input.days >= 1, `days is ${input.days}`);
}
