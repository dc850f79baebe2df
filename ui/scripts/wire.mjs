// Makes src/wire/generated/ of schema/openapi.json: the types that requests and answers have,
// and functions that check answers, made ahead because a page under a strict policy may not make functions of text.
import { readFile, writeFile, mkdir } from 'node:fs/promises';
import Ajv from 'ajv/dist/2020.js';
import standaloneCode from 'ajv/dist/standalone/index.js';
import openapiTS, { astToString } from 'openapi-typescript';

const source = new URL('../../schema/openapi.json', import.meta.url);
const target = new URL('../src/wire/generated/', import.meta.url);
const compiled = new URL('../lib/wire/generated/', import.meta.url); // where tsc leaves what it makes of the rest

const document = JSON.parse(await readFile(source, 'utf8'));
await mkdir(target, { recursive: true });
await mkdir(compiled, { recursive: true });

const banner = '// Written by `npm run wire` from schema/openapi.json. Not for editing.\n';
const types = astToString(await openapiTS(document, { defaultNonNullable: true }));
await writeFile(new URL('types.ts', target), banner + types);

const answers = new Map();
const live = []; // what may wait for a kernel
for (const operations of Object.values(document.paths)) {
  for (const operation of Object.values(operations)) {
    const { $ref } = operation.responses['200'].content['application/json'].schema;
    answers.set(operation.operationId, $ref.split('/').pop());
    if (operation['x-lane'] === 'live') {
      live.push(operation.operationId);
    }
  }
}
const names = [...new Set([...answers.values(), 'Problem', 'Event'])];
const ajv = new Ajv({
  code: { source: true, esm: true, optimize: 2 },
  strict: false,
  inlineRefs: false,
  messages: false
});
// What explains is not what checks: without it the functions are a third of the size.
const bare = JSON.parse(JSON.stringify(document.components), (key, value) =>
  ['description', 'title', 'default'].includes(key) && typeof value !== 'object' ? undefined : value
);
ajv.addSchema({ $id: 'cellar', components: bare });
for (const name of names) {
  ajv.addSchema({ $id: name, $ref: `cellar#/components/schemas/${name}` });
}
const code = standaloneCode(ajv, Object.fromEntries(names.map(name => [name, name])));
for (const folder of [target, compiled]) {
  await writeFile(new URL('validators.js', folder), banner + code);
}
const declarations = names.map(name => `export function ${name}(data: unknown): boolean;`);
await writeFile(new URL('validators.d.ts', target), banner + declarations.join('\n') + '\n');
const table = [...answers].map(([id, name]) => `  '${id}': '${name}'`).join(',\n');
await writeFile(
  new URL('answers.ts', target),
  `${banner}export const ANSWERS = {\n${table}\n} as const;\n\nexport type RouteName = keyof typeof ANSWERS;\n\n` +
    `/** Routes that may wait for a kernel. */\nexport const LIVE: ReadonlySet<RouteName> = new Set<RouteName>(${JSON.stringify(live)});\n`
);
