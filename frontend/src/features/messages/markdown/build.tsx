/**
 * Builds the elements of a text from what the parser read. No more than `MAX_PIECES` of them: what comes after is shown
 * without its marks; of a folded text, what is below its edge is not built at all.
 */
import { Fragment, type ReactNode } from 'react'
import type { Token } from 'markdown-it'
import { MAX_PIECES, type Piece } from '@/lib/text/rich'
import { texts } from '@/lib/text/texts'
import { Fold } from '../folding'
import { Code, LINK, shown } from '../pieces'
import { tokensOf } from './parser'
import { Spoiler } from './Spoiler'

export interface Building {
  mentioned: ReadonlySet<string>
  own: string
  folded: boolean
  /** Stands in the text's last line. */
  end: ReactNode
  codeBlock: (code: string, language: string, key: number) => ReactNode
}

/** Between these there can be no words; how many there are is bounded by the parser. */
const TABLE_PARTS: ReadonlySet<string> = new Set(
  ['table', 'thead', 'tbody', 'tr', 'th', 'td'].map((part) => `${part}_open`),
)

interface Frame {
  token: Token | null
  /** Blank lines above it. */
  gap: number
  children: ReactNode[]
}

export function build(body: string, building: Building): ReactNode[] {
  const builder = new Builder(building)
  builder.blocks(tokensOf(body, building.mentioned))
  return builder.finished()
}

class Builder {
  private readonly root: Frame = { token: null, gap: 0, children: [] }
  private readonly stack: Frame[] = [this.root]
  private readonly fold: Fold | null
  private elements = 0
  /** The line after the last paragraph at the top; null when what came last is another block. */
  private lineBelow: number | null = null
  private lastParagraph: Frame | null = null

  constructor(private readonly building: Building) {
    this.fold = building.folded ? new Fold() : null
  }

  blocks(tokens: readonly Token[]): void {
    for (const token of tokens) {
      if (this.fold?.spent === true && token.nesting !== -1) {
        if (token.nesting === 1) this.stack.push(this.top)
        continue
      }
      if (token.type === 'inline') this.inline(token.children ?? [])
      else if (token.type === 'fence') this.fence(token)
      else this.nested(token)
    }
  }

  finished(): ReactNode[] {
    const { end } = this.building
    if (end !== undefined && end !== null && end !== false) {
      const last = this.lastParagraph
      if (last !== null && this.lineBelow !== null) last.children.push(<Fragment key="end">{end}</Fragment>)
      else this.root.children.push(<div key="end">{end}</div>)
    }
    return this.root.children
  }

  private get top(): Frame {
    return this.stack.at(-1) ?? this.root
  }

  private inline(tokens: readonly Token[]): void {
    for (const token of tokens) {
      switch (token.type) {
        case 'text':
          this.text(token.content)
          break
        case 'softbreak':
        case 'hardbreak':
          this.text('\n')
          break
        case 'code_inline':
          this.leaf(token.content, (text, key) => <Code key={key} text={text} />)
          break
        case 'piece':
          this.leaf(token.content, (text, key) =>
            shown({ ...(token.meta as Piece), text }, key, this.building.own),
          )
          break
        default:
          this.nested(token)
      }
    }
  }

  private text(text: string): void {
    const { children } = this.top
    const seen = this.fold === null ? text : this.fold.take(text, false)
    const before = children.at(-1)
    if (typeof before === 'string') children[children.length - 1] = before + seen
    else if (seen !== '') children.push(seen)
  }

  private leaf(text: string, element: (text: string, key: number) => ReactNode): void {
    if (this.elements >= MAX_PIECES) return this.text(text)
    const seen = this.fold === null ? text : this.fold.take(text, false)
    this.elements += 1
    if (seen !== '') this.top.children.push(element(seen, this.top.children.length))
  }

  private fence(token: Token): void {
    const code = token.content.replace(/\n$/, '')
    const [language = ''] = token.info.trim().split(/\s/)
    this.lineBelow = null
    // A fence with nothing below it is what somebody wrote in its line.
    if (code === '') return this.text(`${token.markup}${token.info}`)
    if (this.elements >= MAX_PIECES) return this.text(`\n${code}`)
    this.elements += 1
    const seen = this.fold === null ? code : this.fold.take(code, true)
    this.top.children.push(this.building.codeBlock(seen, language.toLowerCase(), this.top.children.length))
  }

  private nested(token: Token): void {
    if (token.nesting === 1) this.open(token)
    else if (token.nesting === -1) this.close()
  }

