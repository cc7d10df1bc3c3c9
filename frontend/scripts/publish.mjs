/** The new build takes the place of the old one at once: who is served meanwhile never finds it half there. */
import { existsSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const [next, now, old] = ['dist.next', 'dist', 'dist.old'].map((name) => join(ROOT, name))

rmSync(old, { recursive: true, force: true })
if (existsSync(now)) renameSync(now, old)
renameSync(next, now)
rmSync(old, { recursive: true, force: true })
