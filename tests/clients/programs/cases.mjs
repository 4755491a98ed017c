// What each program does with a client's library: one function a case, one line of JSON at the end.
export const BASE = process.env.ANTIPHON_BASE; // a gateway whose models the simulator plays
export const COUNTED = process.env.ANTIPHON_COUNTED; // a gateway whose provider counts the requests
export const KEY = process.env.ANTIPHON_KEY;
export const WRONG_KEY = "sk-unknown-key-123";
// Inputs by which the provider of COUNTED chooses what it answers.
export const LIMITED = "answer 429";
export const FAILING = "answer 500";
export const OVERLOADED = "answer 503 once";

/** What a call rejects with, as the user of a library sees it. */
export async function describe(call) {
  try {
    return { kind: "nothing was raised", message: JSON.stringify(await call()) };
  } catch (error) {
    return { kind: error.constructor.name, message: error.message };
  }
}

/** Runs all cases, also behind one that fails, and prints what each returned. */
export async function report(version, cases) {
  const results = {};
  for (const [name, run] of Object.entries(cases)) {
    try {
      results[name] = await run();
    } catch (error) {
      results[name] = { raised: `${error.constructor.name}: ${error.message}` };
    }
  }
  console.log(JSON.stringify({ version, cases: results }));
}
