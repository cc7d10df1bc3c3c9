import { expect, test } from 'vitest'
import { marked, type Mark } from './marking'

/** Apply a mark to a text whose selection is between two `^`, and show the selection in the result. */
function apply(mark: Mark, written: string): string {
  const [before = '', selected = '', after = ''] = written.split('^')
  const text = before + selected + after
  const change = marked(mark, text, before.length, before.length + selected.length)
  const changed = text.slice(0, change.from) + change.text + text.slice(change.to)
  return `${changed.slice(0, change.start)}^${changed.slice(change.start, change.end)}^${changed.slice(change.end)}`
}

test.each<[Mark, string, string]>([
  ['bold', 'a ^b^ c', 'a **^b^** c'],
  ['bold', 'a **^b^** c', 'a ^b^ c'],
  ['bold', 'a ^**b**^ c', 'a ^b^ c'],
  ['bold', 'a ^ b ^c', 'a  **^b^** c'],
  ['bold', '^^', '**^^**'],
  ['bold', '**^^**', '^^'],
  ['italic', '^b^', '_^b^_'],
  ['strike', '^b^', '~~^b^~~'],
  ['spoiler', '^b^', '||^b^||'],
  ['code', '^b^', '`^b^`'],
  ['code', '^a\nb^', '```\n^a\nb^\n```'],
  ['code', '```\n^a\nb^\n```', '^a\nb^'],
  ['list', 'x\n^a\nb^\ny', 'x\n^- a\n- b^\ny'],
  ['list', '^- a\n- b^', '^a\nb^'],
  ['quote', 'a^^b', '> ab^^'],
  ['link', 'see ^this^', 'see [this](^https://^)'],
  ['link', '^https://x.example^', '[^^](https://x.example)'],
  ['link', '^^', '[^^](https://)'],
])('%s of %j is %j', (mark, before, after) => {
  expect(apply(mark, before)).toBe(after)
})
