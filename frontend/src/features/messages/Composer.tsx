import { Suspense, useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react'
import type { Message } from '@synctalk/client/contracts'
import { IconButton } from '@/components/Button'
import { Problem } from '@/components/Field'
import { Icon } from '@/components/Icon'
import { useConnection } from '@/lib-react/chat'
import { placeOf } from '@synctalk/client/chat/replies'
import { CallError } from '@synctalk/client/errors'
import { isComposing, isShortcut } from '@/lib-react/keys'
import { lazily } from '@/lib-react/lazily'
import { codePoints } from '@/lib/text/rich'
import { failureText, texts } from '@/lib/text/texts'
import { useLive } from '@/lib-react/session'
import type { Drafts } from '@synctalk/client/live/drafts'
import { AttachButton, filesIn, useAttaching } from './files/attaching'
import { AttachmentTray } from './files/FilesPlace'
import { withoutGaps } from './folding'
import { FormattingBar, markByKey } from './formatting/parts'
import { QuotedText } from './Quote'
import { useCompletion } from './useCompletion'
import { memo } from '@/lib-react/language'

const t = texts.composer

const EmojiPopover = lazily(() => import('@/components/emoji/EmojiPopover'))

const MAX = 8_000
/** From here on it is shown how much is left. */
const SHOW_LEFT_FROM = 7_500
const MAX_LINES = 8
const LINE_PX = 22

interface ComposerProps {
  conversationId: string
  /** The thread that it is written in, if it is one. */
  threadId: string | null
  /** What the field is for. */
  label: string
  /** The message being changed, if one is. */
  editing: Message | null
  /** The message that is answered by what one writes. */
  replying: Message | null
  /** Another one takes the focus. */
  focusKey: string | null
  /** `unwanted` once something else was begun, since what is to be edited may have to be waited for. */
  onEditLast: (unwanted: () => boolean) => void
  onEditEnd: () => void
  onReplyEnd: () => void
  onSent: () => void
}

/**
 * Where one writes; mounted anew for each conversation and each message that is changed. The text lives in the field itself: a key stroke changes nothing else, but a few numbers when they
 * have to change.
 */
export const Composer = memo(function Composer(props: ComposerProps) {
  const { conversationId, threadId, editing, replying, focusKey } = props
  const { onEditLast, onEditEnd, onReplyEnd, onSent } = props
  const place = placeOf(conversationId, threadId)
  const field = useRef<HTMLTextAreaElement>(null)
  // Read once: from then on the field itself holds the text.
  const { afterUploads, drafts, messages, outbox, typing, uploads } = useLive()
  const [begun] = useState(() => (editing === null ? drafts.get(place) : editing.body))
  const [empty, setEmpty] = useState(begun.trim() === '')
  const [left, setLeft] = useState(() => leftOf(begun))
  const [problem, setProblem] = useState<string | null>(null)
  const [saving, setSaving] = useState(false)
  const [also, setAlso] = useState(false)
  const [formatting, setFormatting] = useState(false)
  const offline = useConnection((state) => state.state !== 'live')
  const cannotSave = editing !== null && offline
  const over = left !== null && left < 0

  function changed(): void {
    if (field.current === null) return
    fit(field.current)
    setEmpty(field.current.value.trim() === '')
    setLeft(leftOf(field.current.value))
  }

  useDraftKept(drafts)
  useDraftElsewhere(drafts, place, (text, before) => {
    if (editing !== null || field.current?.value !== before) return
    field.current.value = text
    changed()
    // In the tab that has the focus it is a message taken back, to be changed.
    if (text !== '' && document.hasFocus()) field.current.focus()
  })

  useLayoutEffect(() => {
    if (field.current !== null) fit(field.current)
  }, [])

  useEffect(() => {
    const pointerIsFine = window.matchMedia('(pointer: fine)').matches
    // On phones the keyboard would cover what one came to read.
    if (pointerIsFine || editing !== null) field.current?.focus()
  }, [place, editing, focusKey])

  const completion = useCompletion(field, conversationId, onInserted)
  const replyId = replying?.id ?? null
  useEffect(() => {
    if (replyId !== null) field.current?.focus()
  }, [replyId])

  const attaching = useAttaching(place)
  const { attachments, waiting } = attaching
  const mayBeEmpty = editing === null ? attachments.length > 0 : (editing.files ?? []).length > 0
  const nothing = empty && !mayBeEmpty

  async function submit(): Promise<void> {
    const text = field.current?.value ?? ''
    if ((text.trim() === '' && !mayBeEmpty) || over || cannotSave || saving) return
    if (editing !== null) return saveEdit(editing, withoutGaps(text))
    const body = withoutGaps(text)
    const replyTo = replying?.id ?? null
    const beside = { replyTo, threadId, alsoInConversation: threadId !== null && also }
    const files = uploads.take(place)
    if (files === null) {
      drafts.saveSoon(place, text)
      drafts.flush()
      return afterUploads.begin(place, { conversationId, body, ...beside })
    }
    typing.endedByMessage()
    if (field.current !== null) field.current.value = ''
    changed()
    drafts.saveSoon(place, '')
    drafts.flush()
    onSent()
    onReplyEnd()
    setAlso(false)
    await outbox.send(conversationId, body, { ...beside, files })
  }

  async function saveEdit(message: Message, body: string): Promise<void> {
    if (body === message.body) return onEditEnd()
    setSaving(true)
    setProblem(null)
    try {
      await messages.edit(message, body)
      onEditEnd()
    } catch (error) {
      setProblem(failureText(error instanceof CallError ? error.code : 'other'))
    } finally {
      setSaving(false)
    }
  }

  /** A completion, or an emoji that was picked. */
  function onInserted(): void {
    changed()
    if (editing === null) drafts.saveSoon(place, field.current?.value ?? '')
  }

  function attach(files: readonly File[]): void {
    afterUploads.cancel(place)
    attaching.attach(files)
    field.current?.focus()
  }

  function insert(emoji: string): void {
    const { current } = field
    if (current === null) return
    current.setRangeText(emoji, current.selectionStart, current.selectionEnd, 'end')
    onInserted()
    current.focus()
  }

  function onInput(): void {
    const text = field.current?.value ?? ''
    changed()
    completion.look()
    if (editing !== null) return
    afterUploads.cancel(place)
    drafts.saveSoon(place, text)
    if (text.trim() === '') typing.stop()
    else typing.typed(conversationId, threadId)
  }

  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>): void {
    if (isComposing(event) || completion.onKeyDown(event) || markByKey(event)) return
    if (event.key === 'Enter' && !event.shiftKey && !event.altKey && !event.ctrlKey) {
      event.preventDefault()
      void submit()
    } else if (
      event.key === 'ArrowUp' &&
      !isShortcut(event) &&
      field.current?.value === '' &&
      editing === null
    ) {
      event.preventDefault()
      onEditLast(() => field.current?.value !== '')
    } else if (event.key === 'Escape' && (editing !== null || replying !== null)) {
      event.preventDefault()
      event.stopPropagation()
      if (editing === null) onReplyEnd()
      else onEditEnd()
    }
  }

  const label = editing === null ? props.label : t.editing
  return (
    <div className="mx-auto w-full max-w-column px-2 pb-[max(0.75rem,env(safe-area-inset-bottom))] sm:px-4">
      {problem !== null && (
        <div className="mb-2">
          <Problem>{problem}</Problem>
        </div>
      )}
      <div className="relative rounded-card border border-border-strong bg-bg transition-colors duration-150 focus-within:border-focus hover:border-text-muted focus-within:hover:border-focus">
        {completion.list}
        {left !== null && (
          // Beside who is typing, so that the text keeps its width.
          <span
            role="status"
            className={`figures absolute end-1 bottom-full text-small leading-6 ${over ? 'font-semibold text-danger' : 'text-text-muted'}`}
          >
            {over ? t.over(-left) : t.left(left)}
          </span>
        )}
        {editing !== null && (
          <div className="flex items-center gap-2 border-b border-border ps-3 pe-1 text-meta text-text-muted">
            <Icon name="pencil" size={14} className="text-accent-ink" />
            <span className="flex-1">{cannotSave ? t.editOffline : t.editing}</span>
            <IconButton icon="close" size={16} label={texts.cancel} onClick={onEditEnd} className="size-8!" />
          </div>
        )}
        {replying !== null && (
          <div className="flex items-center gap-2 border-b border-border ps-3 pe-1 text-meta text-text-muted">
            <Icon name="reply" size={14} className="shrink-0 text-accent-ink" />
            <span className="sr-only">{t.replying}</span>
            <span className="flex min-w-0 flex-1">
              <QuotedText message={replying} />
            </span>
            <IconButton
              icon="close"
              size={16}
              label={t.cancelReply}
              onClick={onReplyEnd}
              className="size-8!"
            />
          </div>
        )}
        {editing === null && attachments.length > 0 && (
          <Suspense>
            <AttachmentTray place={place} attachments={attachments} waiting={waiting} />
          </Suspense>
        )}
        {formatting && (
          <Suspense>
            <FormattingBar field={field} />
          </Suspense>
        )}
        <div className="flex items-end">
          {editing === null && <AttachButton onFiles={attach} />}
          <textarea
            ref={field}
            rows={1}
            defaultValue={begun}
            aria-label={label}
            placeholder={label}
            dir="auto"
            enterKeyHint="send"
            onInput={onInput}
            onKeyDown={onKeyDown}
            onBlur={() => {
              typing.stop()
              completion.close()
            }}
            onClick={completion.look}
            onPaste={(event) => {
              const files = editing === null ? filesIn(event.clipboardData) : []
              if (files.length === 0) return
              event.preventDefault()
              attach(files)
            }}
            {...completion.attributes}
            className={`one-line-hint max-h-[198px] pointer-coarse:max-h-[206px] min-h-11 min-w-0 flex-1 resize-none bg-transparent py-[11px] pointer-coarse:py-[15px] pe-2 text-message leading-[22px] outline-none ${editing === null ? 'ps-1' : 'ps-3.5'}`}
          />
          <IconButton
            icon="format"
            label={t.formatting}
            aria-pressed={formatting}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => setFormatting(!formatting)}
            className="my-1"
          />
          <EmojiButton onPick={insert} />
          <IconButton
            icon={editing === null ? 'send' : 'check'}
            label={editing === null ? t.send : t.saveEdit}
            disabled={nothing || over || cannotSave || saving}
            // The field keeps the focus, and a phone its keyboard.
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => void submit()}
            className={`m-1 ms-0 ${nothing || over ? '' : 'bg-accent! text-accent-text! hover:bg-accent-hover!'}`}
          />
        </div>
        {threadId !== null && editing === null && (
          <label className="flex items-center gap-2 border-t border-border px-3 py-1.5 text-meta text-text-muted pointer-coarse:min-h-11">
            <input
              type="checkbox"
              checked={also}
              onChange={(event) => setAlso(event.target.checked)}
              className="size-4 accent-accent"
            />
            {texts.threads.also}
          </label>
        )}
      </div>
    </div>
  )
})

