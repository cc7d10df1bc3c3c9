import { useState, type FormEvent } from 'react'
import { Link } from 'react-router'
import { Button, IconButton } from '@/components/Button'
import { Field, Problem, useFirstProblem } from '@/components/Field'
import { Icon } from '@/components/Icon'
import { useAuth, useAuthState } from '@/lib-react/session'
import { problemsOf, without, type Problems } from '@/lib/text/problems'
import { texts } from '@/lib/text/texts'
import { register, signIn } from './api'

const t = texts.session
const USERNAME = /^[a-z0-9_.-]{3,32}$/i
const MIN_PASSWORD = 8

type Mode = 'sign-in' | 'register'
const FIELDS = ['username', 'password', 'display_name'] as const
type SessionProblems = Problems<(typeof FIELDS)[number]>

/** Sign in, or create an account: the first page a user sees. */
export function SessionPage({ mode }: { mode: Mode }) {
  return (
    <div className="grid h-dvh overflow-y-auto bg-bg lg:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]">
      <Pitch />
      <main className="flex flex-col items-center justify-center px-6 py-10">
        <div className="w-full max-w-sm">
          <Brand />
          <h1 className="mt-8 text-large font-semibold">
            {mode === 'sign-in' ? t.signInTitle : t.createTitle}
          </h1>
          <p className="mt-1 mb-6 text-meta text-text-muted">
            {mode === 'sign-in' ? t.signInLead : t.createLead}
          </p>
          <Ended />
          <SessionForm key={mode} mode={mode} />
          <p className="mt-6 text-meta text-text-muted">
            {mode === 'sign-in' ? t.noAccount : t.haveAccount}{' '}
            <Link
              to={mode === 'sign-in' ? '/register' : '/sign-in'}
              className="rounded-control font-medium text-accent-ink underline-offset-2 hover:underline"
            >
              {mode === 'sign-in' ? t.createAccount : t.signIn}
            </Link>
          </p>
        </div>
      </main>
    </div>
  )
}

const Brand = () => (
  <p className="flex items-center gap-2.5 text-title font-semibold">
    <img src="/icon.svg" alt="" width="32" height="32" />
    {texts.product}
  </p>
)

function Pitch() {
  return (
    <aside className="hidden flex-col justify-center border-e border-border bg-bg-raised px-16 lg:flex">
      <p className="max-w-md text-[34px] leading-[42px] font-semibold tracking-tight text-balance">
        {t.pitch}
      </p>
      <ul className="mt-8 flex max-w-md flex-col gap-4 text-message text-text-muted">
        {t.pitchPoints.map((point) => (
          <li key={point} className="flex gap-3">
            <span className="mt-px flex size-6 shrink-0 items-center justify-center rounded-full bg-accent-soft text-accent-ink">
              <Icon name="ticks" size={15} />
            </span>
            {point}
          </li>
        ))}
      </ul>
    </aside>
  )
}

/** Why the session ended, when the user did not sign out. */
function Ended() {
  const session = useAuthState()
  if (session.state !== 'signed_out' || session.ended === null || session.ended === 'left') return null
  return (
    <div role="alert" className="mb-5 rounded-control bg-warn-soft px-3 py-2.5 text-meta text-warn">
      <p className="font-medium">{t.ended[session.ended]}</p>
      <p>{t.draftsKept}</p>
    </div>
  )
}

function SessionForm({ mode }: { mode: Mode }) {
  const auth = useAuth()
  const session = useAuthState()
  const known = session.state === 'signed_out' ? (session.username ?? '') : ''
  const [problems, setProblems] = useState<SessionProblems>({})
  const form = useFirstProblem(problems)
  const [busy, setBusy] = useState(false)
  const [shown, setShown] = useState(false)

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const data = new FormData(event.currentTarget)
    const text = (name: string): string => (data.get(name) as string | null) ?? ''
    const credentials = { username: text('username').trim().toLowerCase(), password: text('password') }
    const found = check(mode, credentials.username, credentials.password)
    setProblems(found)
    if (Object.keys(found).length > 0) return
    setBusy(true)
    try {
      if (mode === 'sign-in') await signIn(auth, credentials)
      else await register(auth, credentials, text('display_name').trim())
    } catch (error) {
      setProblems(problemsOf(error, FIELDS, { username_taken: 'username' }))
      setBusy(false)
    }
  }

  const creating = mode === 'register'
  return (
    <form
      ref={form}
      noValidate
      onSubmit={(event) => void submit(event)}
      onChange={(event) => setProblems(without(problems, event.target.name))}
      className="flex flex-col gap-3"
    >
      {problems.all !== undefined && <Problem>{problems.all}</Problem>}
      <Field
        label={t.username}
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={32}
        defaultValue={known}
        // The page is for this one field; nothing before it needs to be read.
        // eslint-disable-next-line jsx-a11y/no-autofocus
        autoFocus={known === ''}
        problem={problems.username}
        {...(creating ? { hint: t.usernameHint } : {})}
      />
      {creating && (
        <Field
          label={t.displayName}
          note={texts.optional}
          name="display_name"
          autoComplete="name"
          maxLength={64}
          hint={t.displayNameHint}
          problem={problems.display_name}
        />
      )}
      <Field
        label={t.password}
        name="password"
        type={shown ? 'text' : 'password'}
        autoComplete={creating ? 'new-password' : 'current-password'}
        maxLength={256}
        // eslint-disable-next-line jsx-a11y/no-autofocus
        autoFocus={known !== ''}
        problem={problems.password}
        {...(creating ? { hint: t.passwordHint } : {})}
        trailing={
          <IconButton
            icon="eye"
            label={shown ? t.hidePassword : t.showPassword}
            aria-pressed={shown}
            onClick={() => setShown(!shown)}
          />
        }
      />
      <Button type="submit" look="primary" busy={busy} className="mt-2 min-h-10">
        {creating ? t.createAccount : t.signIn}
      </Button>
    </form>
  )
}

/** Check before the server does; when signing in only that the fields are filled, as old names may break new rules. */
function check(mode: Mode, username: string, password: string): SessionProblems {
  const found: SessionProblems = {}
  if (username === '') found.username = t.required
  else if (mode === 'register' && !USERNAME.test(username)) found.username = t.usernameProblem
  if (password === '') found.password = t.required
  else if (mode === 'register' && [...password].length < MIN_PASSWORD) found.password = t.passwordProblem
  return found
}
