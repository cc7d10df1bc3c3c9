import { Dialog } from '@/components/Dialog'
import { isMac } from '@/lib-react/keys'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { texts } from '@/lib/text/texts'

const t = lazyTexts.shortcuts
const MOD = isMac ? '⌘' : 'Ctrl'

type Shortcut = readonly [keys: readonly string[], what: string]

/** Read when it is shown: a change of language changes the texts. */
const groups = (): readonly (readonly [title: string, shortcuts: readonly Shortcut[]])[] => [
  [
    t.everywhere,
    [
      [[MOD, 'K'], lazyTexts.palette.title],
      [['Alt', '↑'], t.previous],
      [['Alt', '↓'], t.next],
      [['Esc'], texts.close],
      [[MOD, '/'], t.title],
    ],
  ],
  [
    t.writing,
    [
      [['Enter'], texts.composer.send],
      [['Shift', 'Enter'], t.newLine],
      [['↑'], t.editLast],
      [[MOD, 'B'], lazyTexts.formatting.bold],
      [[MOD, 'I'], lazyTexts.formatting.italic],
      [[MOD, 'Shift', 'X'], lazyTexts.formatting.strike],
      [[MOD, 'E'], lazyTexts.formatting.code],
    ],
  ],
  [
    t.onMessage,
    [
      [['R'], texts.messages.reply],
      [['T'], texts.threads.reply],
      [['+'], texts.reactions.add],
      [['E'], texts.messages.edit],
      [['C'], texts.messages.copy],
      [['L'], texts.messages.copyLink],
      [['F'], texts.forward.action],
      [['P'], texts.pins.pin],
      [['U'], texts.conversations.markUnread],
    ],
  ],
]

/** Ctrl-/: every key that does something. */
export default function ShortcutHelp({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t.title} wide onClose={onClose}>
      <div className="grid gap-x-10 gap-y-5 overflow-y-auto px-5 pt-1 pb-6 sm:grid-cols-2">
        {groups().map(([title, shortcuts]) => (
          <section key={title}>
            <h3 className="pb-1.5 text-meta font-semibold text-text-muted">{title}</h3>
            <dl>
              {shortcuts.map(([keys, what]) => (
                <div key={what} className="flex min-h-8 items-center justify-between gap-3 text-meta">
                  <dt>{what}</dt>
                  {/* Keys are pressed in this order in every language. */}
                  <dd dir="ltr" className="flex shrink-0 gap-1">
                    {keys.map((key) => (
                      <kbd
                        key={key}
                        className="min-w-6 rounded-[4px] border border-border-strong px-1.5 text-center text-small leading-5 text-text-muted"
                      >
                        {t.key(key)}
                      </kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  )
}
