import { useState, type FormEvent, type ReactNode } from 'react'
import { Avatar } from '@/components/Avatar'
import { Button } from '@/components/Button'
import { useCopy } from '@/components/useCopy'
import { Field, Problem, useFirstProblem } from '@/components/Field'
import { PageHead } from '@/components/PageHead'
import { PictureChoice } from '@/components/PictureChoice'
import { useDensity, useNotifications, usePage, useTheme, useToast } from '@/lib-react/page'
import { notificationsExist } from '@/lib-react/notifications'
import { useAuth, useAuthState, useLive } from '@/lib-react/session'
import type { Density } from '@/lib-react/density'
import type { Theme } from '@/lib-react/theme'
import { unsubscribe } from '@synctalk/client/push/subscription'
import { problemsOf, without, type Problems } from '@/lib/text/problems'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { texts } from '@/lib/text/texts'
import { changePassword, changeProfile } from './api'
import { BlockList } from './BlockList'
import { LanguageSelect } from './LanguageSelect'
import { LastSeen } from './LastSeen'
import { NotificationForm } from './NotificationForm'
import { Segments } from './Segments'
import { SessionList } from './SessionList'

const t = lazyTexts.settings
const THEMES: readonly Theme[] = ['system', 'light', 'dark']
const DENSITIES: readonly Density[] = ['comfortable', 'compact']
const MIN_PASSWORD = 8

export default function SettingsPage() {
  return (
    <div className="flex h-full flex-col">
      <PageHead title={t.title} />
      <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain">
        <div className="mx-auto max-w-2xl divide-y divide-border px-4 pb-12 md:px-6">
          <Section title={t.profile}>
            <Picture />
            <Username />
            <NameForm />
          </Section>
          <Section title={t.appearance}>
            <ThemeChoice />
            <DensityChoice />
            <LanguageSelect />
          </Section>
          <Section title={t.notifications}>
            <NotificationSwitch />
            <NotificationForm />
          </Section>
          <Section title={t.privacy}>
            <LastSeen />
          </Section>
          <Section title={lazyTexts.blocks.title}>
            <BlockList />
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

function Picture() {
  const session = useAuthState()
  const auth = useAuth()
  const live = useLive()
  if (session.state !== 'signed_in') return null
  const { id, display_name, avatar_url } = session.user
  return (
    <div className="mb-5 flex items-center gap-4">
      <Avatar id={id} name={display_name} url={avatar_url} size={72} />
      <PictureChoice
        current={avatar_url}
        onChange={(url) => changeProfile(live, auth, { avatar_url: url })}
      />
    </div>
  )
}

/** By it others find one. */
function Username() {
  const copy = useCopy()
  const session = useAuthState()
  if (session.state !== 'signed_in') return null
  const name = `@${session.user.username}`
  return (
    <div className="mb-4 flex max-w-sm items-center gap-3">
      <p className="min-w-0 flex-1">
        <span className="block text-meta font-medium">{lazyTexts.session.username}</span>
        <span className="block truncate text-message text-text-muted">{name}</span>
      </p>
      <Button aria-label={t.copyUsername} onClick={() => copy(name)}>
        {t.copy}
      </Button>
    </div>
  )
}

function NameForm() {
  const toast = useToast()
  const session = useAuthState()
  const auth = useAuth()
  const live = useLive()
  const known = session.state === 'signed_in' ? session.user.display_name : ''
  const [name, setName] = useState(known)
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    if (name.trim() === '') return setProblem(lazyTexts.session.required)
    setBusy(true)
    setProblem(null)
    try {
      await changeProfile(live, auth, { display_name: name.trim() })
      toast(texts.saved)
    } catch (error) {
      const { display_name, all } = problemsOf(error, ['display_name'])
      setProblem(display_name ?? all ?? null)
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
        onChange={(event) => {
          setName(event.target.value)
          setProblem(null)
        }}
        problem={problem}
        className="max-w-sm flex-1"
      />
      <Button type="submit" busy={busy} disabled={name.trim() === known} className="min-h-10">
        {texts.save}
      </Button>
    </form>
  )
}

function ThemeChoice() {
  const theme = useTheme()
  const page = usePage()
  return (
    <Segments
      name="theme"
      label={t.theme}
      value={theme}
      options={THEMES.map((value) => ({ value, text: t.themes[value] }))}
      onChange={(value) => page.theme.choose(value)}
    />
  )
}

function DensityChoice() {
  const density = useDensity()
  const page = usePage()
  return (
    <Segments
      name="density"
      label={t.density}
      value={density}
      options={DENSITIES.map((value) => ({ value, text: t.densities[value] }))}
      onChange={(value) => page.density.choose(value)}
      className="mt-4"
    />
  )
}

function NotificationSwitch() {
  const { notifications } = usePage()
  const { choice, permission } = useNotifications()
  const { rest } = useLive()
  function turnOff(): void {
    notifications.choose('off')
    unsubscribe(rest).catch(() => undefined)
  }
  if (!notificationsExist()) return <p className="text-meta text-text-muted">{t.notificationsNone}</p>
  if (permission === 'denied') return <p className="text-meta text-text-muted">{t.notificationsDenied}</p>
  const on = choice === 'on' && permission === 'granted'
  return (
    <div className="flex flex-wrap items-center justify-between gap-3">
      <p className="text-meta text-text-muted">{on ? t.notificationsOn : t.notificationsLead}</p>
      <Button onClick={() => (on ? turnOff() : void notifications.turnOn())}>
        {on ? t.notificationsPause : t.notificationsOff}
      </Button>
    </div>
  )
}

const PASSWORD_FIELDS = ['current_password', 'new_password'] as const
type PasswordField = (typeof PASSWORD_FIELDS)[number]

function PasswordForm() {
  const toast = useToast()
  const { rest } = useLive()
  const [problems, setProblems] = useState<Problems<PasswordField>>({})
  const formRef = useFirstProblem(problems)
  const [busy, setBusy] = useState(false)

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const form = event.currentTarget
    const data = new FormData(form)
    const current = (data.get('current_password') as string | null) ?? ''
    const next = (data.get('new_password') as string | null) ?? ''
    if (current === '') return setProblems({ current_password: lazyTexts.session.required })
    if ([...next].length < MIN_PASSWORD)
      return setProblems({ new_password: lazyTexts.session.passwordProblem })
    setBusy(true)
    setProblems({})
    try {
      await changePassword(rest, current, next)
      form.reset()
      toast(t.passwordChanged)
    } catch (error) {
      setProblems(problemsOf(error, PASSWORD_FIELDS, { wrong_password: 'current_password' }))
    } finally {
      setBusy(false)
    }
  }

  return (
    <form
      ref={formRef}
      noValidate
      onSubmit={(event) => void submit(event)}
      onChange={(event) => setProblems(without(problems, event.target.name))}
      className="flex max-w-sm flex-col gap-3"
    >
      {problems.all !== undefined && <Problem>{problems.all}</Problem>}
      <Field
        label={t.currentPassword}
        name="current_password"
        type="password"
        autoComplete="current-password"
        maxLength={256}
        problem={problems.current_password}
      />
      <Field
        label={t.newPassword}
        name="new_password"
        type="password"
        autoComplete="new-password"
        maxLength={256}
        hint={lazyTexts.session.passwordHint}
        problem={problems.new_password}
      />
      <Button type="submit" busy={busy} className="self-start">
        {t.changePassword}
      </Button>
    </form>
  )
}
