/**
 * Writes src/contracts.ts from the committed JSON Schemas of libs/contracts.
 *
 *   npm run contracts              write
 *   npm run contracts -- --check   write nothing; fail when what is committed is not what would be written
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compile } from 'json-schema-to-typescript'
import { format, resolveConfig } from 'prettier'

const HERE = dirname(fileURLToPath(import.meta.url))
const SCHEMAS = join(HERE, '../../../libs/contracts/schemas')
const TARGET = join(HERE, '../src/contracts.ts')
const BANNER = '/* Generated from libs/contracts by `make contracts`. Do not edit. */\n'

/** `message.send.v1.json` of a folder, parsed, with the version's number. */
function read(folder) {
  return readdirSync(join(SCHEMAS, folder))
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const [, name, version] = /^(.+)\.v(\d+)\.json$/.exec(file)
      return {
        name,
        version: Number(version),
        schema: JSON.parse(readFileSync(join(SCHEMAS, folder, file), 'utf8')),
      }
    })
}

/** Only the newest version of each name is what a client speaks. */
function newest(entries) {
  const byName = new Map()
  for (const entry of entries) {
    if ((byName.get(entry.name)?.version ?? 0) < entry.version) byName.set(entry.name, entry)
  }
  return [...byName.values()]
}

/** Titles below the top would each become a type of their own; `$defs` become shared definitions. */
function clean(node, isField = false) {
  if (Array.isArray(node)) return node.map((item) => clean(item))
  if (node === null || typeof node !== 'object') return node
  const out = {}
  for (const [key, value] of Object.entries(node)) {
    if (key === '$defs' || (isField && key === 'title' && typeof value === 'string')) continue
    if (key === '$ref') out.$ref = value.replace('#/$defs/', '#/definitions/')
    else if (key === 'properties') {
      out.properties = Object.fromEntries(
        Object.entries(value).map(([name, field]) => [name, clean(field, true)]),
      )
    } else out[key] = clean(value)
  }
  return out
}

function definitionsOf(entries) {
  const definitions = {}
  for (const { schema } of entries) {
    for (const [name, part] of Object.entries(schema.$defs ?? {})) definitions[name] = clean(part)
    definitions[schema.title] = clean(schema)
  }
  return definitions
}

const eventName = (name) => name.replaceAll('.', ':')

function eventMap(title, doc, entries) {
  const rows = entries.map(({ name, schema }) => `  '${eventName(name)}': ${schema.title}`)
  return `/** ${doc} */\nexport interface ${title} {\n${rows.join('\n')}\n}\n`
}

/** The compiler notes at each type where it was referenced; a reader asks nothing of that. */
function withoutNoise(types) {
  return types
    .replace(/\n\s*\*\s*\n(?=\s*\* This interface was referenced)/g, '\n')
    .replace(/\s*\* This interface was referenced by [^\n]*\n\s*\* via the [^\n]*/g, '')
    .replace(/\/\*\*\s*\*\//g, '')
}

async function generate() {
  const models = newest(read('models'))
  const toClient = newest(read('to_client'))
  const toServer = newest(read('to_server'))
  const definitions = definitionsOf([...models, ...toClient, ...toServer])
  const types = await compile(
    { title: 'Unused', type: 'object', additionalProperties: false, definitions },
    'Unused',
    {
      bannerComment: '',
      format: false,
      unreachableDefinitions: true,
      maxItems: -1,
      additionalProperties: false,
    },
  )
  const text = [
    BANNER,
    // The root only carries the definitions.
    withoutNoise(types.replace(/export interface Unused \{\s*\}\n?/, '')),
    eventMap('ToClientEvents', 'What the server emits: the name of each event and its payload.', toClient),
    eventMap('ToServerEvents', 'What a client emits: the name of each event and its payload.', toServer),
  ].join('\n')
  return format(text, { ...(await resolveConfig(TARGET)), parser: 'typescript' })
}

const content = await generate()
if (!existsSync(TARGET) || readFileSync(TARGET, 'utf8') !== content) {
  if (process.argv.includes('--check')) {
    console.error('clients/js/src/contracts.ts: not up to date, run `make contracts`')
    process.exit(1)
  }
  writeFileSync(TARGET, content)
}
