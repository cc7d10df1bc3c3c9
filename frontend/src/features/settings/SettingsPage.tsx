import { useState, type FormEvent, type ReactNode } from 'react'
import { Link } from 'react-router'
import { Button } from '@/components/Button'
import { Field, Problem } from '@/components/Field'
import { Icon } from '@/components/Icon'
import { toast } from '@/components/Toasts'
import { CallError } from '@/lib/errors'
import {
  chooseNotifications,
  notificationsExist,
  turnOnNotifications,
  useNotifications,
} from '@/lib/notifications'
import { useSession } from '@/lib/session/session'
import { chooseTheme, useTheme, type Theme } from '@/lib/theme'
import { failureText, texts } from '@/lib/text/texts'
import { changeName, changePassword } from './api'
import { SessionList } from './SessionList'

const t = texts.settings
const THEMES: readonly Theme[] = ['system', 'light', 'dark']
const MIN_PASSWORD = 8

export default function SettingsPage() {
  return (
    <div className="flex h-full flex-col">
      <header className="flex h-14 shrink-0 items-center gap-2 border-b border-border ps-2 pe-4 md:ps-6">
        <Link
          to="/"
          aria-label={texts.back}
          className="flex size-11 items-center justify-center rounded-control text-text-muted hover:bg-bg-hover md:hidden"
        >
          <Icon name="back" />
        </Link>
        <h2 className="text-title font-semibold">{t.title}</h2>
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain">
        <div className="mx-auto max-w-2xl divide-y divide-border px-4 pb-12 md:px-6">
          <Section title={t.profile}>
            <NameForm />
          </Section>
          <Section title={t.appearance}>
            <ThemeChoice />
          </Section>
          <Section title={t.notifications}>
            <NotificationSwitch />
          </Section>
          <Section title={t.sessions}>
            <SessionList />
          </Section>
          <Section title={t.password}>
            <PasswordForm />
          </Section>
        </div>
      </div>
    </div>
  )
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="py-6">
      <h3 className="mb-3 text-message font-semibold">{title}</h3>
      {children}
    </section>
  )
}

function NameForm() {
  const session = useSession()
  const held = session.state === 'signed_in' ? session.user.display_name : ''
  const [name, setName] = useState(held)
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    if (name.trim() === '') return setProblem(texts.session.required)
    setBusy(true)
    setProblem(null)
    try {
      await changeName(name.trim())
      toast(texts.saved)
    } catch (error) {
      setProblem(failureText(error instanceof CallError ? error.code : 'other'))
    } finally {
      setBusy(false)
    }
  }

  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex items-end gap-3">
      <Field
        label={t.displayName}
        autoComplete="name"
        maxLength={64}
        value={name}
        onChange={(event) => setName(event.target.value)}
        problem={problem}
        className="max-w-sm flex-1"
      />
      <Button type="submit" busy={busy} disabled={name.trim() === held} className="min-h-10">
        {texts.save}
      </Button>
    </form>
  )
}

function ThemeChoice() {
  const theme = useTheme((state) => state.theme)
  return (
    <fieldset>
      <legend className="sr-only">{t.theme}</legend>
      <div className="inline-flex rounded-card border border-border bg-bg-raised p-1">
        {THEMES.map((value) => (
          <label
            key={value}
            className="relative flex min-h-9 cursor-pointer items-center rounded-control px-4 text-meta font-medium text-text-muted transition-colors duration-150 has-checked:bg-bg has-checked:text-text has-checked:ring-1 has-checked:ring-border has-focus-visible:outline-2 has-focus-visible:outline-focus pointer-coarse:min-h-11"
          >
            <input
              type="radio"
              name="theme"
              value={value}
              checked={theme === value}
              onChange={() => chooseTheme(value)}
              className="absolute inset-0 cursor-pointer opacity-0"
            />
            {t.themes[value]}
          </label>
        ))}
      </div>
    </fieldset>
  )
}

function NotificationSwitch() {
  const { choice, permission } = useNotifications()
  if (!notificationsExist()) return <p className="text-meta text-text-muted">{t.notificationsNone}</p>
  if (permission === 'denied') return <p className="text-meta text-text-muted">{t.notificationsDenied}</p>
  const on = choice === 'on' && permission === 'granted'
  return (
    <div className="flex flex-wrap items-center justify-between gap-3">
      <p className="text-meta text-text-muted">{on ? t.notificationsOn : t.notificationsLead}</p>
      <Button onClick={() => (on ? chooseNotifications('off') : void turnOnNotifications())}>
        {on ? t.notificationsPause : t.notificationsOff}
      </Button>
    </div>
  )
}

function PasswordForm() {
  const [problems, setProblems] = useState<{ current?: string; next?: string; all?: string }>({})
  const [busy, setBusy] = useState(false)

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const form = event.currentTarget
    const data = new FormData(form)
    const current = (data.get('current') as string | null) ?? ''
    const next = (data.get('next') as string | null) ?? ''
    if (current === '') return setProblems({ current: texts.session.required })
    if ([...next].length < MIN_PASSWORD) return setProblems({ next: texts.session.passwordProblem })
    setBusy(true)
    setProblems({})
    try {
      await changePassword(current, next)
      form.reset()
      toast(t.passwordChanged)
    } catch (error) {
      setProblems(problemsOf(error))
    } finally {
      setBusy(false)
    }
  }

  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex max-w-sm flex-col gap-3">
      {problems.all !== undefined && <Problem>{problems.all}</Problem>}
      <Field
        label={t.currentPassword}
        name="current"
        type="password"
        autoComplete="current-password"
        maxLength={256}
        problem={problems.current}
      />
      <Field
        label={t.newPassword}
        name="next"
        type="password"
        autoComplete="new-password"
        maxLength={256}
        hint={texts.session.passwordHint}
        problem={problems.next}
      />
      <Button type="submit" busy={busy} className="self-start">
        {t.changePassword}
      </Button>
    </form>
  )
}

function problemsOf(error: unknown): { current?: string; next?: string; all?: string } {
  if (!(error instanceof CallError)) return { all: texts.somethingWrong }
  if (error.code === 'wrong_password') return { current: failureText(error.code) }
  const field = error.fields.find((problem) => problem.field === 'new_password')
  return field === undefined ? { all: failureText(error.code) } : { next: field.message }
}
