// Shows the document that lies beside this page, and sends requests to the gateway it came from.
"use strict";

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const shade = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", shade);
shade();

window.reference = SwaggerUIBundle({
  dom_id: "#reference",
  url: new URL("openapi.json", document.baseURI).href, // servers are relative to it
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: false, // a key is forgotten with the page
  queryConfigEnabled: false, // the address bar cannot point it elsewhere
  tryItOutEnabled: true,
  validatorUrl: null, // by default a third party is asked
});