/** How many characters are left, once that is worth knowing. There are never more code points than units. */
function leftOf(text: string): number | null {
  const used = text.length < SHOW_LEFT_FROM ? 0 : codePoints(text)
  return used < SHOW_LEFT_FROM ? null : MAX - used
}

const growsByItself = CSS.supports('field-sizing', 'content')

/** As high as its text, up to eight lines. */
function fit(field: HTMLTextAreaElement): void {
  if (growsByItself) {
    field.style.setProperty('field-sizing', 'content')
    return
  }
  field.style.height = 'auto'
  field.style.height = `${String(Math.min(field.scrollHeight, MAX_LINES * LINE_PX + 22))}px`
}

/** Nothing that was begun is lost when the page or the conversation is left. */
function useDraftKept(drafts: Drafts): void {
  useEffect(() => {
    window.addEventListener('pagehide', drafts.flush)
    document.addEventListener('visibilitychange', drafts.flush)
    return () => {
      drafts.flush()
      window.removeEventListener('pagehide', drafts.flush)
      document.removeEventListener('visibilitychange', drafts.flush)
    }
  }, [drafts])
}

/** Follow the draft where it is changed elsewhere: sent in another tab, or a message taken back. */
function useDraftElsewhere(
  drafts: Drafts,
  place: string,
  onChange: (text: string, before: string) => void,
): void {
  const latest = useRef(onChange)
  useEffect(() => {
    latest.current = onChange
  })
  useEffect(
    () =>
      drafts.texts.subscribe((now, before) => {
        const text = now[place] ?? ''
        const old = before[place] ?? ''
        if (text !== old) latest.current(text, old)
      }),
    [drafts, place],
  )
}

/** Opens all emoji; not on touch screens, whose keyboard has them. */
function EmojiButton({ onPick }: { onPick: (emoji: string) => void }) {
  const [choosing, setChoosing] = useState(false)
  const button = (
    <IconButton
      icon="smile"
      label={t.emoji}
      aria-haspopup="dialog"
      className="my-1 pointer-coarse:hidden"
      {...(!choosing && { onClick: () => setChoosing(true) })}
    />
  )
  return choosing ? (
    <Suspense fallback={button}>
      <EmojiPopover trigger={button} onPick={onPick} onClose={() => setChoosing(false)} />
    </Suspense>
  ) : (
    button
  )
}
