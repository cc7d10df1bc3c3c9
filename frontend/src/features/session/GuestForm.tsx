import { useState, type FormEvent } from 'react'
import { Button } from '@/components/Button'
import { Field, Problem } from '@/components/Field'
import { enterAsGuest } from '@synctalk/client/auth/entry'
import { problemsOf, type Problems } from '@/lib/text/problems'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { texts } from '@/lib/text/texts'
import { useAuth } from '@/lib-react/session'

const t = lazyTexts.session

/** A name, and one is in. */
export function GuestForm() {
  const auth = useAuth()
  const [problems, setProblems] = useState<Problems<'display_name'>>({})
  const [busy, setBusy] = useState(false)

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const name = new FormData(event.currentTarget).get('display_name') as string
    setBusy(true)
    try {
      await enterAsGuest(auth, name.trim())
    } catch (error) {
      setProblems(problemsOf(error, ['display_name']))
      setBusy(false)
    }
  }

  return (
    <form
      noValidate
      onSubmit={(event) => void submit(event)}
      onChange={() => setProblems({})}
      className="flex flex-col gap-3"
    >
      {problems.all !== undefined && <Problem>{problems.all}</Problem>}
      <Field
        label={t.displayName}
        note={texts.optional}
        name="display_name"
        autoComplete="name"
        maxLength={64}
        hint={t.displayNameHint}
        // The page is for this one field; nothing before it needs to be read.
        // eslint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        problem={problems.display_name}
      />
      <Button type="submit" look="primary" busy={busy} className="mt-2 min-h-10">
        {t.asGuest}
      </Button>
    </form>
  )
}
