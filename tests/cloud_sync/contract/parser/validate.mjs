// SPDX-License-Identifier: Apache-2.0
// Validates an AsyncAPI document by the official parser.
// usage: node validate.mjs FOLDER_WITH_NODE_MODULES DOCUMENT
// Errors and warnings are printed as file:line:column and end it with 1.
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [modules, document] = process.argv.slice(2);
const { Parser, fromFile } = createRequire(resolve(modules, "_"))("@asyncapi/parser");

const NAMES = ["error", "warning"]; // what is below is advice, such as newer versions
const { document: read, diagnostics } = await fromFile(new Parser(), document).parse();
const faults = diagnostics.filter(({ severity }) => severity < NAMES.length);
for (const { severity, range, message, path, source } of faults) {
  const { line, character } = range.start;
  const where = `${source ?? document}:${line + 1}:${character + 1}`;
  console.log(`${where}: ${NAMES[severity]}: ${message} (${path.join(".")})`);
}
if (read === undefined || faults.length > 0) {
  console.log(`${document}: not a valid AsyncAPI document`);
  process.exit(1);
}
console.log(
  `${document}: AsyncAPI ${read.version()}, ${read.allChannels().all().length} ` +
    `channels, ${read.allOperations().all().length} operations, valid`,
);
