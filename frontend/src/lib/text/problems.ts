/** The problems of a refused form, in the client's own texts by code and field; the server's are for developers. */
import { CallError } from '@synctalk/client/errors'
import { failureText, texts } from './texts'

/** By field; `all` concerns the whole. */
export type Problems<Field extends string> = Partial<Record<Field | 'all', string>>

/** Fields of the same name as the server's. `codes` maps a code to the field that it is about. */
export function problemsOf<Field extends string>(
  error: unknown,
  fields: readonly Field[],
  codes: Partial<Record<string, Field>> = {},
): Problems<Field> {
  if (!(error instanceof CallError)) return { all: texts.somethingWrong } as Problems<Field>
  const about = codes[error.code]
  const named = error.fields.flatMap(({ field }) => fields.filter((known) => known === field))
  const problems: Partial<Record<string, string>> = {}
  if (about !== undefined) problems[about] = failureText(error.code)
  for (const field of about === undefined ? named : [])
    problems[field] = texts.problems[field] ?? failureText('invalid')
  if (Object.keys(problems).length === 0) problems.all = failureText(error.code)
  return problems
}

/** Drop the problems of a field that was changed, and of the whole form. */
export function without<Field extends string>(problems: Problems<Field>, name: string): Problems<Field> {
  if (problems[name as Field] === undefined && problems.all === undefined) return problems
  const { [name as Field]: _field, all: _all, ...others } = problems
  return others as Problems<Field>
}
