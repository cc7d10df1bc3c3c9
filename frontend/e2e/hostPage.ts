/** A product of somebody else's, at an origin of its own: its login, its backend, and a page with our script in it. */
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Issuer {
  issuer: string
  audience: string
  shared_secret: string
}

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

/** A JWT of the issuer that the stack trusts. */
export function jwtFor(sub: string, name: string): string {
  const [issuer] = JSON.parse(process.env.SYNCTALK_TRUSTED_ISSUERS ?? '[]') as Issuer[]
  if (issuer === undefined) throw new Error('needs a stack with SYNCTALK_TRUSTED_ISSUERS')
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: issuer.issuer, aud: issuer.audience, sub, name, iat: now, exp: now + 60 }
  const signed = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded(claims)}`
  return `${signed}.${createHmac('sha256', issuer.shared_secret).update(signed).digest('base64url')}`
}

export class HostPage {
  /** What the backend answers to whoever is signed in; null: nobody is. */
  answer: (() => object) | null = null
  /** How often it was asked for a token. */
  asked = 0
  private readonly server: Server
  private script = ''

  constructor(private readonly synctalk: string) {
    this.server = createServer((request, response) => this.respond(request, response))
  }

  async listen(port: number): Promise<void> {
    this.server.listen(port, 'localhost')
    await once(this.server, 'listening')
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    this.server.close()
    await once(this.server, 'close')
  }

  get url(): string {
    return `http://localhost:${String((this.server.address() as AddressInfo).port)}/`
  }

  /** Have the script in the page, with these attributes. */
  embed(attributes: Record<string, string>): void {
    this.asked = 0
    const given = Object.entries({ 'data-token-url': '/my/chat-token', ...attributes })
    this.script = given.map(([name, value]) => `${name}="${value}"`).join(' ')
  }

  private respond({ url }: IncomingMessage, response: ServerResponse): void {
    if (url === '/') {
      response.setHeader('Content-Type', 'text/html')
      response.end(`<!doctype html><html lang="en"><title>A shop</title>
        <main><h1>A shop</h1><a href="#more">More</a></main>
        <script src="${this.synctalk}/embed.js" ${this.script}></script></html>`)
    } else if (url === '/my/chat-token') {
      this.asked += 1
      response.statusCode = this.answer === null ? 401 : 200
      response.setHeader('Content-Type', 'application/json')
      response.end(JSON.stringify(this.answer?.() ?? {}))
    } else {
      response.statusCode = 404
      response.end()
    }
  }
}
