import { useRef, useState, type FormEvent } from 'react'
import { Link, useNavigate } from 'react-router'
import type { User } from '@synctalk/client/contracts'
import { Button, IconButton } from '@/components/Button'
import { Dialog } from '@/components/Dialog'
import { Field, Problem } from '@/components/Field'
import { Icon } from '@/components/Icon'
import { Switch } from '@/components/Switch'
import { CallError } from '@synctalk/client/errors'
import { isComposing } from '@/lib-react/keys'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText, texts } from '@/lib/text/texts'
import { useLive } from '@/lib-react/session'
import { UserPicker } from './UserPicker'

const t = lazyTexts.start

/** Pick a user to start a direct conversation with. */
export function NewDirect() {
  const { conversations } = useLive()
  const navigate = useNavigate()
  const [problem, setProblem] = useState<string | null>(null)

  async function pick(user: User): Promise<void> {
    setProblem(null)
    try {
      const id = await conversations.startDirect(user.id)
      await navigate(`/c/${id}`, { replace: true })
    } catch (error) {
      setProblem(failureText(error instanceof CallError ? error.code : 'other'))
    }
  }

  return (
    <Dialog title={t.title} onClose={() => void navigate('..')}>
      {problem !== null && <Notice text={problem} />}
      <UserPicker chosen={[]} onPick={(user) => void pick(user)}>
        <Link
          to="/new/group"
          replace
          className="flex min-h-12 items-center gap-3 rounded-control px-2.5 hover:bg-bg-hover"
        >
          <span className="flex size-8 items-center justify-center rounded-control bg-accent-soft text-accent-ink">
            <Icon name="group" size={18} />
          </span>
          <span>
            <span className="block leading-5 font-medium">{t.newGroup}</span>
            <span className="block text-meta text-text-muted">{t.newGroupLead}</span>
          </span>
        </Link>
        <Link
          to="/channels"
          replace
          className="flex min-h-12 items-center gap-3 rounded-control px-2.5 hover:bg-bg-hover"
        >
          <span className="flex size-8 items-center justify-center rounded-control bg-accent-soft text-accent-ink">
            <Icon name="hash" size={18} />
          </span>
          <span>
            <span className="block leading-5 font-medium">{lazyTexts.channels.title}</span>
            <span className="block text-meta text-text-muted">{lazyTexts.channels.lead}</span>
          </span>
        </Link>
        <p className="px-2.5 py-3 text-meta text-text-muted">{t.userHint}</p>
      </UserPicker>
    </Dialog>
  )
}

/** Name a group and pick its members. */
export function NewGroup() {
  const { conversations } = useLive()
  const navigate = useNavigate()
  const [title, setTitle] = useState('')
  const [chosen, setChosen] = useState<readonly User[]>([])
  const [open, setOpen] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const [missing, setMissing] = useState<'title' | 'members' | null>(null)
  const form = useRef<HTMLFormElement>(null)
  const picker = useRef<HTMLDivElement>(null)
  const toPicker = (): void => picker.current?.querySelector<HTMLElement>('[role="combobox"]')?.focus()
  const [busy, setBusy] = useState(false)

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    // Into a public group others come by themselves.
    const alone = chosen.length === 0 && !open
    const lacking = title.trim() === '' ? 'title' : alone ? 'members' : null
    setMissing(lacking)
    if (lacking === 'title') form.current?.querySelector('input')?.focus()
    if (lacking === 'members') toPicker()
    if (lacking !== null) return
    setBusy(true)
    setProblem(null)
    try {
      const id = await conversations.createGroup(
        title.trim(),
        chosen.map((user) => user.id),
        open ? 'public' : 'private',
      )
      await navigate(`/c/${id}`, { replace: true })
    } catch (error) {
      setProblem(failureText(error instanceof CallError ? error.code : 'other'))
      setBusy(false)
    }
  }

  return (
    <Dialog
      title={t.newGroup}
      onClose={() => void navigate('/')}
      lead={
        <IconButton icon="back" label={texts.back} onClick={() => void navigate('/new', { replace: true })} />
      }
    >
      <form
        ref={form}
        noValidate
        onSubmit={(event) => void submit(event)}
        className="flex min-h-0 flex-1 flex-col"
      >
        {problem !== null && <Notice text={problem} />}
        <Field
          label={t.groupTitle}
          data-autofocus
          placeholder={t.groupTitlePlaceholder}
          maxLength={128}
          value={title}
          onChange={(event) => setTitle(event.target.value)}
          // Enter goes on to the members.
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || isComposing(event)) return
            event.preventDefault()
            toPicker()
          }}
          problem={missing === 'title' && title.trim() === '' ? lazyTexts.session.required : null}
          className="px-4 pt-3 pb-2"
        />
        <Switch
          label={t.public}
          lead={t.publicLead}
          on={open}
          onChange={setOpen}
          className="border-b border-border px-4 pb-2"
        />
        <div ref={picker} className="flex min-h-0 flex-1 flex-col">
          <UserPicker chosen={chosen} onPick={(user) => setChosen(toggled(chosen, user))}>
            <p className="px-2.5 py-3 text-meta text-text-muted">{t.userHint}</p>
          </UserPicker>
        </div>
        {missing === 'members' && chosen.length === 0 && !open && <Notice text={t.chooseSomebody} />}
        <footer className="flex items-center justify-between gap-3 border-t border-border px-4 py-3">
          <span className="text-meta text-text-muted">{t.chosen(chosen.length)}</span>
          <Button type="submit" look="primary" busy={busy}>
            {t.createGroup}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}

export const toggled = (chosen: readonly User[], user: User): User[] =>
  chosen.some(({ id }) => id === user.id) ? chosen.filter(({ id }) => id !== user.id) : [...chosen, user]

const Notice = ({ text }: { text: string }) => (
  <div className="px-4 pt-3">
    <Problem>{text}</Problem>
  </div>
)
