// Runs a script for each line of its input, so that the SDK is imported once for all of them.
import { createInterface } from "node:readline";
import { tell } from "./gateway.mjs";

let runs = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { script, base, args } = JSON.parse(line);
  process.env.ANTIPHON_BASE = base;
  process.argv.splice(2, Infinity, ...args);
  runs += 1; // or it would be imported once
  try {
    await import(`./${script}.mjs?run=${runs}`);
  } catch (error) {
    tell({ raised: error.stack });
  }
}
