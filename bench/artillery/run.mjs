// Plays talk.yml for the users in users.csv by Artillery's own runner and Socket.IO engine, without the rest of Artillery.
// Prints what it measured, or writes it as `artillery run --output` does; exits with 1 unless every user completed.
//   SYNCTALK_URL=<address> USERS=<users> SECONDS=<within> node run.mjs [report]
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import core from '@artilleryio/int-core'
import yaml from 'js-yaml'

const [output] = process.argv.slice(2)
const { SSMS } = core.ssms
const scriptPath = fileURLToPath(new URL('talk.yml', import.meta.url))

// Before the end it would emit the latest period alone: where the process was late by more than one, earlier ones are
// lost, with the users who completed in them. At the end all periods that were not emitted are, so that none is lost.
SSMS.prototype._maybeEmitMostRecentPeriod = () => {}

function report(totals) {
  const names = Object.keys(totals.histograms)
  const summaries = Object.fromEntries(names.map((name) => [name, SSMS.summarizeHistogram(totals.histograms[name])]))
  return { counters: totals.counters, rates: totals.rates, summaries }
}

function print({ counters, summaries }) {
  for (const [name, value] of Object.entries(counters).sort()) console.log(`${name.padEnd(32)}${value}`)
  for (const [name, { count, p50, p95, p99, max }] of Object.entries(summaries).sort())
    console.log(`${name.padEnd(32)}${count}, ms: p50 ${p50}, p95 ${p95}, p99 ${p99}, max ${max}`)
}

// Artillery's command line fills these in before its runner gets the scenario.
const text = readFileSync(scriptPath, 'utf8').replaceAll(/\{\{ \$env\.(\w+) \}\}/g, (_, name) => process.env[name])
const lines = readFileSync(new URL('users.csv', import.meta.url), 'utf8').trim().split('\n').slice(1)
const users = lines.map((line) => line.split(','))
const script = await core.runner.runnerFuncs.loadProcessor(yaml.load(text), { scriptPath })
const runner = await core.runner.runner(script, users, { scriptPath })

runner.on('done', (totals) => {
  const aggregate = report(totals)
  print(aggregate)
  if (output) writeFileSync(output, JSON.stringify({ aggregate }))
  process.exit(aggregate.counters['vusers.completed'] === Number(process.env.USERS) ? 0 : 1)
})
runner.run({})
