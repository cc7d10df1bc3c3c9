import { useEffect, useRef } from 'react'
import { Link } from 'react-router'
import { Button } from '@/components/Button'
import { useToast } from '@/lib-react/page'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { texts } from '@/lib/text/texts'

const t = lazyTexts.leftBehind

/** Shown in place of a conversation that the user is no longer in: what was written there and not sent, to be copied. */
export default function LeftBehind({ title, text }: { title: string; text: string }) {
  const toast = useToast()
  const field = useRef<HTMLTextAreaElement>(null)
  // The field that had the focus is gone.
  useEffect(() => field.current?.focus(), [])

  function copy(): void {
    navigator.clipboard.writeText(text).then(
      () => toast(texts.messages.copied),
      // Without the clipboard it can be copied by hand.
      () => field.current?.select(),
    )
  }

  return (
    <div className="flex h-full items-center justify-center p-4">
      <section className="w-full max-w-md">
        <h2 className="text-title font-semibold wrap-anywhere">{texts.conversations.removed(title)}</h2>
        <p className="mt-1 text-meta text-text-muted">{t.lead}</p>
        <textarea
          ref={field}
          readOnly
          value={text}
          rows={6}
          dir="auto"
          aria-label={t.text}
          className="mt-4 w-full resize-none rounded-card border border-border-strong bg-bg p-3 text-message"
        />
        <div className="mt-3 flex gap-2">
          <Button look="primary" onClick={copy}>
            {texts.messages.copy}
          </Button>
          <Link
            to="/"
            replace
            className="inline-flex min-h-9 items-center rounded-control px-3.5 text-meta font-medium text-text-muted hover:bg-bg-hover hover:text-text pointer-coarse:min-h-11"
          >
            {texts.goHome}
          </Link>
        </div>
      </section>
    </div>
  )
}
