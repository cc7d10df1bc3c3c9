import { useState, type FormEvent } from 'react'
import type { Conversation } from '@synctalk/client/contracts'
import { Avatar } from '@/components/Avatar'
import { Button } from '@/components/Button'
import { Field, Problem } from '@/components/Field'
import { TextArea } from '@/components/TextArea'
import type { GroupChange } from '@synctalk/client/live/conversations'
import { codePoints } from '@/lib/text/rich'
import { problemsOf, without, type Problems } from '@/lib/text/problems'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { texts } from '@/lib/text/texts'
import { useToast } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'

const ADDRESS_START = 'https://'

const t = lazyTexts.group
const FIELDS = ['title', 'description', 'avatar_url'] as const
type Name = (typeof FIELDS)[number]
const MAX_DESCRIPTION = 1_000

/** Name, topic and picture; `wholly` false: the topic alone. */
export function GroupForm({ group, wholly }: { group: Conversation; wholly: boolean }) {
  const toast = useToast()
  const { conversations } = useLive()
  const known = {
    title: group.title ?? '',
    description: group.description ?? '',
    avatar_url: group.avatar_url ?? '',
  }
  const [typed, setTyped] = useState<Partial<Record<Name, string>>>({})
  const [problems, setProblems] = useState<Problems<Name>>({})
  const [busy, setBusy] = useState(false)
  const values = { ...known, ...typed }
  const changed = FIELDS.filter((name) => values[name].trim() !== known[name])

  const field = (name: Name) => ({
    name,
    value: values[name],
    problem: problems[name],
    onChange: ({ target }: { target: { value: string } }) => {
      setTyped({ ...typed, [name]: target.value })
      setProblems(without(problems, name))
    },
  })

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    if (values.title.trim() === '') return setProblems({ title: lazyTexts.session.required })
    if (codePoints(values.description) > MAX_DESCRIPTION) return setProblems({ description: t.topicTooLong })
    const change: GroupChange = {}
    for (const name of changed) {
      const value = values[name].trim()
      if (name === 'avatar_url') change.avatar_url = value === '' ? null : value
      else change[name] = value
    }
    setBusy(true)
    setProblems({})
    try {
      await conversations.changeGroup(group.id, change)
      setTyped({})
      toast(texts.saved)
    } catch (error) {
      setProblems(problemsOf(error, FIELDS))
    } finally {
      setBusy(false)
    }
  }

  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-3">
      {problems.all !== undefined && <Problem>{problems.all}</Problem>}
      {wholly && <Field label={lazyTexts.start.groupTitle} dir="auto" maxLength={128} {...field('title')} />}
      <TextArea label={t.topic} hint={t.topicHint} {...field('description')} />
      {wholly && (
        <div className="flex items-start gap-3">
          <Avatar
            id={group.id}
            name={values.title}
            url={values.avatar_url}
            group
            size={40}
            className="mt-6"
          />
          <Field
            label={t.picture}
            note={texts.optional}
            type="url"
            inputMode="url"
            dir="ltr"
            placeholder={ADDRESS_START}
            maxLength={2048}
            hint={t.pictureHint}
            className="min-w-0 flex-1"
            {...field('avatar_url')}
          />
        </div>
      )}
      <Button type="submit" busy={busy} disabled={changed.length === 0} className="self-start">
        {texts.save}
      </Button>
    </form>
  )
}
