import { useEffect, useState, type FormEvent } from 'react'
import { Link, useLocation, useSearchParams } from 'react-router'
import { Button, IconButton } from '@/components/Button'
import { Field, Problem, useFirstProblem } from '@/components/Field'
import { Icon } from '@/components/Icon'
import { PASSWORD_ALONE } from '@synctalk/client/auth/entry'
import { useProviders, type Entry } from '@/lib-react/entry'
import { useAuth, useAuthState } from '@/lib-react/session'
import { problemsOf, without, type Problems } from '@/lib/text/problems'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { texts } from '@/lib/text/texts'
import { register, signIn } from './api'
import { Completing } from './Completing'
import { GuestForm } from './GuestForm'
import { OtherWays } from './OtherWays'
import { ProductPicture } from './ProductPicture'

const t = lazyTexts.session
const USERNAME = /^[a-z0-9_.-]{3,32}$/i
const MIN_PASSWORD = 8

type Mode = 'sign-in' | 'register' | 'guest'
const FIELDS = ['username', 'password', 'display_name'] as const
type SessionProblems = Problems<(typeof FIELDS)[number]>

const TITLES = { 'sign-in': 'signInTitle', register: 'createTitle', guest: 'guestTitle' } as const

function leadOf(mode: Mode): string {
  if (mode === 'guest') return texts.conversations.guestLead
  return mode === 'register' ? t.createLead : t.signInLead
}

/** Sign in, create an account, or come in as a guest: the first page a user sees. */
export function SessionPage({ mode }: { mode: Mode }) {
  const entry = (useLocation().state as Entry | null) ?? {}
  // However the session ended, nothing of it is left to be read here.
  useEffect(() => {
    import('@synctalk/client/live/lastSeen')
      .then(({ eraseLastSeen }) => eraseLastSeen())
      .catch(() => undefined)
  }, [])
  return (
    <div className="grid h-dvh overflow-y-auto bg-bg lg:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]">
      <Pitch />
      <main className="flex flex-col items-center px-6 py-10 sm:pt-[16vh]">
        <div className="w-full max-w-sm">
          <Brand />
          <h1 className="mt-8 text-large font-semibold">{t[TITLES[mode]]}</h1>
          {entry.code === undefined ? (
            <Ways mode={mode} entry={entry} />
          ) : (
            <Completing entry={entry} code={entry.code} />
          )}
        </div>
      </main>
    </div>
  )
}

function Ways({ mode, entry }: { mode: Mode; entry: Entry }) {
  const providers = useProviders()
  const inviteCode = inviteIn(entry.from)
  const { registration } = providers ?? PASSWORD_ALONE
  const closed = registration === 'closed' || (registration === 'invite' && inviteCode === null)
  const other = mode === 'sign-in' ? 'register' : 'sign-in'
  return (
    <>
      <p className="mt-1 mb-6 text-meta text-text-muted">{leadOf(mode)}</p>
      <Ended />
      <Refused />
      {mode === 'guest' ? (
        <GuestForm />
      ) : mode === 'register' && closed ? (
        <Problem>{registration === 'closed' ? t.registrationClosed : t.registrationByInvite}</Problem>
      ) : (
        <SessionForm key={mode} mode={mode} inviteCode={registration === 'invite' ? inviteCode : null} />
      )}
      {!(other === 'register' && closed) && (
        <p className="mt-6 text-meta text-text-muted">
          {other === 'register' ? t.noAccount : t.haveAccount}{' '}
          <Link
            to={`/${other}`}
            state={entry}
            className="rounded-control font-medium text-accent-ink underline-offset-2 hover:underline"
          >
            {other === 'register' ? t.createAccount : t.signIn}
          </Link>
        </p>
      )}
      {mode !== 'guest' && providers !== null && <OtherWays providers={providers} />}
    </>
  )
}

/** The code of the invite that one came by. */
const inviteIn = (path: string | undefined): string | null =>
  /^\/invite\/([^/?#]+)/.exec(path ?? '')?.[1] ?? null

/** Why an identity provider's sign-in came to nothing. */
function Refused() {
  const [params] = useSearchParams()
  const error = params.get('error')
  if (error === null) return null
  return (
    <div className="mb-5">
      <Problem>{t.refused[error] ?? t.refused.failed}</Problem>
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
      <ProductPicture />
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

function SessionForm({ mode, inviteCode }: { mode: 'sign-in' | 'register'; inviteCode: string | null }) {
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
      else await register(auth, credentials, text('display_name').trim(), inviteCode)
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