  private open(token: Token): void {
    const isBlock = token.block
    // What is no element of its own, or one too many, is part of the one around it.
    const isPartOfTable = TABLE_PARTS.has(token.type) && TABLE_PARTS.has(this.top.token?.type ?? '')
    if (token.hidden || (this.elements >= MAX_PIECES && !isPartOfTable)) {
      if (isBlock && this.top.children.length > 0) this.text('\n')
      this.stack.push(this.top)
      return
    }
    this.elements += 1
    const atTop = this.stack.length === 1
    const [start = 0, below = 0] = token.map ?? []
    const isParagraph = token.type === 'paragraph_open'
    const gap = atTop && isParagraph && this.lineBelow !== null ? start - this.lineBelow : 0
    const frame = { token, gap, children: [] }
    if (isBlock && atTop) {
      this.lineBelow = isParagraph ? below : null
      this.lastParagraph = isParagraph ? frame : null
    }
    // A line of its own takes space below the fold too.
    if (isBlock && (isParagraph || token.type === 'tr_open' || token.type === 'list_item_open'))
      this.fold?.take('\n', true)
    this.stack.push(frame)
  }

  private close(): void {
    const frame = this.stack.pop()
    if (frame?.token == null || frame === this.top) return
    this.top.children.push(elementOf(frame, this.top.children.length))
  }
}

/** Each line has the direction of its own first letter. */
const OWN_LINES = '[unicode-bidi:plaintext]'
const GAPS = ['', 'mt-[22px]', 'mt-[44px]'] as const
const ALIGNED: Record<string, string> = {
  'text-align:left': 'text-left',
  'text-align:center': 'text-center',
  'text-align:right': 'text-right',
}

function elementOf({ token, gap, children }: Frame, key: number): ReactNode {
  switch (token?.type) {
    case 'paragraph_open':
      return (
        <p key={key} className={`${OWN_LINES} ${GAPS[Math.min(gap, 2)] ?? ''}`}>
          {children}
        </p>
      )
    case 'strong_open':
      return (
        <strong key={key} className="font-semibold">
          {children}
        </strong>
      )
    case 'em_open':
      return <em key={key}>{children}</em>
    case 's_open':
      return <s key={key}>{children}</s>
    case 'spoiler_open':
      return <Spoiler key={key}>{children}</Spoiler>
    case 'link_open': {
      const href = token.attrGet('href') ?? ''
      return (
        // Where it leads is not what it says.
        <a key={key} href={href} title={href} {...LINK} className={`${LINK.className} underline`}>
          {children}
        </a>
      )
    }
    case 'bullet_list_open':
      return (
        <ul key={key} dir="auto" className="my-0.5 list-disc ps-6">
          {children}
        </ul>
      )
    case 'ordered_list_open':
      return (
        <ol
          key={key}
          dir="auto"
          start={Number(token.attrGet('start') ?? 1)}
          className="my-0.5 list-decimal ps-8"
        >
          {children}
        </ol>
      )
    case 'list_item_open':
      return (
        <li key={key} className={OWN_LINES}>
          {children}
        </li>
      )
    case 'blockquote_open':
      return (
        <blockquote
          key={key}
          dir="auto"
          className="my-1 border-s-[3px] border-border-strong ps-3 text-text-muted"
        >
          {children}
        </blockquote>
      )
    case 'table_open':
      return (
        <div
          key={key}
          role="region"
          aria-label={texts.messages.table}
          // It scrolls by itself, by keys too.
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          tabIndex={0}
          className="my-1 max-w-full overflow-x-auto"
        >
          <table dir="auto" className="border-collapse">
            {children}
          </table>
        </div>
      )
    case 'thead_open':
      return <thead key={key}>{children}</thead>
    case 'tbody_open':
      return <tbody key={key}>{children}</tbody>
    case 'tr_open':
      return <tr key={key}>{children}</tr>
    case 'th_open':
      return (
        <th key={key} scope="col" className={`${CELL} bg-bg-raised font-semibold ${alignOf(token)}`}>
          {children}
        </th>
      )
    case 'td_open':
      return (
        <td key={key} className={`${CELL} ${alignOf(token)}`}>
          {children}
        </td>
      )
    default:
      return <Fragment key={key}>{children}</Fragment>
  }
}

const CELL = `border border-border px-2.5 py-1 align-top wrap-normal ${OWN_LINES}`

const alignOf = (token: Token): string => ALIGNED[token.attrGet('style') ?? ''] ?? 'text-start'
