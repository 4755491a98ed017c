// The gateway that the test started, and how a script tells the test what it saw.
import OpenAI, { APIError, AzureOpenAI } from "openai";

export const key = process.env.ANTIPHON_KEY;
const base = () => process.env.ANTIPHON_BASE; // ends in /v1
export const root = () => base().slice(0, -"/v1".length);

export const openai = (options = {}) => new OpenAI({ baseURL: base(), apiKey: key, ...options });
export const azure = (options) => new AzureOpenAI(options);

export const tell = (seen) => console.log(JSON.stringify(seen));

/** What a promise is rejected with, as a user's `catch` would look at it. */
export async function raised(promise) {
  try {
    await promise;
  } catch (error) {
    const { status, code, param, type, message, requestID } = error;
    const kind = error.constructor.name;
    const isApiError = error instanceof APIError;
    return { kind, isApiError, status, code, param, type, message, requestID };
  }
  return null;
}

/** The types of the events that came, and what was raised behind them. */
export async function read(streaming) {
  const types = [];
  const error = await raised(
    (async () => {
      for await (const event of await streaming) types.push(event.type);
    })(),
  );
  return { types, error };
}
