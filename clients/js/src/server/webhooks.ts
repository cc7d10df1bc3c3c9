/** Verification of webhooks, signed as Standard Webhooks says. */
import { Webhook } from 'standardwebhooks'
import type { HostEvent } from './models.js'

/** The request was not signed with the secret, is older than five minutes, or is no event: it is to get a 400. */
export class WebhookError extends Error {
  constructor() {
    super('The request is not a signed event.')
    this.name = 'WebhookError'
  }
}

/** As `node:http`, Express and `Headers` (by `Object.fromEntries`) have them. */
export type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>

/**
 * Return the event of a request, by the endpoint's secret (`whsec_…`) and the body as it came, byte for byte.
 *
 * Throws `WebhookError`.
 */
export function verified(secret: string, headers: RequestHeaders, body: string): HostEvent {
  const endpoint = new Webhook(secret)
  const signed = Object.entries(headers).filter(
    (header): header is [string, string] => typeof header[1] === 'string',
  )
  let event: unknown
  try {
    endpoint.verify(body, Object.fromEntries(signed), { jsonParse: false })
    event = JSON.parse(body)
  } catch {
    throw new WebhookError()
  }
  if (!isEvent(event)) throw new WebhookError()
  return event
}

function isEvent(value: unknown): value is HostEvent {
  if (typeof value !== 'object' || value === null) return false
  const { id, type, created_at, data } = value as Partial<Record<keyof HostEvent, unknown>>
  const isNamed = [id, type, created_at].every((text) => typeof text === 'string')
  return isNamed && typeof data === 'object' && data !== null
}
