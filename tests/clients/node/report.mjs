// Node's test events as lines for a person, and as lines of $CLIENTS_REPORT for run.py.
//
// A file's suites carry the clients' names; a test's name begins with its behaviour and a colon.
import { appendFileSync } from "node:fs";

export default async function* report(events) {
  let client;
  for await (const { type, data } of events) {
    if (type === "test:start" && data.nesting === 0) client = data.name;
    if (type === "test:stderr" || type === "test:stdout") yield data.message;
    if (type !== "test:pass" && type !== "test:fail") continue;
    const failed = type === "test:fail";
    // A suite counts only when it breaks for a reason of its own.
    const own = data.details?.error?.failureType !== "subtestsFailed";
    if (data.details?.type === "suite" || data.nesting === 0) {
      if (failed && own) yield `not ok ${data.name}\n${details(data)}\n`;
      continue;
    }
    const outcome = failed ? "fail" : data.skip ? "n.a." : "pass";
    yield `${failed ? "not ok" : "ok"} ${data.name}\n${failed ? details(data) + "\n" : ""}`;
    const line = {
      client,
      behaviour: data.name.split(":")[0],
      test: data.name,
      outcome,
      reason: typeof data.skip === "string" ? data.skip : "",
    };
    appendFileSync(process.env.CLIENTS_REPORT, `${JSON.stringify(line)}\n`);
  }
}

const details = (data) => {
  const error = data.details.error;
  return (error.cause?.stack ?? error.stack ?? String(error)).replace(/^/gm, "    ");
};
