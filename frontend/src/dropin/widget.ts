/** The button, the panel, and the frame in it. All of it is in a shadow root, where the page's styles do not reach. */
import { COLORS, isColor } from '../lib/embed/colors'
import { kindOf, type Colors, type Given, type ToFrame, type ToPage } from '../lib/embed/messages'
import { atMost } from '../lib/text/inUse'
import type { Backend } from './backend'
import { STYLES } from './styles'
import { textsIn } from './texts'

const ICON =
  '<svg viewBox="0 0 24 24" width="26" height="26" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M21 12a8 8 0 0 1-8 8H4l2-3a8 8 0 1 1 15-5z"/></svg>'

export class Widget {
  private readonly origin: string
  private readonly host = document.createElement('synctalk-chat')
  private readonly button = document.createElement('button')
  private readonly badge = document.createElement('span')
  private readonly status = document.createElement('p')
  private readonly panel = document.createElement('div')
  private readonly listeners = new Set<(count: number) => void>()
  private frame: HTMLIFrameElement | null = null
  private colors: Colors = {}
  private readonly texts: ReturnType<typeof textsIn>
  private isOpen = false
  private unread = 0
  private focusedBefore: Element | null = null
  /** What the backend said before the frame asked. */
  private first: Given | null = null

  constructor(
    private readonly script: HTMLScriptElement,
    private readonly backend: Backend,
  ) {
    this.origin = new URL(script.src).origin
    this.texts = textsIn(script.dataset.lang)
  }

  /** Show the button. Who is known to the page has the frame at once, which counts what is unread; a guest by opening it. */
  start(): void {
    this.colors = this.chosenColors()
    this.draw()
    window.addEventListener('message', (event) => this.receive(event))
    if (this.isOpen) this.reveal()
    void this.meet()
  }

  open(): void {
    if (this.isOpen) return
    this.isOpen = true
    if (this.host.isConnected) this.reveal()
  }

  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    if (!this.host.isConnected) return
    const hadFocus = document.activeElement === this.host
    this.show()
    if (!hadFocus) return
    const { focusedBefore } = this
    if (focusedBefore instanceof HTMLElement && focusedBefore !== this.host) focusedBefore.focus()
    else this.button.focus()
  }

  toggle(): void {
    if (this.isOpen) this.close()
    else this.open()
  }

  onUnread(listener: (count: number) => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  private async meet(): Promise<void> {
    const given = await this.backend.ask()
    if (this.frame !== null || given === 'nobody' || given === 'failed') return
    this.first = given
    this.load()
  }

  private reveal(): void {
    this.focusedBefore = document.activeElement
    this.load()
    this.show()
    this.frame?.focus()
  }

  private draw(): void {
    const { host, button, badge, status, panel } = this
    host.lang = this.texts.language
    host.dir = this.texts.direction
    button.type = 'button'
    button.setAttribute('aria-expanded', 'false')
    button.setAttribute('aria-controls', 'panel')
    button.innerHTML = ICON
    button.addEventListener('click', () => this.toggle())
    badge.hidden = true
    badge.className = 'badge'
    badge.setAttribute('aria-hidden', 'true')
    button.append(badge)
    status.setAttribute('role', 'status')
    panel.id = 'panel'
    panel.hidden = true
    panel.setAttribute('role', 'dialog')
    panel.setAttribute('aria-label', this.name)
    for (const [name, color] of Object.entries(this.colors)) host.style.setProperty(`--${name}`, color)
    const root = host.attachShadow({ mode: 'open' })
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(STYLES)
    root.adoptedStyleSheets = [sheet]
    root.append(panel, button, status)
    host.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && !event.defaultPrevented) this.close()
    })
    this.label()
    document.body.append(host)
  }

  private load(): void {
    if (this.frame !== null) return
    const frame = document.createElement('iframe')
    frame.title = this.name
    const { lang } = this.script.dataset
    frame.src = `${this.origin}/embed${lang === undefined ? '' : `?lang=${encodeURIComponent(lang)}`}`
    frame.allow = 'clipboard-write'
    // Also when it is loaded anew.
    frame.addEventListener('load', () => this.greet())
    this.panel.append(frame)
    this.frame = frame
  }

  private greet(): void {
    const { conversation = null, invite = null, theme = null } = this.script.dataset
    this.send({ synctalk: 'start', conversation, invite, theme, colors: this.colors, open: this.isOpen })
  }

  private send(message: ToFrame): void {
    this.frame?.contentWindow?.postMessage(message, this.origin)
  }

  private receive({ source, origin, data }: MessageEvent<unknown>): void {
    const frame = this.frame?.contentWindow
    if (frame == null || source !== frame || origin !== this.origin || kindOf(data) === null) return
    const message = data as ToPage
    if (message.synctalk === 'token-wanted') void this.giveToken()
    else if (message.synctalk === 'unread') this.count(message.count)
    else if (message.synctalk === 'close') this.close()
  }

  private async giveToken(): Promise<void> {
    const given = this.first ?? (await this.backend.ask())
    this.first = null
    this.send({ synctalk: 'token', given })
  }

  private count(unread: number): void {
    if (unread === this.unread) return
    this.unread = unread
    this.badge.hidden = unread === 0
    this.badge.textContent = atMost(unread, 99)
    this.status.textContent = unread === 0 ? '' : this.words
    this.label()
    for (const listener of this.listeners) listener(unread)
  }

  private show(): void {
    this.panel.hidden = !this.isOpen
    this.button.setAttribute('aria-expanded', String(this.isOpen))
    this.label()
    this.send({ synctalk: 'shown', open: this.isOpen })
  }

  private label(): void {
    const label = this.unread === 0 ? this.name : this.texts.both(this.name, this.words)
    this.button.setAttribute('aria-label', label)
  }

  private get name(): string {
    return this.script.dataset.label ?? this.texts.chat
  }

  private get words(): string {
    return this.texts.unread(this.unread)
  }

  /** By `data-accent` and the like, or the page's variables `--synctalk-accent` and the like; what is no colour is left out. */
  private chosenColors(): Colors {
    const page = getComputedStyle(document.documentElement)
    const colors: Record<string, string> = {}
    for (const name of Object.keys(COLORS)) {
      const color =
        this.script.getAttribute(`data-${name}`) ?? page.getPropertyValue(`--synctalk-${name}`).trim()
      if (isColor(color)) colors[name] = color
    }
    return colors
  }
}
