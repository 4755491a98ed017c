// Shows a schema as a list of members; what is inside a member is built when it is opened.

import { element, fold } from "./element.js";
import { markdown } from "./markdown.js";

const LIMITS = {
  default: "default",
  minimum: "at least",
  maximum: "at most",
  minLength: "minimum length",
  maxLength: "maximum length",
  minItems: "minimum entries",
  maxItems: "maximum entries",
  maxProperties: "maximum pairs",
  pattern: "pattern",
};
const MOST_NAMED = 4; // alternatives in the name of a type

const isNull = (schema) => schema.type === "null";

export function typeName(schema) {
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" or ");
  if (schema.anyOf) return joinNames(schema.anyOf.map(typeName));
  if (schema.items) return `array of ${typeName(schema.items)}`;
  return joinNames([schema.type ?? "any value"].flat());
}

function joinNames(names) {
  const all = [...new Set(names)];
  const rest = all.length - MOST_NAMED;
  return rest > 1 ? `${all.slice(0, MOST_NAMED).join(" or ")} or ${rest} others` : all.join(" or ");
}

function limits(schema) {
  const set = Object.keys(LIMITS).filter((name) => name in schema);
  const text = set.map((name) => `${LIMITS[name]} ${JSON.stringify(schema[name])}`).join("; ");
  return text ? [element("p", { className: "limits" }, text)] : [];
}

function hasMembers(schema, api) {
  const { properties, anyOf, items, additionalProperties } = api.resolve(schema);
  if (properties) return true;
  const inside = [...(anyOf ?? []), items, additionalProperties];
  return inside.some((each) => each instanceof Object && hasMembers(each, api));
}

// The members of an object, of an array's entries, or of each alternative.
function showMembers(schema, api) {
  const { properties, required, anyOf, items, additionalProperties } = api.resolve(schema);
  if (properties) {
    return [element("ul", { className: "members" }, ...Object.entries(properties).map(
      ([name, member]) => showMember(name, member, required?.includes(name), api)))];
  }
  if (anyOf) return showAlternatives(anyOf.filter((each) => hasMembers(each, api)), api);
  return showMembers(items ?? additionalProperties, api);
}

function showAlternatives(alternatives, api) {
  if (alternatives.length === 1) return showMembers(alternatives[0], api);
  return alternatives.map((each) => fold(typeName(each), () => showSchema(each, api)));
}

function showMember(name, member, isRequired, api) {
  const schema = api.resolve(member);
  const own = schema["x-antiphon-extension"] ? "Antiphon's own" : null;
  const about = [typeName(member), isRequired ? "required" : null, own].filter(Boolean).join(", ");
  const more = hasMembers(member, api)
    ? [fold(`Members of ${name}`, () => showMembers(member, api))] : [];
  return element("li", {}, element("code", {}, name), ` ${about}`,
    ...markdown(schema.description), ...limits(schema), ...more);
}

export function showSchema(schema, api) {
  const whole = api.resolve(schema);
  const members = isNull(whole) || !hasMembers(whole, api) ? [] : showMembers(whole, api);
  const type = members.length ? [] : [element("p", {}, typeName(schema))];
  return [...markdown(whole.description), ...type, ...limits(whole), ...members];
}
