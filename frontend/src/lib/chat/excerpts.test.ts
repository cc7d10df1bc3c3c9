import { expect, test } from 'vitest'
import { excerptOf } from './excerpts'
import { storedFile } from '@synctalk/client/chat/samples'

const picture = storedFile({ content_type: 'image/png', has_thumbnail: true })
const video = storedFile({ content_type: 'video/mp4' })
const note = storedFile({ name: 'plans.pdf', content_type: 'application/pdf' })

test.each([
  ['two\n words', [picture], 'two words'],
  ['', [picture], 'Photo'],
  ['', [picture, picture], '2 photos'],
  ['', [video], 'Video'],
  ['', [storedFile({ content_type: 'audio/mpeg' })], 'Audio'],
  ['', [note], 'plans.pdf'],
  ['', [note, picture], '2 files'],
  ['', [], ''],
])('%j with %#', (body, files, preview) => {
  expect(excerptOf({ body, files })).toBe(preview)
})
