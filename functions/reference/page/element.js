// Makes elements. Texts become text nodes only, so that nothing in the document becomes markup.

export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// What can be opened, and is built when that happens: whole schemas would be slow to build.
export function fold(title, build, properties = {}) {
  const made = element("details", properties, element("summary", {}, ...[title].flat()));
  made.addEventListener("toggle", () => made.append(...build()), { once: true });
  return made;
}

let numbers = 0;

export function newId() {
  numbers += 1;
  return `field-${numbers}`;
}

// A label, its field, and what describes it.
export function labelled(label, field, about = []) {
  field.id = newId();
  const hint = element("div", { id: `${field.id}-about`, className: "about" }, ...about);
  if (about.length) field.setAttribute("aria-describedby", hint.id);
  return element("div", { className: "field" },
    element("label", { htmlFor: field.id }, ...[label].flat()), field, hint);
}
